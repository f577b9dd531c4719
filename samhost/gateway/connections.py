"""HTTP/1.1 over connections that are kept: as little of it as calls to the engine and to backends need.

A general client takes more than twice the time for such a call, and every request to the gateway makes one.
"""

import asyncio
import math
import ssl
from collections import deque
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple, cast

import httptools

from samhost.gateway.messages import Headers, Response

# How long a connection that nobody uses is good for another request. Servers close theirs after 5 s (Node.js) or later;
# whoever sends just then does not get to know whether the request was taken.
KEEP_SECONDS = 4
HEAD_BYTES = 64 * 1024  # of an answer's status line and headers
_ANNOUNCES_BODY = {"PATCH", "POST", "PUT"}  # by a length of 0, too: RFC 9110, section 8.6


class UnreachableError(ConnectionError):
    """There is no connection, so nothing was sent."""


class NoAnswerError(ConnectionError):
    """The connection ended before an answer began: nobody knows whether the request has had its effect."""


class BadAnswerError(ConnectionError):
    """What came is no HTTP, ends in its middle, or is too large."""


class Origin(NamedTuple):
    """Where a server is: RFC 9110, section 4.3.1."""

    host: str
    port: int
    is_tls: bool = False

    @property
    def authority(self) -> str:
        """What a request's `host` says: the port only where it is not the scheme's."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


class Client:
    """Sends requests to any server; there is one for all that the process sends, so that connections are used again."""

    def __init__(self, most_bytes: int):
        """Refuse answers with a longer body."""
        self._most_bytes = most_bytes
        self._servers: dict[Origin, Connections] = {}

    async def send(self, origin: Origin, method: str, target: str, headers: Headers, body: bytes) -> Response:
        """Send a request and wait for its answer, as `Connections.send` does."""
        connections = self._servers.get(origin)
        if connections is None:
            self._forget_unused()
            connections = self._servers[origin] = Connections(origin, self._most_bytes)
        return await connections.send(method, target, headers, body)

    def _forget_unused(self) -> None:
        """Forget the servers without a connection: each task of a service has a port of its own."""
        for origin in [origin for origin, connections in self._servers.items() if connections.is_unused]:
            del self._servers[origin]

    def close(self) -> None:
        """Close the connections that nobody uses."""
        for connections in self._servers.values():
            connections.close()


class Connections:
    """Connections to one server: as many as there are requests at once, each used again by later ones."""

    def __init__(self, origin: Origin, most_bytes: float = math.inf):
        """Connect to this server; answers with a longer body are refused."""
        self._origin = origin
        self._most_bytes = most_bytes
        self._under_way = 0
        self._idle: deque[_Connection] = deque()  # those that have been for the longest time come first

    async def send(self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> Response:
        """Send a request and wait for its answer; one that fails is not sent again, for it may have had its effect.

        The headers name the host; they and `target` are Latin-1, each character a byte.
        Raises UnreachableError, NoAnswerError and BadAnswerError.
        """
        lines = [f"{method} {target} HTTP/1.1", *[f"{name}: {value}" for name, value in headers]]
        if body or method in _ANNOUNCES_BODY:
            lines.append(f"content-length: {len(body)}")
        request = "\r\n".join((*lines, "", "")).encode("latin-1") + body
        self._under_way += 1
        try:
            connection = self._idle_connection() or await self._connect()
            try:
                answer = await connection.exchange(request, is_head=method == "HEAD")
            except BaseException:  # cancelled, too: what still comes is no answer to the next request
                connection.close()
                raise
        finally:
            self._under_way -= 1
        if not connection.is_open:  # nothing more can be sent, but the server may hold it yet
            connection.close()
        else:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
            self._close_idle_since_before(connection.idle_since - KEEP_SECONDS)
        return answer

    @property
    def is_unused(self) -> bool:
        """Whether no connection is kept, and no request is under way."""
        self._close_idle_since_before(asyncio.get_running_loop().time() - KEEP_SECONDS)
        return not self._idle and not self._under_way

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._close_idle_since_before(math.inf)

    def _idle_connection(self) -> "_Connection | None":
        self._close_idle_since_before(asyncio.get_running_loop().time() - KEEP_SECONDS)
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        return None

    def _close_idle_since_before(self, moment: float) -> None:
        while self._idle and self._idle[0].idle_since < moment:
            self._idle.popleft().close()

    async def _connect(self) -> "_Connection":
        host, port, is_tls = self._origin
        tls = _tls() if is_tls else None
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self._most_bytes), host, port, ssl=tls
            )
        except (OSError, UnicodeError) as error:  # the latter: a name that is none in the DNS
            raise UnreachableError(f"{host}:{port} cannot be reached: {type(error).__name__}") from error
        return connection


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Connection(asyncio.Protocol):
    """One connection, for one request at a time."""

    idle_since: float

    def __init__(self, most_bytes: float) -> None:
        self.is_open = False
        self._most_bytes = most_bytes
        self._answer: asyncio.Future[Response] | None = None

    async def exchange(self, request: bytes, *, is_head: bool) -> Response:
        self._answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._is_head = is_head
        self._headers: Headers = []
        self._head_is_there = False
        self._body = bytearray()
        self._received = 0
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
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._refuse(f"is no HTTP: {type(error).__name__}")
            return
        if not self._head_is_there and self._received > HEAD_BYTES:
            self._refuse(f"has more than {HEAD_BYTES} bytes of headers")

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if not self._answer or self._answer.done():
            return
        how = type(exc).__name__ if exc else "closed"
        if not self._received:
            self._answer.set_exception(NoAnswerError(f"the connection ended before an answer began: {how}"))
        elif exc is None and self._ends_with_connection():
            self._succeed()
        else:
            self._refuse(f"ends in its middle: {how}")

    # What httptools calls:

    def on_message_begin(self) -> None:
        if self._head_is_there:  # one answer more than there were requests
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        if self._parser.get_status_code() < 200:  # an announcement (RFC 9110, section 15.2): the answer is yet to come
            self._headers = []
            return
        self._head_is_there = True
        if self._is_head:  # which the parser does not know: it would wait for a body
            self.on_message_complete()

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > self._most_bytes:
            self._refuse(f"has more than {self._most_bytes} bytes")

    def on_message_complete(self) -> None:
        if self._head_is_there and self._answer and not self._answer.done():
            self.is_open = self.is_open and self._parser.should_keep_alive()
            self._succeed()

    def _succeed(self) -> None:
        if self._answer:
            self._answer.set_result(Response(self._parser.get_status_code(), self._headers, bytes(self._body)))
            self._headers = []

    def _refuse(self, why: str) -> None:
        """Fail, whatever the parser has made of it, and send no other request here."""
        self.close()
        if self._answer and not self._answer.done():
            self._answer.set_exception(BadAnswerError(f"the answer {why}"))

    def _ends_with_connection(self) -> bool:
        """Whether nothing but the end of the connection says where the body ends: RFC 9112, section 6.3."""
        return self._head_is_there and not any(
            name in ("content-length", "transfer-encoding") for name, _ in self._headers
        )
