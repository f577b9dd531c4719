"""Mapping expressions: `$request.header.x`, `${context.stage}-${request.path.id}`, or text as it stands.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from samhost.gateway import context
from samhost.gateway.api_types import ApiType
from samhost.gateway.api_types.http_api import HTTP_API
from samhost.gateway.api_types.rest_api import REST_API
from samhost.gateway.errors import UnsupportedError
from samhost.gateway.exchange import Exchange
from samhost.gateway.mapping import json_path
from samhost.gateway.messages import Headers, Response

JSON_BYTES = 100 * 1024  # of a body, as far as JSON paths see it [doc]
RESERVED_HEADERS = {
    "authorization", "connection", "content-encoding", "content-length", "content-location", "forwarded",
    "keep-alive", "origin", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding",
    "upgrade", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
}  # fmt: skip
RESERVED_PREFIXES = ("access-control-", "apigw-", "x-amz-", "x-amzn-")
_COMPOSED = re.compile(r"\$\{([^{}]*)\}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Source:
    """What expressions read: an exchange, its request's body, and where responses are mapped the backend's answer."""

    def __init__(self, exchange: Exchange, body: bytes = b"", response: Response | None = None):
        self.exchange = exchange
        self.body = body if response is None else response.body
        self.response = response

    @cached_property
    def document(self) -> Any:
        """The body as JSON; raises NothingThereError where it is none.

        Of a larger body the first 100 KB are read [doc]; cut off there, it is no JSON any more [inf].
        """
        try:
            return json.loads(self.body[:JSON_BYTES], parse_float=_finite, parse_constant=_finite)
        except (ValueError, RecursionError):
            raise json_path.NothingThereError from None

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters of the query by name, decoded, several values joined by commas [doc]."""
        values: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.exchange.request.query, keep_blank_values=True):
            values.setdefault(name, []).append(value)
        return {name: ",".join(several) for name, several in values.items()}


type Reader = Callable[[Source], str | None]


@dataclass(frozen=True)
class Expression:
    """A mapping expression: pieces of text, and readers of what stands between them."""

    text: str
    parts: tuple[str | Reader, ...]

    @property
    def is_static(self) -> bool:
        """Whether it reads nothing."""
        return all(isinstance(part, str) for part in self.parts)

    @property
    def reads_body(self) -> bool:
        """Whether it reads a message's body."""
        return ".body" in self.text and not self.is_static

    def value(self, source: Source) -> str | None:
        """What it comes to; None where any part of it has no value.

        Bytes of a header or a whole body that are not UTF-8 are surrogates, as `surrogateescape` makes them.
        """
        if len(self.parts) == 1 and callable(self.parts[0]):
            return self.parts[0](source)
        values = [part if isinstance(part, str) else part(source) for part in self.parts]
        return None if None in values else "".join(value for value in values if value is not None)


def request_expression(text: str) -> Expression:
    """Read an expression that maps requests; raises UnsupportedError."""
    return _parse(text, _REQUEST)


def response_expression(text: str) -> Expression:
    """Read an expression that maps responses; raises UnsupportedError."""
    return _parse(text, _RESPONSE)


def method_request_expression(text: str) -> Expression:
    """Read the source of a REST API's parameter: `method.request.header.x`, `context.stage`, or `'text'`.

    Raises UnsupportedError. https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html
    """
    if len(text) > 1 and text[0] == text[-1] == "'":
        return Expression(text, (text[1:-1],))
    return Expression(text, (_reader(text, _METHOD_REQUEST),))


def identity_source(text: str) -> Expression:
    """Read an identity source of a Lambda authorizer, where no header is reserved; raises UnsupportedError.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
    """
    expression = _parse(text, _IDENTITY)
    if expression.is_static:
        raise UnsupportedError(f"the identity source {text}, which reads nothing of a request")
    return expression


def check_header(name: str) -> str:
    """A header's name in lower case; raises UnsupportedError for one that is reserved, or no name."""
    lower = name.lower()
    if lower in RESERVED_HEADERS or lower.startswith(RESERVED_PREFIXES):
        raise UnsupportedError(f"the header {name}, which is reserved")
    if not _HEADER_NAME.fullmatch(name):
        raise UnsupportedError(f"the header {name!r}, which is no header's name")
    return lower


def _parse(text: str, roots: "Roots") -> Expression:
    if text.startswith("$") and not text.startswith("${"):
        return Expression(text, (_reader(text[1:], roots),))
    pieces = _COMPOSED.split(text)  # text, name, text, name, …, text
    if any("${" in piece for piece in pieces[::2]):
        raise UnsupportedError(f"the mapping expression {text}: a ${{ has no end")
    parts = [_reader(piece, roots) if number % 2 else piece for number, piece in enumerate(pieces)]
    return Expression(text, tuple(part for part in parts if part != ""))


