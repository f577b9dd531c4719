"""HTTP APIs that are written resource by resource: `AWS::ApiGatewayV2::Route`, `Integration` and `Authorizer`.

They say what an OpenAPI document says, in other words; here they become one.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGatewayV2.html
"""

import copy
from collections.abc import Iterator
from typing import Any

from samhost.errors import TemplateError
from samhost.template_file import references

_EXTENSION = "x-amazon-apigateway-"
_ANY, _DEFAULT = f"{_EXTENSION}any-method", "$default"
_NOTHING = {"Ref": "AWS::NoValue"}
# What is called otherwise in a document; all else only begins with a small letter there.
_INTEGRATION_NAMES = {
    "CredentialsArn": "credentials",
    "IntegrationMethod": "httpMethod",
    "IntegrationType": "type",
    "IntegrationUri": "uri",
}
_AUTHORIZER_NAMES = {"AuthorizerCredentialsArn": "authorizerCredentials", "AuthorizerType": "type"}


def with_routes(api: str, properties: dict, document: dict, resources: dict[str, dict]) -> dict:
    """An API's document with the routes that resources add to it; `properties` are the API's own.

    Raises TemplateError for a route that leads nowhere, or whose key is not known before it is deployed.
    """
    document = {"openapi": "3.0.1", "info": {"title": api, "version": "1"}, "paths": {}} | copy.deepcopy(document)
    if "CorsConfiguration" in properties:
        document[f"{_EXTENSION}cors"] = _renamed(properties["CorsConfiguration"], {})
    if "Target" in properties:  # the API in one resource: everything, or one route, to one function or URL
        _add(document, properties.get("RouteKey", _DEFAULT), _operation(_quick(properties["Target"]), []))
    for name, route in _of("Route", api, resources):
        said = route["Properties"]
        key = said.get("RouteKey")
        if not isinstance(key, str):
            raise TemplateError(f"{name}: a RouteKey that is not plain text is not hosted.")
        integration = _first("Integration", said.get("Target"), resources)
        if integration is None:
            raise TemplateError(f"{name}: its Target is no AWS::ApiGatewayV2::Integration of the template.")
        operation = _operation(_integration(resources[integration]["Properties"]), _security(document, said, resources))
        if said.get("AuthorizationType") == "AWS_IAM":
            operation[f"{_EXTENSION}auth"] = {"type": "AWS_IAM"}
        if "Condition" in route:
            operation = {"Fn::If": [route["Condition"], operation, _NOTHING]}
        _add(document, key, operation)
    return document


def _operation(integration: dict, security: list) -> dict:
    return {f"{_EXTENSION}integration": integration, "security": security}


def _add(document: dict, key: str, operation: dict) -> None:
    method, _, path = key.partition(" ")
    if key == _DEFAULT:
        method, path = "ANY", f"/{_DEFAULT}"
    document["paths"].setdefault(path, {})[_ANY if method == "ANY" else method.lower()] = operation


def _quick(target: Any) -> dict:
    """The integration behind the Target of an API, in payload format 2.0 [doc]: a URL, else a function."""
    is_url = isinstance(target, str) and target.startswith("http")
    kind = (
        {"type": "http_proxy", "httpMethod": "ANY"} if is_url else {"type": "aws_proxy", "payloadFormatVersion": "2.0"}
    )
    return kind | {"uri": target}


def _integration(properties: dict) -> dict:
    said = {key: value for key, value in properties.items() if key not in {"ApiId", "Description"}}
    integration: dict[str, Any] = {"payloadFormatVersion": "1.0"}  # the default [doc]
    integration |= _renamed(said, _INTEGRATION_NAMES)
    integration["type"] = str(integration.get("type")).lower()
    if "responseParameters" in integration:
        integration["responseParameters"] = {
            status: {item["Destination"]: item["Source"] for item in response["ResponseParameters"]}
            for status, response in integration["responseParameters"].items()
        }
    return integration


def _security(document: dict, route: dict, resources: dict) -> list[dict]:
    """A route's `security`; the authorizer gets a scheme under its logical id."""
    if route.get("AuthorizationType", "NONE") not in {"JWT", "CUSTOM"}:
        return []
    name = _first("Authorizer", route.get("AuthorizerId"), resources)
    if name is None:
        raise TemplateError(
            f"{route['RouteKey']}: its AuthorizerId is no AWS::ApiGatewayV2::Authorizer of the template."
        )
    said = {key: value for key, value in resources[name]["Properties"].items() if key not in {"ApiId", "Name"}}
    authorizer = _renamed(said, _AUTHORIZER_NAMES)
    authorizer["type"] = str(authorizer["type"]).lower()
    if "jwtConfiguration" in authorizer:
        authorizer["jwtConfiguration"] = _renamed(authorizer["jwtConfiguration"], {})
    if isinstance(sources := authorizer.get("identitySource"), list):
        authorizer["identitySource"] = ", ".join(sources)
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes[name] = {"type": "oauth2", f"{_EXTENSION}authorizer": authorizer}
    return [{name: route.get("AuthorizationScopes", [])}]


def _of(kind: str, api: str, resources: dict) -> Iterator[tuple[str, dict]]:
    for name, resource in resources.items():
        if resource["Type"] == f"AWS::ApiGatewayV2::{kind}" and api in references(resource["Properties"].get("ApiId")):
            yield name, resource


def _first(kind: str, node: Any, resources: dict) -> str | None:
    """The resource of a kind that a node refers to."""
    wanted = f"AWS::ApiGatewayV2::{kind}"
    return next((name for name in references(node) if resources.get(name, {}).get("Type") == wanted), None)


def _renamed(properties: dict, names: dict[str, str]) -> dict:
    return {names.get(key, key[0].lower() + key[1:]): value for key, value in properties.items()}
