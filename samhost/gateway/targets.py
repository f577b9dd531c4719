"""What a route leads to, as its document says: the settings of each kind of integration."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from samhost.gateway.connections import Origin
from samhost.gateway.errors import UnsupportedError
from samhost.gateway.mapping.expressions import Expression
from samhost.gateway.service_target import is_role_arn

PAYLOAD_FORMATS = ("2.0", "1.0")
REST_PAYLOAD = "REST"  # the one of REST APIs, which has no version
_URI = re.compile(
    r"(?:arn:[\w-]+:apigateway:[\w-]+:lambda:path/2015-03-31/functions/)?"
    r"(?P<function>arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?)"
    r"(?:/invocations)?"
)
HTTP_METHODS = {"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
_HTTP_URI = re.compile(r"https?://[^\s/?#{}@]+(?P<target>[/?][^\s#]*)?")
_SERVICE_ARN = re.compile(r"arn:[\w-]+:servicediscovery:(?P<region>[\w-]+):\d{12}:service/(?P<id>srv-\w+)")
_LISTENER_ARN = re.compile(r"arn:[\w-]+:elasticloadbalancing:[\w-]+:\d{12}:listener/[\w/-]+")
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
        payload_format = str(definition.get("payloadFormatVersion"))
        if payload_format not in PAYLOAD_FORMATS:
            raise UnsupportedError(
                f"payloadFormatVersion {payload_format} (one of {', '.join(PAYLOAD_FORMATS)} is required)"
            )
        return cls.load_format(definition, timeout, payload_format)

    @classmethod
    def load_format(cls, definition: Mapping[str, Any], timeout: float, payload_format: str) -> "LambdaTarget":
        """Read an integration in whose place something else says the format; raises UnsupportedError."""
        role = definition.get("credentials") or None
        if role and not is_role_arn(role):
            raise UnsupportedError(f"the credentials {role}, which are no role's ARN")
        return cls(function_arn(str(definition.get("uri"))), payload_format, timeout, role)


@dataclass(frozen=True)
class CloudMapService:
    """A Cloud Map service, and the attributes that its instances must have to be asked."""

    arn: str
    region: str
    id: str
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class HttpTarget:
    """The server behind a route, how it is asked, and how many seconds it may take."""

    backend: Origin | CloudMapService
    target: str | None  # path and query, with `{variable}` in them; None: the request's own path, the stage in it
    method: str  # `ANY` is the client's own
    timeout: float
    path_values: Mapping[str, Expression] = field(default_factory=dict)  # of variables that the path does not give
    host: str | None = None  # what the backend is called where it is a load balancer of a URL, and runs elsewhere
    type = "http_proxy"

    @classmethod
    def load(cls, definition: Mapping[str, Any], timeout: float, listeners: Mapping[str, Origin]) -> "HttpTarget":
        """Read an integration; `listeners` of load balancers are known by their ARNs. Raises UnsupportedError."""
        payload_format = str(definition.get("payloadFormatVersion", "1.0"))
        if payload_format != "1.0":
            raise UnsupportedError(f"payloadFormatVersion {payload_format} (http_proxy takes 1.0 only)")
        method, uri = http_method(definition), str(definition.get("uri"))
        if is_private(definition):
            return cls(_private_backend(uri, listeners), None, method, timeout)
        origin, target = parsed_url(uri)
        return cls(origin, target, method, timeout)

    @property
    def variables(self) -> set[str]:
        """The path variables that the path or the query name."""
        return set(_PATH_VARIABLE.findall(self.target or ""))

    def filled(self, values: Mapping[str, str]) -> str | None:
        """The path and query with values, percent-encoded, for all variables."""
        return self.target and _PATH_VARIABLE.sub(lambda variable: values[variable[1]], self.target)


def http_method(definition: Mapping[str, Any]) -> str:
    """The method that an integration asks by; raises UnsupportedError where it names none."""
    method = str(definition.get("httpMethod", "")).upper()
    if method not in HTTP_METHODS:
        raise UnsupportedError(f"an http_proxy integration with the httpMethod {method or 'missing'}")
    return method


def is_private(definition: Mapping[str, Any]) -> bool:
    """Whether an integration leads through a VPC link; raises UnsupportedError where it says so by halves.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-private.html
    """
    connection = str(definition.get("connectionType", "INTERNET")).upper()
    if connection not in ("INTERNET", "VPC_LINK"):
        raise UnsupportedError(f"connectionType {connection} (INTERNET or VPC_LINK is allowed)")
    if definition.get("tlsConfig"):
        raise UnsupportedError("tlsConfig (TLS to a private integration)")
    if (connection == "VPC_LINK") != bool(definition.get("connectionId")):
        raise UnsupportedError(
            f"connectionType {connection} {'without' if connection == 'VPC_LINK' else 'with'} a "
            "connectionId, the VPC link"
        )
    return connection == "VPC_LINK"


def _private_backend(uri: str, listeners: Mapping[str, Origin]) -> CloudMapService | Origin:
    arn, question, query = uri.partition("?")
    if service := _SERVICE_ARN.fullmatch(arn):
        attributes = tuple(parse_qsl(query, keep_blank_values=True))
        return CloudMapService(arn, service["region"], service["id"], attributes)
    if question or not _LISTENER_ARN.fullmatch(arn):
        raise UnsupportedError(f"a private integration's uri that is no Cloud Map service's or listener's ARN: {uri}")
    if arn not in listeners:
        raise UnsupportedError(f"{arn}, which is the listener of no load balancer that runs here")
    return listeners[arn]


def parsed_url(uri: str) -> tuple[Origin, str]:
    """A URL's origin, and its path and query; raises UnsupportedError for what is none."""
    parsed, origin = _HTTP_URI.fullmatch(uri), None
    if parsed and uri.isascii():
        with contextlib.suppress(ValueError):  # a port or an address that is none
            parts = urlsplit(uri)
            is_tls = parts.scheme == "https"
            origin = Origin(parts.hostname or "", parts.port or (443 if is_tls else 80), is_tls)
    if not parsed or not origin or not origin.host:
        raise UnsupportedError(f"an integration uri that is no http or https URL: {uri}")
    target = parsed["target"] or "/"
    return origin, target if target.startswith("/") else f"/{target}"


@dataclass(frozen=True)
class NotEmulatedTarget:
    """Why a route is refused."""

    reason: str
    type = "not_emulated"
