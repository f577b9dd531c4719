"""HTTP APIs: their errors, their headers, their own `$context` variables.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html
"""

import json
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from samhost.gateway.api_types import Wording
from samhost.gateway.errors import GatewayError
from samhost.gateway.exchange import Exchange
from samhost.gateway.messages import HOP_BY_HOP, Headers, Response

# Gateway response types as REST APIs name them; that HTTP APIs use the same ones is assumed [inf].
_RESPONSE_TYPES = {
    401: "UNAUTHORIZED", 403: "ACCESS_DENIED", 404: "RESOURCE_NOT_FOUND", 413: "REQUEST_TOO_LARGE", 429: "THROTTLED",
    503: "INTEGRATION_FAILURE",
}  # fmt: skip
# Not the client's to send on: the connection's own, and what this side says for itself.
_NOT_SENT = HOP_BY_HOP | {"content-length", "expect", "forwarded", "host", "via"}
_NOT_PASSED_BACK = HOP_BY_HOP | {"apigw-requestid", "content-length", "date"}
_VARIABLES: dict[str, Callable[[Exchange], object]] = {
    "extendedRequestId": lambda exchange: exchange.request_id,  # [doc]
    "requestTimeEpoch": lambda exchange: int(exchange.arrived),
    "routeKey": lambda exchange: exchange.route.key if exchange.route else None,
}


class HttpApiType:
    """What HTTP APIs do."""

    name = "HTTP"
    variables = MappingProxyType(_VARIABLES)
    absent_variables = frozenset[str]()

    def request_id(self, extended: str) -> str:
        """The extended id: both are the same [doc]."""
        return extended

    def wording(self, error: GatewayError) -> Wording:
        """The error's own words."""
        default = "DEFAULT_4XX" if error.status < 500 else "DEFAULT_5XX"
        return Wording(error.status, error.message, _RESPONSE_TYPES.get(error.status, default))

    def answer(self, error: GatewayError) -> Response:
        """An error as `{"message":…}`."""
        body = json.dumps({"message": error.message}, separators=(",", ":"), ensure_ascii=False).encode()
        return Response(error.status, [("content-type", "application/json"), *error.headers], body)

    def identification(self, exchange: Exchange) -> Headers:
        """`apigw-requestid`."""
        return [("apigw-requestid", exchange.request_id)]

    def to_backend(self, exchange: Exchange, overwritten: AbstractSet[str]) -> Headers:
        """The client's, with `forwarded` and `via` as backends see them [obs]; a client's own go before [inf].

        No `connection` of a client takes those away that are the gateway's own.
        """
        client = exchange.request
        dropped = _NOT_SENT
        if connection := client.header("connection"):
            dropped = _NOT_SENT | ({name.strip().lower() for name in connection.split(",")} - overwritten)
        forwarded = f"by={client.server_ip};for={client.source_ip};host={client.header('host') or ''};proto=https"
        via = "HTTP/1.1 AmazonAPIGateway"
        return [
            *[(name, value) for name, value in exchange.outgoing.headers if name not in dropped],
            ("forwarded", ", ".join(filter(None, (client.header("forwarded"), forwarded)))),
            ("via", ", ".join(filter(None, (client.header("via"), via)))),
        ]

    def from_backend(self, method: str, headers: Headers) -> Headers:
        """All but those of the backend's connection, and those that this side says for itself."""
        named = {part.strip().lower() for name, value in headers if name == "connection" for part in value.split(",")}
        dropped = _NOT_PASSED_BACK | named
        if method == "HEAD":  # says how long the body would be
            dropped -= {"content-length"}
        return [pair for pair in headers if pair[0] not in dropped]


HTTP_API = HttpApiType()
