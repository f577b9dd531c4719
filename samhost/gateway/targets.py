"""What a route leads to, as its document says: the settings of each kind of integration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from samhost.gateway.errors import UnsupportedError
from samhost.gateway.mapping.expressions import Expression
from samhost.gateway.service_target import is_role_arn

PAYLOAD_FORMATS = ("2.0", "1.0")
_URI = re.compile(
    r"(?:arn:[\w-]+:apigateway:[\w-]+:lambda:path/2015-03-31/functions/)?"
    r"(?P<function>arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?)"
    r"(?:/invocations)?"
)
HTTP_METHODS = {"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
_HTTP_URI = re.compile(r"https?://[^\s/?#{}]+(?:[/?][^\s#]*)?")
_PATH_VARIABLE = re.compile(r"\{([^{}+]+)\+?\}")  # a greedy one with its plus or without [doc]
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")


def with_stage_variables(uri: str, values: Mapping[str, str]) -> str:
    """A URI with `${stageVariables.name}` replaced; raises UnsupportedError for one that the stage does not set.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
    """
    for name in _STAGE_VARIABLE.findall(uri):
        if name not in values:
            raise UnsupportedError(f"the stage variable {name}, which the stage does not set")
    return _STAGE_VARIABLE.sub(lambda variable: values[variable[1]], uri)


def function_arn(uri: str) -> str:
    """The ARN in a URI that invokes a function; raises UnsupportedError for another."""
    parsed = _URI.fullmatch(uri)
    if parsed is None:
        raise UnsupportedError(f"an integration uri that is not a Lambda function's: {uri}")
    return parsed["function"]


@dataclass(frozen=True)
class LambdaTarget:
    """The function behind a route, the format of its payloads, and how many seconds it may take."""

    function: str  # an ARN, with a version or alias where the document names one
    payload_format: str
    timeout: float
    role: str | None = None  # as which it is invoked; None: its resource policy decides
    type = "aws_proxy"

    @classmethod
    def load(cls, definition: Mapping[str, Any], timeout: float) -> "LambdaTarget":
        """Read an integration; raises UnsupportedError."""
        role = definition.get("credentials") or None
        if role and not is_role_arn(role):
            raise UnsupportedError(f"the credentials {role}, which are no role's ARN")
        payload_format = str(definition.get("payloadFormatVersion"))
        if payload_format not in PAYLOAD_FORMATS:
            raise UnsupportedError(
                f"payloadFormatVersion {payload_format} (one of {', '.join(PAYLOAD_FORMATS)} is required)"
            )
        return cls(function_arn(str(definition.get("uri"))), payload_format, timeout, role)


@dataclass(frozen=True)
class HttpTarget:
    """The URL behind a route, with `{variable}` in its path or query, and how many seconds it may take."""

    uri: str
    method: str  # `ANY` is the client's own
    timeout: float
    path_values: Mapping[str, Expression] = field(default_factory=dict)  # of variables that the path does not give
    type = "http_proxy"

    @classmethod
    def load(
        cls, definition: Mapping[str, Any], timeout: float, path_values: Mapping[str, Expression] | None = None
    ) -> "HttpTarget":
        """Read an integration; raises UnsupportedError."""
        payload_format = str(definition.get("payloadFormatVersion", "1.0"))
        if payload_format != "1.0":
            raise UnsupportedError(f"payloadFormatVersion {payload_format} (http_proxy takes 1.0 only)")
        method = str(definition.get("httpMethod", "")).upper()
        if method not in HTTP_METHODS:
            raise UnsupportedError(f"an http_proxy integration with the httpMethod {method or 'missing'}")
        uri = str(definition.get("uri"))
        if not _HTTP_URI.fullmatch(uri):
            raise UnsupportedError(f"an integration uri that is no http or https URL: {uri}")
        return cls(uri, method, timeout, path_values or {})

    @property
    def variables(self) -> set[str]:
        """The path variables that the URI names."""
        return set(_PATH_VARIABLE.findall(self.uri))

    def filled(self, values: Mapping[str, str]) -> str:
        """The URI with values, percent-encoded, for all of its variables."""
        return _PATH_VARIABLE.sub(lambda variable: values[variable[1]], self.uri)


@dataclass(frozen=True)
class NotEmulatedTarget:
    """Why a route is refused."""

    reason: str
    type = "not_emulated"
