"""Loads a REST API, on one of its stages, from its OpenAPI document: what is served, and what is refused and why.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from samhost.gateway.api_types.rest_api import REST_API
from samhost.gateway.authorizer_settings import CognitoSettings
from samhost.gateway.connections import Origin
from samhost.gateway.document import (
    EXTENSION,
    METHODS,
    NOT_SERVED,
    Api,
    access_log_format,
    as_object,
    local_address,
    resolved,
    stage_variables,
)
from samhost.gateway.errors import ConfigurationError, UnsupportedError
from samhost.gateway.mapping.changes import REST_PATH, RequestChanges
from samhost.gateway.mapping.expressions import method_request_expression
from samhost.gateway.routing import ANY, ResourceRouter, Route
from samhost.gateway.targets import (
    REST_PAYLOAD,
    HttpTarget,
    LambdaTarget,
    NotEmulatedTarget,
    http_method,
    is_private,
    parsed_url,
    with_stage_variables,
)
from samhost.gateway.throttling import Limits, load_limits

RESOURCES = 300  # quota [doc]
LONGEST_TIMEOUT = 29_000  # milliseconds, unless a quota is raised [doc]
_STAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_DECLARED = re.compile(r"method\.request\.(?:multivalue)?(path|querystring|header)\.(.+)")
_NOBODY = "NONE"  # SAM's name for no authorizer
_PLACES = {"query": "querystring"}
# What stands in a document and changes who may call, or what is answered; nothing here acts on it yet.
_NOT_EMULATED = {
    f"{EXTENSION}policy": "resource policies",
    f"{EXTENSION}gateway-responses": "gateway responses",
    f"{EXTENSION}request-validator": "the validation of requests",
}


@dataclass(frozen=True)
class _OnStage:
    """What an API's integrations mean on a stage: the stage's variables, and the load balancers that are there."""

    variables: Mapping[str, str]
    by_name: Mapping[tuple[str, int], Origin]  # listeners by DNS name and port
    by_arn: Mapping[tuple[str, int], Origin]  # listeners by the load balancer's ARN and port


def load_rest(
    definition: Mapping[str, Any], region: str, account_id: str, load_balancers: Iterable[Mapping[str, Any]] = ()
) -> Api:
    """Load one entry of the configuration's `apis`, a REST API on one stage; `load_balancers` are the configuration's.

    Raises ConfigurationError where API Gateway would not import the document as a whole.
    """
    document, stage = definition["document"], definition["stage"]
    stage_name = str(stage.get("name", ""))
    name = f"{definition['name']}/{stage_name}"
    if not str(document.get("openapi")).startswith("3.0") and str(document.get("swagger")) != "2.0":
        raise ConfigurationError(f"{name}: REST APIs take OpenAPI 3.0 and Swagger 2.0 only")
    if not _STAGE_NAME.fullmatch(stage_name):
        raise ConfigurationError(f"{name}: a stage's name has letters, digits, hyphens and underscores, 128 at most")
    variables = stage_variables(name, stage)
    listeners = [(each, int(each["port"]), local_address(each)) for each in load_balancers]
    on_stage = _OnStage(
        variables,
        {(each["dnsName"].lower(), port): address for each, port, address in listeners},
        {(each["loadBalancer"], port): address for each, port, address in listeners},
    )
    try:
        routes = list(_routes(document, on_stage))
    except UnsupportedError as error:
        raise ConfigurationError(f"{name}: {error}") from error
    if len(document.get("paths", {})) > RESOURCES:
        raise ConfigurationError(f"{name}: more than {RESOURCES} resources")
    return Api(
        name=name,
        api_id=definition["apiId"],
        region=region,
        account_id=account_id,
        stage=stage_name,
        routes=routes,
        router=ResourceRouter(routes),
        type=REST_API,
        stage_variables=variables,
        limits=_limits(name, stage.get("methodSettings") or [], routes),
        access_log_format=access_log_format(name, stage),
    )


def _routes(document: Mapping[str, Any], on_stage: _OnStage) -> Iterator[Route]:
    for path, item in document.get("paths", {}).items():
        item = as_object(resolved(document, item), path)
        for key, operation in item.items():
            if key == f"{EXTENSION}any-method" or key in METHODS:
                method = key.upper() if key in METHODS else ANY
                yield _route(document, on_stage, path.rstrip("/") or "/", method, item, operation)


def _route(
    document: Mapping[str, Any],
    on_stage: _OnStage,
    path: str,
    method: str,
    item: Mapping[str, Any],
    operation: Mapping[str, Any],
) -> Route:
    operation = as_object(operation, f"{method} {path}")
    try:
        _refuse_what_nothing_acts_on(document, operation)
        authorizer, scopes = _security(document, operation)
        integration = as_object(
            resolved(document, operation.get(f"{EXTENSION}integration")) or {}, f"the integration of {method} {path}"
        )
        parameters = as_object(integration.get("requestParameters") or {}, "requestParameters")
        _check_declared(parameters, _declared(document, item) | _declared(document, operation))
        return Route(
            method=method,
            path=path,
            target=_target(integration, parameters, on_stage),
            authorizer=authorizer,
            scopes=scopes,
            request_changes=RequestChanges.load_rest(parameters),
        )
    except UnsupportedError as error:
        return Route(method=method, path=path, target=NotEmulatedTarget(str(error)))


def _refuse_what_nothing_acts_on(document: Mapping[str, Any], operation: Mapping[str, Any]) -> None:
    for key, what in _NOT_EMULATED.items():
        if document.get(key) or operation.get(key):
            raise UnsupportedError(f"{key} ({what})")


def _security(
    document: Mapping[str, Any], operation: Mapping[str, Any]
) -> tuple[CognitoSettings | None, tuple[str, ...]]:
    """Who may call: the operation's `security`. A document's own means nothing in REST APIs [doc]."""
    kind = as_object(operation.get(f"{EXTENSION}auth") or {}, f"{EXTENSION}auth").get("type", "NONE")
    if str(kind).upper() != "NONE":
        raise UnsupportedError(f"{EXTENSION}auth ({kind})")
    requirements = operation.get("security") or []
    schemes = document.get("components", {}).get("securitySchemes", {}) | document.get("securityDefinitions", {})
    if not requirements or (requirements == [{_NOBODY: []}] and _NOBODY not in schemes):
        return None, ()
    if len(requirements) != 1 or len(requirements[0]) != 1:
        raise UnsupportedError("security that is not exactly one scheme")
    [(name, scopes)] = requirements[0].items()
    scheme = as_object(resolved(document, schemes.get(name)) or {}, f"the security scheme {name}")
    authorizer = as_object(scheme.get(f"{EXTENSION}authorizer") or {}, f"the authorizer of {name}")
    if NOT_SERVED in authorizer:
        raise UnsupportedError(authorizer[NOT_SERVED])
    if str(authorizer.get("type")).lower() != CognitoSettings.type:
        raise UnsupportedError(f"the security scheme {name}: of REST APIs' authorizers only {CognitoSettings.type}")
    return CognitoSettings.load(scheme, authorizer), tuple(scopes)


def _declared(document: Mapping[str, Any], node: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The parameters that a path or an operation declares, as place and name."""
    found = set()
    for listed in node.get("parameters") or []:
        parameter = as_object(resolved(document, listed), "a parameter")
        place, name = str(parameter.get("in")), str(parameter.get("name"))
        found.add((_PLACES.get(place, place), name.lower() if place == "header" else name))
    return found


