"""Images up and documents down, by the presigned links that the API gives: these carry their permission, no token."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import httpx

from docscan_cli.api import Upload
from docscan_cli.errors import InvalidInputError, ServerError, UnreachableError
from docscan_cli.files import InputFile
from docscan_cli.retry import TRANSIENT_STATUSES, retrying

_ANOTHER_DOCUMENT = {httpx.codes.PRECONDITION_FAILED, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE}
_LINK_REFUSED = {httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}


ANSWER_SECONDS = 35.0
STORED_PER_SECOND = 5_000_000
"""Bytes; what is waited for the storage's answer to an upload."""


class _WatchedFile(io.FileIO):
    """A file that reports how far it has been read."""

    def __init__(self, path: Path, on_position: Callable[[int], None]) -> None:
        super().__init__(path)
        self._on_position = on_position

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self._on_position(self.tell())
        return data


async def upload(client: httpx.AsyncClient, form: Upload, source: InputFile, on_sent: Callable[[int], None]) -> None:
    """Send a file as it is read; `on_sent` is told the bytes read for sending so far.

    To repeat it is safe: the form names one key, and the first version that arrives there counts.
    Raises InvalidInputError where the file cannot be read (any more), ServerError where the storage refuses it, and
    UnreachableError.
    """
    # The storage answers when it has stored everything, which takes longer the more there is.
    patience = {**client.timeout.as_dict(), "read": ANSWER_SECONDS + source.size / STORED_PER_SECOND}
    try:
        with _WatchedFile(source.path, on_sent) as file:
            response = await retrying(
                lambda: client.post(
                    form["url"],
                    data=form["fields"],
                    # Its name stays here. httpx reads the file from the start for each request.
                    files={"file": ("file", file, source.content_type)},
                    follow_redirects=True,
                    timeout=httpx.Timeout(**patience),
                )
            )
    except OSError as error:
        raise InvalidInputError(f"the file cannot be read: {error.strerror}") from error
    except httpx.LocalProtocolError as error:  # fewer or more bytes than the length that was announced
        raise InvalidInputError("the file changed while it was being uploaded") from error
    if not response.is_success:
        raise ServerError(f"the storage did not take the file ({_code(response)})")


class LinkRefusedError(ServerError):
    """The storage does not give what a link leads to: the link has expired, or the document is gone."""


async def download(
    client: httpx.AsyncClient,
    url: str,
    file: BinaryIO,
    *,
    etag: str = "",
    on_start: Callable[[str], None] = lambda _: None,
    on_received: Callable[[int], None] = lambda _: None,
) -> int:
    """Write what is at `url` to `file`; the number of bytes that it then has is returned.

    A connection that breaks is taken up where it broke (RFC 9110: `Range`, and `If-Match`, so that no two documents are
    mixed). In the same way it goes on with what `file` has up to its position, if that is of the document with the
    ETag `etag`. `on_start` is given the ETag whenever the file starts anew, `on_received` the bytes that it has.

    Raises LinkRefusedError or ServerError where the storage refuses, UnreachableError after several attempts without a
    single byte, and OSError where the disk is full.
    """

    async def receive() -> httpx.Response:
        nonlocal etag
        start = file.tell() if etag else 0
        headers = {"accept-encoding": "identity"}
        if start:
            headers |= {"range": f"bytes={start}-", "if-match": etag}
        async with client.stream("GET", url, headers=headers, follow_redirects=True) as response:
            if response.is_success:
                if not _continues(response, start):
                    file.seek(0)
                    file.truncate()
                    etag = response.headers.get("etag", "")
                    on_start(etag)
                async for part in response.aiter_bytes():
                    file.write(part)
                    on_received(file.tell())
            elif response.status_code not in TRANSIENT_STATUSES:
                await response.aread()
        if start and response.status_code in _ANOTHER_DOCUMENT:
            etag = ""
            return await receive()
        return response

    while True:
        before = file.tell()
        try:
            response = await retrying(receive)
            break
        except UnreachableError:
            if file.tell() <= before:
                raise
    if response.status_code in _LINK_REFUSED:
        raise LinkRefusedError(f"The document could not be fetched from the storage ({_code(response)}).")
    if not response.is_success:
        raise ServerError(f"The document could not be fetched from the storage ({_code(response)}).")
    return file.tell()


def _continues(response: httpx.Response, start: int) -> bool:
    """Whether an answer has what comes after the first `start` bytes; otherwise it has everything."""
    partial = response.status_code == httpx.codes.PARTIAL_CONTENT
    return partial and response.headers.get("content-range", "").startswith(f"bytes {start}-")


def _code(response: httpx.Response) -> str:
    """The storage's own name of an error, where it gives one (S3: `<Error><Code>…`)."""
    found = re.search(rb"<Code>(\w+)</Code>", response.content if response.is_stream_consumed else b"")
    return found[1].decode() if found else str(response.status_code)
