"""Objects of the bucket as seekable files: read by range, in bounded memory, however large they are."""

import io
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from scanner.aws import clients
from scanner.settings import SETTINGS

BLOCK = 128 << 10
MOST_AHEAD = 32
"""Blocks, 4 MB: what is read from front to back comes in ever longer ranges, up to this."""

MOST_KEPT = 256
"""Blocks, 32 MB, the least recently used of which go first."""


class ObjectFile(io.RawIOBase):
    """One version of an object, read only.

    `fault` is what S3 answered where it did not answer a read. Libraries that read may take it for damage of the file.
    """

    def __init__(self, key: str, version: str) -> None:
        self._object = {"Bucket": SETTINGS.bucket, "Key": key, "VersionId": version}
        self.size: int = clients.s3().head_object(**self._object)["ContentLength"]
        self.fault: Exception | None = None
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._next = -1  # the block after the last range that was read
        self._ahead = 1

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position, and return it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def readinto(self, buffer: memoryview | bytearray) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Read what fits into `buffer`, and return how many bytes that are; 0 at the end."""
        wanted, done = min(len(buffer), self.size - self._position), 0
        while done < wanted:
            block, offset = divmod(self._position, BLOCK)
            piece = memoryview(self._block(block))[offset : offset + wanted - done]
            buffer[done : done + len(piece)] = piece
            done += len(piece)
            self._position += len(piece)
        return done

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            self._fetch(number)
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _fetch(self, number: int) -> None:
        self._ahead = min(self._ahead * 2, MOST_AHEAD) if number == self._next else 1
        self._next = number + self._ahead
        start, end = number * BLOCK, min(self._next * BLOCK, self.size)
        try:
            answer = clients.s3().get_object(**self._object, Range=f"bytes={start}-{end - 1}")
            data = answer["Body"].read()  # which raises where the answer ends too early
        except Exception as error:
            self.fault = error
            raise
        for place in range(0, len(data), BLOCK):
            self._blocks[number + place // BLOCK] = data[place : place + BLOCK]
        while len(self._blocks) > MOST_KEPT:
            self._blocks.popitem(last=False)


@contextmanager
def opened(key: str, version: str) -> Iterator[IO[bytes]]:
    """Open one version of an object. What S3 did not answer is raised at the end, whatever was made of it meanwhile."""
    file = ObjectFile(key, version)
    try:
        yield file  # pyright: ignore[reportReturnType] - RawIOBase reads as IO does
    except Exception as error:
        if file.fault and error is not file.fault:
            raise file.fault from error
        raise
    if file.fault:
        raise file.fault
