"""Textract's JSON 1.1 protocol as an ASGI application.

One recognition at a time, in a thread of its own: the engine uses all of the machine's cores. Requests wait their turn,
up to a number of them; beyond it they are throttled. GET /health tells that the service is up, and with which engine.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from samhost.textract.blocks import detect_document_text_response
from samhost.textract.document import read_document
from samhost.textract.errors import (
    DocumentTooLargeError,
    InternalServerError,
    MissingAuthenticationError,
    TextractError,
    ThrottlingError,
    UnknownOperationError,
)
from samhost.textract.image import MAX_BYTES, open_image
from samhost.textract.layout import arrange
from samhost.textract.page import Engine, Page

type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]

# The largest document in base64, and the JSON around it.
_MAX_BODY = MAX_BYTES * 4 // 3 + 16 * 1024

_log = logging.getLogger(__name__)


class _DisconnectedError(Exception):
    """The client went away."""


class TextractApp:
    """The service over one engine; `capacity` requests, waiting or under way, are taken at a time."""

    def __init__(self, engine: Engine, capacity: int = 32) -> None:
        self._engine = engine
        self._capacity = capacity
        self._requests = 0
        self._recogniser = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ocr")

    def close(self) -> None:
        """Finish what is being recognised, and drop what waits."""
        self._recogniser.shutdown(cancel_futures=True)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        if (scope["method"], scope["path"]) == ("GET", "/health"):
            await _answer(send, 200, {"status": "ready", "engine": self._engine.name})
            return
        try:
            status, content = 200, await self._serve(scope, receive)
        except _DisconnectedError:
            return
        except TextractError as error:
            status, content = error.status, _error(error)
        except Exception:  # noqa: BLE001 (the outermost edge)
            _log.exception("request failed")
            error = InternalServerError("The service failed; its log tells why.")
            status, content = error.status, _error(error)
        await _answer(send, status, content)

    async def _serve(self, scope: Message, receive: Receive) -> Message:
        # Clients read no answer before they have sent everything, so the body is taken even if it is of no use.
        throttled = self._requests >= self._capacity
        self._requests += 1
        try:
            body = await _read_body(receive, 0 if throttled else _MAX_BODY)
            _check(scope)
            if throttled:
                raise ThrottlingError(f"{self._capacity} requests are waiting already. Try again.")
            if body is None:
                raise DocumentTooLargeError(f"The request is too large: documents have at most {MAX_BYTES:,} bytes.")
            document = await asyncio.to_thread(read_document, body)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._recogniser, self._detect_document_text, document)
        finally:
            self._requests -= 1

    def _detect_document_text(self, document: bytes) -> Message:
        started = time.perf_counter()
        image = open_image(document)
        page = Page(image.width, image.height, arrange(self._engine.read(image)))
        words = sum(len(line.words) for line in page.lines)
        seconds = time.perf_counter() - started
        _log.info("recognised %d x %d px, %d words, in %.2f s", page.width, page.height, words, seconds)
        return detect_document_text_response(page)


def _check(scope: Message) -> None:
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    target = headers.get(b"x-amz-target", "")
    if scope["method"] != "POST" or scope["path"] != "/" or target != "Textract.DetectDocumentText":
        what = target if target.startswith("Textract.") else "This"
        raise UnknownOperationError(
            f"{what} is not offered by the local Textract endpoint, only DetectDocumentText is."
        )
    # Only AWS knows the secret to check a signature with; that there is none, is an error here as there.
    if not headers.get(b"authorization", "").startswith("AWS4-HMAC-SHA256 "):
        raise MissingAuthenticationError("Request is missing Authentication Token")


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """Return the request's body, or None if it has more than `limit` bytes (of which none is kept)."""
    body = bytearray()
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _DisconnectedError
        size += len(chunk := message.get("body", b""))
        if size <= limit:
            body += chunk
        else:
            body.clear()
        if not message.get("more_body"):
            return bytes(body) if size <= limit else None


def _error(error: TextractError) -> Message:
    return {"__type": error.code, "Message": str(error)}


async def _answer(send: Send, status: int, content: Message) -> None:
    body = json.dumps(content, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/x-amz-json-1.1"),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", str(uuid4()).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
