"""Loads an HTTP API from its OpenAPI document: what is served, and what is refused for which reason.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from samhost.gateway.api_types import ApiType
from samhost.gateway.api_types.http_api import HTTP_API
from samhost.gateway.authorizer_settings import JwtSettings, LambdaAuthorizerSettings
from samhost.gateway.connections import Origin
from samhost.gateway.cors import Cors
from samhost.gateway.errors import ConfigurationError, UnsupportedError
from samhost.gateway.mapping.changes import RequestChanges, ResponseChanges
from samhost.gateway.routing import ANY, DEFAULT, Route, Router, path_variables
from samhost.gateway.service_target import ServiceTarget
from samhost.gateway.targets import HttpTarget, LambdaTarget, NotEmulatedTarget, is_private, with_stage_variables
from samhost.gateway.throttling import Limits, load_limits

ROUTES, AUTHORIZERS, SCOPES_A_ROUTE, STAGE_VARIABLES = 300, 10, 10, 100  # quotas [doc]
LOG_FORMAT_BYTES = 3 * 1024  # quota [doc]
_VARIABLE_NAME, _VARIABLE_VALUE = re.compile(r"\w{1,64}"), re.compile(r"[A-Za-z0-9-._~:/?#&=,]{1,512}")
METHODS = {"get", "put", "post", "delete", "options", "head", "patch"}
EXTENSION = "x-amazon-apigateway-"
NOT_SERVED = "x-samhost-not-served"  # in the place of an integration or an authorizer: why it is not there
_NOBODY = "NONE"  # SAM's name for no authorizer on a route of an API that has a default one; no scheme has it


@dataclass(frozen=True)
class Api:
    """An API as it is served: one document, deployed to one stage."""

    name: str
    api_id: str
    region: str
    account_id: str
    stage: str
    routes: list[Route]
    router: Router = field(repr=False)
    type: ApiType = HTTP_API
    cors: Cors | None = None
    stage_variables: dict[str, str] = field(default_factory=dict)
    limits: dict[str, Limits] = field(default_factory=dict)  # by route key
    access_log_format: str = ""  # on one line

    @property
    def refused(self) -> list[tuple[str, str]]:
        """The routes that answer 501: route key and reason."""
        return [
            (route.key, route.target.reason) for route in self.routes if isinstance(route.target, NotEmulatedTarget)
        ]


def load(
    definition: Mapping[str, Any], region: str, account_id: str, load_balancers: Iterable[Mapping[str, Any]] = ()
) -> Api:
    """Load one entry of the configuration's `apis`, an HTTP API; `load_balancers` are the configuration's, too.

    Raises ConfigurationError where API Gateway would not import the document as a whole.
    """
    name, document, stage = definition["name"], definition["document"], definition["stage"]
    if not str(document.get("openapi")).startswith("3.0"):
        raise ConfigurationError(f"{name}: HTTP APIs take OpenAPI 3.0 only, not {document.get('openapi')}")
    variables = stage_variables(name, stage)
    try:
        routes = list(_routes(document, variables, {each["listener"]: local_address(each) for each in load_balancers}))
    except UnsupportedError as error:
        raise ConfigurationError(f"{name}: {error}") from error
    cors = document.get(f"{EXTENSION}cors")
    _check_quotas(name, document, routes)
    return Api(
        name=name,
        api_id=definition["apiId"],
        region=region,
        account_id=account_id,
        stage=stage.get("name", DEFAULT),
        routes=routes,
        router=Router(routes),
        cors=Cors.load(cors) if cors else None,
        stage_variables=variables,
        limits=_limits(name, stage, routes),
        access_log_format=access_log_format(name, stage),
    )


def stage_variables(name: str, stage: Mapping[str, Any]) -> dict[str, str]:
    """A stage's variables; raises ConfigurationError for those that AWS refuses."""
    variables = {key: str(value) for key, value in (stage.get("variables") or {}).items()}
    if len(variables) > STAGE_VARIABLES:
        raise ConfigurationError(f"{name}: more than {STAGE_VARIABLES} stage variables")
    for key, value in variables.items():
        if not _VARIABLE_NAME.fullmatch(key) or not _VARIABLE_VALUE.fullmatch(value):
            raise ConfigurationError(f"{name}: the stage variable {key} has characters or a length that AWS refuses")
    return variables


