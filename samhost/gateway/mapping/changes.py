"""What `requestParameters` and `responseParameters` change about requests and responses on their way.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode

from samhost.gateway.errors import BadRequestError, UnsupportedError
from samhost.gateway.mapping.expressions import (
    Expression,
    Source,
    check_header,
    method_request_expression,
    request_expression,
    response_expression,
)
from samhost.gateway.messages import HOP_BY_HOP, Headers, Request, Response

_KEY = re.compile(r"(?P<action>append|overwrite|remove):(?P<place>header|querystring)\.(?P<name>.+)", re.DOTALL)
_REST_KEY = re.compile(r"integration\.request\.(?P<place>header|querystring)\.(?P<name>[\w.$-]+)")
REST_PATH = "integration.request.path."
_NOT_MAPPED = HOP_BY_HOP | {"content-length", "host"}
_STATUS = re.compile(r"[2-5]\d\d")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True)
class Change:
    """One change: `append`, `overwrite` or `remove`, of what, and the value."""

    action: str
    place: str
    name: str
    expression: Expression

    def apply(self, pairs: Headers, value: str | None) -> Headers:
        """The pairs of name and value with the change made; without a value there is nothing to add [inf].

        To overwrite by no value is to remove: what the client has sent must not pass for what the gateway would say.
        """
        kept = pairs if self.action == "append" else [pair for pair in pairs if pair[0] != self.name]
        return kept if value is None or self.action == "remove" else [*kept, (self.name, value)]


@dataclass(frozen=True)
class RequestChanges:
    """What becomes of requests before an integration without a subtype gets them."""

    changes: tuple[Change, ...] = ()

    @classmethod
    def load(cls, parameters: Mapping[str, Any]) -> "RequestChanges":
        """Read `requestParameters`; raises UnsupportedError."""
        return cls(tuple(_change(key, value, "path", request_expression) for key, value in parameters.items()))

    @classmethod
    def load_rest(cls, parameters: Mapping[str, Any]) -> "RequestChanges":
        """Read a REST API's `requestParameters`, but for those of the path; raises UnsupportedError.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping.html
        """
        return cls(
            tuple(_rest_change(key, value) for key, value in parameters.items() if not key.startswith(REST_PATH))
        )

    @property
    def reads_body(self) -> bool:
        """Whether the request's body must be there."""
        return any(change.expression.reads_body for change in self.changes)

    @property
    def overwrites_path(self) -> bool:
        """Whether the request goes on to another path."""
        return any(change.place == "path" for change in self.changes)

    @cached_property
    def overwritten_headers(self) -> frozenset[str]:
        """The names of the headers whose values are the gateway's, whatever the client has sent."""
        return frozenset(
            change.name for change in self.changes if change.place == "header" and change.action == "overwrite"
        )

    def apply(self, source: Source) -> Request:
        """The request as it goes on.

        Raises BadRequestError for a header's value that HTTP does not allow [inf].
        """
        request = source.exchange.request
        headers, query, path = request.headers, request.query, request.path
        for change in self.changes:
            value = change.expression.value(source)
            if change.place == "header":
                text = None if value is None else _header_text(value)
                if value is not None and text is None:
                    raise BadRequestError(f"The value mapped to the header {change.name} has characters of control")
                headers = change.apply(headers, text)
            elif change.place == "querystring":
                query = urlencode(change.apply(parse_qsl(query, keep_blank_values=True), value), errors="replace")
            elif value is not None:
                path = value if value.startswith("/") else f"/{value}"
        return replace(request, headers=headers, query=query, path=path)


@dataclass(frozen=True)
class ResponseChanges:
    """What becomes of a backend's responses, by their status."""

    by_status: Mapping[int, tuple[Change, ...]] = field(default_factory=dict)

    @classmethod
    def load(cls, parameters: Mapping[str, Any]) -> "ResponseChanges":
        """Read `responseParameters`: changes by status, 200 to 599 [doc]; raises UnsupportedError."""
        by_status = {}
        for status, changes in parameters.items():
            if not _STATUS.fullmatch(str(status)) or not isinstance(changes, Mapping):
                raise UnsupportedError(f"responseParameters for {status} (200 to 599 is allowed, each with an object)")
            by_status[int(status)] = tuple(
                _change(key, value, "statuscode", response_expression) for key, value in changes.items()
            )
        return cls(by_status)

    def apply(self, source: Source, response: Response) -> Response:
        """The response as the client gets it; a value that its place does not allow changes nothing [inf]."""
        status, headers = response.status, response.headers
        for change in self.by_status.get(response.status, ()):
            value = change.expression.value(source)
            if change.place == "header":
                text = None if value is None else _header_text(value)
                headers = headers if text is None and change.action != "remove" else change.apply(headers, text)
            elif value is not None and _STATUS.fullmatch(value):
                status = int(value)
        return Response(status, headers, b"" if status in (204, 304) else response.body)


def _change(key: str, value: Any, whole: str, parse: Callable[[str], Expression]) -> Change:
    if not isinstance(value, str):
        raise UnsupportedError(f"the parameter {key}, whose value is not text")
    expression = parse(value)
    if key == f"overwrite:{whole}":
        if whole == "statuscode" and expression.is_static and not _STATUS.fullmatch(value):
            raise UnsupportedError(f"{key} {value} (200 to 599 is allowed)")
        return Change("overwrite", whole, whole, expression)
    parsed = _KEY.fullmatch(key)
    if parsed is None or (parsed["place"] == "querystring" and whole != "path"):
        places = "header.X, querystring.X" if whole == "path" else "header.X"
        raise UnsupportedError(f"the parameter {key}: append, overwrite or remove:{places}, or overwrite:{whole}")
    name = check_header(parsed["name"]) if parsed["place"] == "header" else parsed["name"]
    return Change(parsed["action"], parsed["place"], name, expression)


def _rest_change(key: str, value: Any) -> Change:
    parsed = _REST_KEY.fullmatch(key)
    if parsed is None or not isinstance(value, str):
        raise UnsupportedError(f"the parameter {key}: integration.request.path.X, .querystring.X or .header.X")
    name = parsed["name"].lower() if parsed["place"] == "header" else parsed["name"]
    if parsed["place"] == "header" and name in _NOT_MAPPED:
        raise UnsupportedError(f"the header {name}, which is not the document's to set")
    return Change("overwrite", parsed["place"], name, method_request_expression(value))


def _header_text(value: str) -> str | None:
    """A value as a header carries it: UTF-8, each byte a character; None where HTTP does not allow it."""
    try:
        return None if _CONTROL.search(value) else value.encode(errors="surrogateescape").decode("latin-1")
    except UnicodeEncodeError:  # half a surrogate pair, which a claim can hold
        return None