def _check_declared(parameters: Mapping[str, Any], declared: set[tuple[str, str]]) -> None:
    """Raise UnsupportedError for a source that the operation does not declare, which AWS refuses [doc]."""
    for value in parameters.values():
        source = _DECLARED.fullmatch(str(value))
        if source and (source[1], source[2].lower() if source[1] == "header" else source[2]) not in declared:
            raise UnsupportedError(f"{value}, which the operation's parameters do not declare: AWS would refuse it")


def _target(
    integration: Mapping[str, Any], parameters: Mapping[str, Any], on_stage: _OnStage
) -> HttpTarget | LambdaTarget:
    if not integration:
        raise UnsupportedError("a method without an integration")
    if NOT_SERVED in integration:
        raise UnsupportedError(integration[NOT_SERVED])
    kind = str(integration.get("type")).lower()
    if kind not in (HttpTarget.type, LambdaTarget.type):
        raise UnsupportedError(f"the integration type {kind}")
    if integration.get("requestTemplates"):
        raise UnsupportedError("requestTemplates (mapping templates)")
    timeout = str(integration.get("timeoutInMillis", LONGEST_TIMEOUT))
    if not timeout.isdecimal() or not 50 <= int(timeout) <= LONGEST_TIMEOUT:
        raise UnsupportedError(f"timeoutInMillis {timeout} (50 to {LONGEST_TIMEOUT} is allowed)")
    path_values = {
        key.removeprefix(REST_PATH): method_request_expression(str(value))
        for key, value in parameters.items()
        if key.startswith(REST_PATH)
    }
    integration = {
        key: with_stage_variables(value, on_stage.variables) if isinstance(value, str) else value
        for key, value in integration.items()
    }
    if kind == LambdaTarget.type:
        if is_private(integration):
            raise UnsupportedError(f"connectionType VPC_LINK with the integration type {kind}: http_proxy has it")
        return LambdaTarget.load_format(integration, int(timeout) / 1000, REST_PAYLOAD)
    backend, path, host = _backend(integration, on_stage)
    target = HttpTarget(backend, path, http_method(integration), int(timeout) / 1000, path_values, host)
    if unmapped := target.variables - path_values.keys():
        name = min(unmapped)
        raise UnsupportedError(f"the variable {name} in the integration's uri without {REST_PATH}{name}")
    return target


