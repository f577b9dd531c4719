"""Cross-origin requests: what `x-amazon-apigateway-cors` allows, told to browsers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samhost.gateway.errors import ConfigurationError
from samhost.gateway.messages import Headers, Request

_PREFIX = "access-control-"


@dataclass(frozen=True)
class Cors:
    """An API's CORS configuration. Origins are exact, or `*`, `https://*`, `http://*` [doc]."""

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: int | None = None
    credentials: bool = False

    @classmethod
    def load(cls, definition: Mapping[str, Any]) -> "Cors":
        """Read the extension; a list may also be one comma-separated string, as a list parameter resolves to.

        Raises ConfigurationError for what API Gateway refuses.
        """
        cors = cls(
            origins=_strings(definition.get("allowOrigins")),
            methods=_strings(definition.get("allowMethods")),
            headers=_strings(definition.get("allowHeaders")),
            exposed=_strings(definition.get("exposeHeaders")),
            max_age=int(definition["maxAge"]) if "maxAge" in definition else None,
            credentials=str(definition.get("allowCredentials", False)).lower() == "true",
        )
        if cors.credentials and "*" in cors.origins:
            raise ConfigurationError("x-amazon-apigateway-cors: allowCredentials is not supported with the origin *")
        return cors

    def answer_headers(self, request: Request) -> Headers:
        """What an answer tells the browser; errors carry it too [obs].

        An origin that is not allowed gets none of these headers; what AWS sends it is not documented [inf].
        """
        allowed = self._allowed(request.header("origin"))
        if allowed is None:
            return []
        headers = [("access-control-allow-origin", allowed)]
        if self.credentials:
            headers.append(("access-control-allow-credentials", "true"))
        if not is_preflight(request):
            return [*headers, *_list_header("access-control-expose-headers", self.exposed)]
        headers += _list_header("access-control-allow-methods", self.methods)
        headers += _list_header("access-control-allow-headers", self.headers)
        if self.max_age is not None:
            headers.append(("access-control-max-age", str(self.max_age)))
        return headers

    def _allowed(self, origin: str | None) -> str | None:
        if origin is None:
            return None
        if "*" in self.origins:
            return "*"
        scheme = origin.partition("://")[0]
        return origin if origin in self.origins or f"{scheme}://*" in self.origins else None


def is_preflight(request: Request) -> bool:
    """Whether a browser asks what it may send: OPTIONS with `Origin` and `Access-Control-Request-Method` [doc]."""
    return (
        request.method == "OPTIONS"
        and request.header("origin") is not None
        and request.header("access-control-request-method") is not None
    )


def without_cors(headers: Headers) -> Headers:
    """Headers without a backend's CORS headers, which the gateway ignores where CORS is configured [doc]."""
    return [(name, value) for name, value in headers if not name.startswith(_PREFIX)]


def _strings(value: Any) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value or ()
    return tuple(str(item).strip() for item in items)


def _list_header(name: str, values: tuple[str, ...]) -> Headers:
    return [(name, ",".join(values))] if values else []