def access_log_format(name: str, stage: Mapping[str, Any]) -> str:
    """A stage's format of access logs, on one line; raises ConfigurationError for one that is too long."""
    log_format = " ".join(str(stage.get("accessLogFormat") or "").splitlines())
    if len(log_format.encode()) > LOG_FORMAT_BYTES:
        raise ConfigurationError(f"{name}: the access log's format has more than {LOG_FORMAT_BYTES} bytes")
    return log_format


def local_address(load_balancer: Mapping[str, Any]) -> Origin:
    """Where on this machine a load balancer's listener is."""
    host, _, port = load_balancer["address"].rpartition(":")
    return Origin(host, int(port))


def _limits(name: str, stage: Mapping[str, Any], routes: list[Route]) -> dict[str, Limits]:
    default, by_route = stage.get("defaultRouteSettings") or {}, stage.get("routeSettings") or {}
    try:
        return load_limits(default, by_route, [route.key for route in routes])
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error}") from error


def _check_quotas(name: str, document: Mapping[str, Any], routes: list[Route]) -> None:
    if len(routes) > ROUTES:
        raise ConfigurationError(f"{name}: more than {ROUTES} routes")
    if sum(f"{EXTENSION}authorizer" in scheme for scheme in _schemes(document).values()) > AUTHORIZERS:
        raise ConfigurationError(f"{name}: more than {AUTHORIZERS} authorizers")


def _routes(
    document: Mapping[str, Any], variables: Mapping[str, str], listeners: Mapping[str, Origin]
) -> Iterator[Route]:
    for path, item in document.get("paths", {}).items():
        for key, operation in as_object(resolved(document, item), path).items():
            if key == f"{EXTENSION}any-method" or key in METHODS:
                method = ANY if key not in METHODS else key.upper()
                yield _route(document, variables, listeners, path, method, operation)
            elif key == "trace":
                yield Route(method="TRACE", path=path, target=NotEmulatedTarget("TRACE, which HTTP APIs do not route"))


def _route(
    document: Mapping[str, Any],
    variables: Mapping[str, str],
    listeners: Mapping[str, Origin],
    path: str,
    method: str,
    operation: Mapping[str, Any],
) -> Route:
    operation = as_object(operation, f"{method} {path}")
    path = DEFAULT if operation.get("isDefaultRoute") or path == f"/{DEFAULT}" else path
    try:
        authorizer, scopes = _security(document, variables, operation)
        integration = resolved(document, operation.get(f"{EXTENSION}integration")) or {}
        return Route(
            method=method,
            path=path,
            target=_target(integration, path, variables, listeners),
            authorizer=authorizer,
            scopes=scopes,
            request_changes=RequestChanges.load(_request_changes(integration)),
            response_changes=ResponseChanges.load(integration.get("responseParameters") or {}),
        )
    except UnsupportedError as error:
        return Route(method=method, path=path, target=NotEmulatedTarget(str(error)))