def _reader(name: str, roots: "Roots") -> Reader:
    for root, make in roots.items():
        rest = name.removeprefix(root)
        if rest != name and (not rest or rest[0] in ".["):
            return make(rest)
    sign = "" if roots is _METHOD_REQUEST else "$"
    known = ", ".join(f"{sign}{root}" for root in roots)
    raise UnsupportedError(f"the mapping expression {sign}{name}, which begins with none of {known}")


def _named(what: str, make: Callable[[str], Reader]) -> Callable[[str], Reader]:
    """A root that takes a name, as in `$request.header.name`."""

    def named(rest: str) -> Reader:
        if len(rest) < 2 or rest[0] != ".":
            raise UnsupportedError(f"the mapping expression ${what}{rest}: a name must follow")
        return make(rest[1:])

    return named


def _request_header(name: str) -> Reader:
    return _any_request_header(check_header(name))


def _any_request_header(name: str) -> Reader:
    lower = name.lower()
    return lambda source: _header_value(source.exchange.request.headers, lower)


def _response_header(name: str) -> Reader:
    lower = check_header(name)

    return lambda source: _header_value(source.response.headers if source.response else [], lower)


def _header_value(headers: Headers, name: str) -> str | None:
    """A header's values joined by commas [doc], read as UTF-8; other bytes are surrogates."""
    values = [value for key, value in headers if key == name]
    return ",".join(values).encode("latin-1").decode(errors="surrogateescape") if values else None


def _request_path(rest: str) -> Reader:
    if rest:
        name = rest[1:]
        return lambda source: source.exchange.path_parameters.get(name)
    return lambda source: source.exchange.path


def _context(api_type: ApiType) -> Callable[[str], Reader]:
    def read(name: str) -> Reader:
        if not context.is_known(name, api_type):
            # What API Gateway says to a name that it does not know is not documented [inf].
            raise UnsupportedError(f"the variable $context.{name}, which {api_type.name} APIs do not have")
        return lambda source: context.value(source.exchange, name)

    return read


def _last_header(name: str) -> Reader:
    lower = name.lower()
    return lambda source: _header_value(
        [pair for pair in source.exchange.request.headers if pair[0] == lower][-1:], lower
    )


def _last_in_query(name: str) -> Reader:
    return lambda source: dict(parse_qsl(source.exchange.request.query, keep_blank_values=True)).get(name)


def _body(rest: str) -> Reader:
    if not rest:
        return lambda source: source.body.decode(errors="surrogateescape") if source.body else None
    path = json_path.parse(rest)
    return lambda source: _selected(source, path)


def _selected(source: Source, path: json_path.Path) -> str | None:
    """What a JSON path leads to, as text: objects and lists as JSON, null as if it were not there [inf]."""
    try:
        value = json_path.select(source.document, path)
    except json_path.NothingThereError:
        return None
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # JSON can hold half a surrogate pair, which is no text.
    return None if any("\ud800" <= character <= "\udfff" for character in text) else text


def _finite(text: str) -> float:
    value = float(text)
    if value - value != 0:  # infinite, or not a number: not JSON, or not to be told as JSON
        raise ValueError(text)
    return value


type Roots = Mapping[str, Callable[[str], Reader]]
_STAGE_VARIABLES: Roots = {
    "stageVariables": _named(
        "stageVariables", lambda name: lambda source: source.exchange.api.stage_variables.get(name)
    ),
}
_ALWAYS: Roots = {"context": _named("context", _context(HTTP_API)), **_STAGE_VARIABLES}
_REQUEST: Roots = {
    "request.header": _named("request.header", _request_header),
    "request.querystring": _named("request.querystring", lambda name: lambda source: source.query.get(name)),
    "request.path": _request_path,
    "request.body": _body,
    **_ALWAYS,
}
# Of several values the last one counts [emu]; a header joins all of them where that is asked for.
_METHOD_REQUEST: Roots = {
    "method.request.path": _named(
        "method.request.path", lambda name: lambda source: source.exchange.path_parameters.get(name)
    ),
    "method.request.querystring": _named("method.request.querystring", _last_in_query),
    "method.request.header": _named("method.request.header", _last_header),
    "method.request.multivalueheader": _named("method.request.multivalueheader", _any_request_header),
    "method.request.body": _body,
    "context": _named("context", _context(REST_API)),
    **_STAGE_VARIABLES,
}
_IDENTITY: Roots = {
    "request.header": _named("request.header", _any_request_header),
    "request.querystring": _REQUEST["request.querystring"],
    **_ALWAYS,
}
_RESPONSE: Roots = {
    "response.header": _named("response.header", _response_header),
    "response.body": _body,
    **_ALWAYS,
}
