"""Images up and documents down, by the presigned links that the API gives: these carry their permission, no token."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import httpx

from docscan_cli.api import Upload
from docscan_cli.errors import InvalidInputError, ServerError
from docscan_cli.files import InputFile
from docscan_cli.retry import TRANSIENT_STATUSES, retrying


class _WatchedFile(io.FileIO):
    """A file that reports how far it has been read."""

    def __init__(self, path: Path, on_position: Callable[[int], None]) -> None:
        super().__init__(path)
        self._on_position = on_position

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self._on_position(self.tell())
        return data


async def upload(client: httpx.AsyncClient, form: Upload, image: InputFile, on_sent: Callable[[int], None]) -> None:
    """Send an image; `on_sent` is told the bytes read for sending so far.

    To repeat it is safe: the form names one key, and the first version that arrives there is the page's image.
    Raises InvalidInputError where the file cannot be read (any more), ServerError where the storage refuses it, and
    UnreachableError.
    """
    try:
        with _WatchedFile(image.path, on_sent) as file:
            response = await retrying(
                lambda: client.post(
                    form["url"],
                    data=form["fields"],
                    # Its name is no part of the page. httpx reads the file from the start for each request.
                    files={"file": ("page", file, image.content_type)},
                    follow_redirects=True,
                )
            )
    except OSError as error:
        raise InvalidInputError(f"the file cannot be read: {error.strerror}") from error
    except httpx.LocalProtocolError as error:  # fewer or more bytes than the length that was announced
        raise InvalidInputError("the file changed while it was being uploaded") from error
    if not response.is_success:
        raise ServerError(f"the storage did not take the image ({_code(response)})")


async def download(client: httpx.AsyncClient, url: str, file: BinaryIO) -> int:
    """Write what is at `url` to `file`, part by part; the number of bytes is returned.

    Raises ServerError where the storage refuses, UnreachableError, and OSError where the disk is full.
    """

    async def receive() -> httpx.Response:
        async with client.stream("GET", url, follow_redirects=True) as response:
            if response.is_success:
                file.seek(0)
                file.truncate()
                async for part in response.aiter_bytes():
                    file.write(part)
            elif response.status_code not in TRANSIENT_STATUSES:
                await response.aread()
            return response

    response = await retrying(receive)
    if not response.is_success:
        raise ServerError(f"The document could not be fetched from the storage ({_code(response)}).")
    return file.tell()


def _code(response: httpx.Response) -> str:
    """The storage's own name of an error, where it gives one (S3: `<Error><Code>…`)."""
    found = re.search(rb"<Code>(\w+)</Code>", response.content if response.is_stream_consumed else b"")
    return found[1].decode() if found else str(response.status_code)