def _target(
    integration: Mapping[str, Any], path: str, variables: Mapping[str, str], listeners: Mapping[str, Origin]
) -> LambdaTarget | HttpTarget | ServiceTarget:
    if not integration:
        raise UnsupportedError("a route without an integration")
    if NOT_SERVED in integration:
        raise UnsupportedError(integration[NOT_SERVED])
    kind = str(integration.get("type")).lower()
    if kind not in (LambdaTarget.type, HttpTarget.type):
        raise UnsupportedError(f"the integration type {kind}")
    if is_private(integration) and kind != HttpTarget.type:
        raise UnsupportedError(f"connectionType VPC_LINK with the integration type {kind}: http_proxy has it")
    timeout = str(integration.get("timeoutInMillis", 30_000))
    if not timeout.isdecimal() or not 50 <= int(timeout) <= 30_000:
        raise UnsupportedError(f"timeoutInMillis {timeout} (50 to 30000 is allowed)")
    if "integrationSubtype" in integration:
        if kind != "aws_proxy":
            raise UnsupportedError(f"the integration type {kind} with an integrationSubtype, which aws_proxy has")
        return ServiceTarget.load(integration, int(timeout) / 1000)
    definition = {**integration, "uri": with_stage_variables(str(integration.get("uri")), variables)}
    if kind == LambdaTarget.type:
        return LambdaTarget.load(definition, int(timeout) / 1000)
    target = HttpTarget.load(definition, int(timeout) / 1000, listeners)
    if unbound := target.variables - path_variables(path):
        raise UnsupportedError(f"the variable {min(unbound)} in the integration's uri, which the path does not have")
    return target


def _request_changes(integration: Mapping[str, Any]) -> Mapping[str, Any]:
    """`requestParameters`, but where an integration has a subtype: there they are the service's parameters [doc]."""
    return {} if "integrationSubtype" in integration else integration.get("requestParameters") or {}


def _security(
    document: Mapping[str, Any], variables: Mapping[str, str], operation: Mapping[str, Any]
) -> tuple[JwtSettings | LambdaAuthorizerSettings | None, tuple[str, ...]]:
    """Who may call: the operation's `security`, else the document's; an empty list opens a route."""
    if f"{EXTENSION}auth" in operation:
        raise UnsupportedError("x-amazon-apigateway-auth (IAM authorization)")
    requirements = operation.get("security")
    if requirements is None:
        requirements = document.get("security") or []
    if not requirements:
        return None, ()
    if len(requirements) != 1 or len(requirements[0]) != 1:
        raise UnsupportedError("security that is not exactly one scheme, which is all that HTTP APIs take")
    [(name, scopes)] = requirements[0].items()
    if name == _NOBODY and name not in _schemes(document):
        return None, ()
    if len(scopes) > SCOPES_A_ROUTE:
        raise UnsupportedError(f"more than {SCOPES_A_ROUTE} scopes, the quota")
    authorizer = (resolved(document, _schemes(document).get(name)) or {}).get(f"{EXTENSION}authorizer")
    if authorizer is None:
        raise UnsupportedError(f"the security scheme {name}, which has no {EXTENSION}authorizer")
    if NOT_SERVED in authorizer:
        raise UnsupportedError(authorizer[NOT_SERVED])
    kind = str(authorizer.get("type")).lower()
    if kind == JwtSettings.type:
        return JwtSettings.load(authorizer), tuple(scopes)
    if kind != LambdaAuthorizerSettings.type:
        raise UnsupportedError(f"the authorizer type {kind}")
    if scopes:
        raise UnsupportedError(f"scopes for {name}, a Lambda authorizer: only JWT authorizers look at them")
    uri = with_stage_variables(str(authorizer.get("authorizerUri")), variables)
    return LambdaAuthorizerSettings.load(name, authorizer, uri), ()


def _schemes(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return document.get("components", {}).get("securitySchemes", {})


def as_object(node: Any, where: str) -> Mapping[str, Any]:
    """A node of a document that must be an object; raises UnsupportedError."""
    if not isinstance(node, Mapping):
        raise UnsupportedError(f"{where} is not an object")
    return node


def resolved(document: Mapping[str, Any], node: Any) -> Any:
    """What a node stands for: itself, or what its `$ref` points at in the same document; raises UnsupportedError."""
    if not isinstance(node, Mapping) or "$ref" not in node:
        return node
    target: Any = document
    for part in str(node["$ref"]).removeprefix("#/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(target, Mapping) or key not in target:
            raise UnsupportedError(f"the reference {node['$ref']}, which points at nothing in the document")
        target = target[key]
    return target
