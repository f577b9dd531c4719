"""Requests and responses as the gateway sees them, and who calls."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from samhost.gateway.errors import BadRequestError, BodyTooLargeError

Headers = list[tuple[str, str]]
Receive = Callable[[], Awaitable[Any]]
BODY_BYTES = 10 * 1024 * 1024  # payload quota [doc]
# Headers about one connection, which none but its two ends should see: RFC 9110, section 7.6.1.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}


@dataclass(frozen=True)
class Request:
    """A request as it arrived. Header names are lower case; `path` is percent-decoded, `query` is not."""

    method: str
    path: str
    query: str
    headers: Headers
    source_ip: str
    protocol: str
    head_size: int  # bytes of the request line and the headers
    receive: Receive
    server_ip: str = ""  # the gateway's, on this connection

    @classmethod
    def from_scope(cls, scope: Mapping[str, Any], receive: Receive) -> "Request":
        """Read an ASGI HTTP scope."""
        raw_path = scope.get("raw_path") or scope["path"].encode()
        query = scope["query_string"]
        protocol = f"HTTP/{scope['http_version']}"
        target = len(raw_path) + (1 + len(query) if query else 0)
        request_line = len(scope["method"]) + target + len(protocol) + 4  # two spaces, CRLF
        return cls(
            method=scope["method"],
            path=scope["path"],
            query=query.decode("latin-1"),
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
            source_ip=scope["client"][0] if scope.get("client") else "",
            protocol=protocol,
            head_size=request_line + sum(len(name) + len(value) + 4 for name, value in scope["headers"]),
            receive=receive,
            server_ip=scope["server"][0] if scope.get("server") else "",
        )

    def header(self, name: str) -> str | None:
        """A header's value, several joined by commas; `name` is lower case."""
        values = [value for key, value in self.headers if key == name]
        return ",".join(values) if values else None

    async def body(self) -> bytes:
        """Read the whole body, of which never more than the quota is kept.

        Raises BodyTooLargeError, and BadRequestError where the client leaves before it has sent everything.
        """
        if int(self.header("content-length") or 0) > BODY_BYTES:
            raise BodyTooLargeError
        body = bytearray()
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise BadRequestError("The client left before the whole body had arrived")
            body += message.get("body", b"")
            if len(body) > BODY_BYTES:
                raise BodyTooLargeError
            if not message.get("more_body"):
                return bytes(body)


@dataclass
class Response:
    """An answer; header names are lower case and may repeat."""

    status: int
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True)
class Caller:
    """Who calls: the claims of a verified token, and its scopes where the route asks for some.

    Or else what a Lambda authorizer says of them: `principal_id` where it answered a policy, and its `context`.
    """

    claims: dict[str, Any]
    scopes: list[str] | None
    is_by_function: bool = False
    principal_id: str | None = None
    context: dict[str, Any] | None = None
