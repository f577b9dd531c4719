"""HTTP/1.1 to one server, over connections that are kept: as little as calls to the engine need.

A general client takes more than twice the time for such a call, and every request to the gateway makes one.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import httptools


@dataclass(frozen=True)
class Reply:
    """A server's answer; the names of headers are lower case, and the last of several with the same name counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """Connections to a host and port: as many as there are requests at once, each used again by later ones."""

    def __init__(self, host: str, port: int):
        self._host = host
        self._port = port
        self._idle: list[_Connection] = []

    async def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Send a request and wait for its answer; one that fails is not sent again, for it may have had its effect.

        The headers name the host. Raises ConnectionError where there is no connection, or it ends before the answer
        does, or the answer is not HTTP.
        """
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join((*lines, f"content-length: {len(body)}", "", "")).encode("latin-1")
        connection = await self._connection()
        try:
            reply = await connection.exchange(head + body)
        except BaseException:  # cancelled, too: what still comes is no answer to the next request
            connection.close()
            raise
        if connection.is_open:
            self._idle.append(connection)
        return reply

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    async def _connection(self) -> "_Connection":
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        try:
            _, connection = await asyncio.get_running_loop().create_connection(_Connection, self._host, self._port)
        except OSError as error:
            raise ConnectionError(f"{self._host}:{self._port} cannot be reached: {type(error).__name__}") from error
        return connection


class _Connection(asyncio.Protocol):
    """One connection, for one request at a time."""

    def __init__(self) -> None:
        self.is_open = False
        self._answer: asyncio.Future[Reply] | None = None

    async def exchange(self, request: bytes) -> Reply:
        self._answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        self.is_open = False
        self._transport.abort()

    # What asyncio calls:

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.close()  # nobody has asked for it
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.close()
            self._fail(f"What came is no HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._fail(f"The connection ended before the answer did: {type(exc).__name__ if exc else 'closed'}")

    # What httptools calls:

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.is_open = self.is_open and self._parser.should_keep_alive()
        if self._answer and not self._answer.done():
            self._answer.set_result(Reply(self._parser.get_status_code(), self._headers, bytes(self._body)))

    def _fail(self, why: str) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionError(why))