def _backend(integration: Mapping[str, Any], on_stage: _OnStage) -> tuple[Origin, str, str | None]:
    """The server behind an integration, the path and query there, and its name where it is a load balancer.

    Through a VPC link of the first version requests get to the load balancer whose name is in the `uri`; on AWS to that
    of the link, by whatever name. Through one of the second they get to the `integrationTarget`, a load balancer; a
    listener's ARN is refused there [obs]. The guide says that the path begins with the stage then; what people have
    seen, and what its own examples make sense with, is the path of the `uri` [obs].
    https://docs.aws.amazon.com/apigateway/latest/developerguide/private-integration.html
    """
    origin, path = parsed_url(str(integration.get("uri")))
    by_name = on_stage.by_name.get((origin.host, origin.port))
    if not is_private(integration):
        return (by_name, path, origin.authority) if by_name else (origin, path, None)
    if origin.is_tls:
        raise UnsupportedError("https through a VPC link (there is no TLS on the loopback interface)")
    if target := integration.get("integrationTarget"):
        backend = on_stage.by_arn.get((str(target), origin.port))
        if backend is None:
            raise UnsupportedError(
                f"the integrationTarget {target}, which is no load balancer that listens here on port {origin.port}"
            )
        return backend, path, origin.authority
    if by_name is None:
        raise UnsupportedError(f"{origin.authority} through a VPC link, which is no load balancer that runs here")
    return by_name, path, origin.authority


def _limits(name: str, settings: list[Mapping[str, Any]], routes: list[Route]) -> dict[str, Limits]:
    """The limits of each route by a stage's MethodSettings: a method's own stand in for those of all methods."""
    default, by_route = {}, {}
    for setting in settings:
        path, method = _unescaped(str(setting.get("ResourcePath", "/*"))), str(setting.get("HttpMethod", "*"))
        if path == "/*":
            default = setting
            continue
        keys = [route.key for route in routes if route.path == path and method in ("*", route.method)]
        by_route |= dict.fromkeys(keys or [f"{method} {path}"], setting)
    try:
        return load_limits(default, by_route, [route.key for route in routes])
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error}") from error


def _unescaped(path: str) -> str:
    """A ResourcePath, in which `~1` may stand for each slash but the first [doc]."""
    return "/" + path.removeprefix("/").replace("~1", "/").removeprefix("/")
