"""The APIs of a template, as API Gateway would get them.

SAM's own translator, which AWS and the engine run, writes the documents of APIs from what the template says: routes of
`Events`, authorizers, CORS. It gets a template reduced to what that takes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from samhost.gateway.api_types.http_api import HTTP_API as HTTP
from samhost.gateway.api_types.rest_api import REST_API as REST
from samhost.route_resources import with_routes
from samhost.sam_transform import transform
from samhost.template_file import HTTP_API, REST_API, references

API, STAGE = "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"
PLAIN_REST_API, REST_STAGE, DEPLOYMENT = (f"AWS::ApiGateway::{kind}" for kind in ("RestApi", "Stage", "Deployment"))
EVENTS = {"HttpApi": HTTP_API, "Api": REST_API}  # a function's routes, and the type of API that they go to
FUNCTION, PERMISSION = "AWS::Serverless::Function", "AWS::Lambda::Permission"
_ANY_CODE = {"InlineCode": "-", "Handler": "-.-", "Runtime": "python3.13"}  # it is not looked at
_SECTIONS = ("Parameters", "Mappings", "Conditions")


@dataclass(frozen=True)
class TemplateApi:
    """An API on a stage: its logical id, its OpenAPI document, and the stage as the gateway's configuration has it.

    Intrinsics are still in both. A REST API is there once for each of its stages; `conditions` are its and the stage's.
    """

    name: str
    type: str
    document: dict
    stage: dict
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Translation:
    """What SAM makes of a template's APIs, the permissions to call functions and new conditions among it."""

    apis: list[TemplateApi]
    refused: dict[str, str]  # logical id and reason
    permissions: dict[str, dict]
    conditions: dict[str, Any]


def translate(template: dict) -> Translation:
    """Translate the HTTP APIs and the REST APIs of a template, of SAM's types and of CloudFormation's own.

    Raises TemplateError for what SAM refuses.
    """
    reduced = _reduced(template)
    if not reduced["Resources"]:  # which the translator would refuse
        return Translation([], {}, {}, {})
    translated = transform(reduced)
    resources = translated["Resources"]
    apis, refused = [], {}
    for name, resource in resources.items():
        if resource["Type"] not in (API, PLAIN_REST_API):
            continue
        if reason := _refusal(resource):
            refused[name] = reason
        elif resource["Type"] == API:
            document = with_routes(name, resource["Properties"], resource["Properties"].get("Body", {}), resources)
            apis.append(TemplateApi(name, HTTP.name, document, _stage(name, resources), _conditions(resource)))
        else:
            apis += _on_each_stage(name, resource, resources)
    permissions = {name: resource for name, resource in resources.items() if resource["Type"] == PERMISSION}
    return Translation(apis, refused, permissions, translated.get("Conditions", {}))


def _refusal(resource: dict) -> str | None:
    properties = resource["Properties"]
    body = properties.get("Body")
    if properties.get("ProtocolType") == "WEBSOCKET":
        return "WebSocket APIs are not served"
    if "BodyS3Location" in properties or (isinstance(body, dict) and "Fn::Transform" in body):
        return "its OpenAPI document does not lie on this machine"
    if resource["Type"] == PLAIN_REST_API and not body:
        return "a REST API whose methods are resources is not served: they would have to be in its Body"
    return None


def _conditions(*resources: dict) -> tuple[str, ...]:
    return tuple(dict.fromkeys(resource["Condition"] for resource in resources if "Condition" in resource))


def _stage(api: str, resources: dict) -> dict:
    """The stage of an HTTP API."""
    stages = (resource["Properties"] for resource in resources.values() if resource["Type"] == STAGE)
    said = next((stage for stage in stages if stage.get("ApiId") == {"Ref": api}), {})
    return {
        "name": said.get("StageName", "$default"),
        "variables": said.get("StageVariables", {}),
        # The lines go to the gateway's own log, wherever AccessLogSettings send them.
        "accessLogFormat": said.get("AccessLogSettings", {}).get("Format", ""),
        "defaultRouteSettings": said.get("DefaultRouteSettings", {}),
        "routeSettings": said.get("RouteSettings", {}),
    }


def _on_each_stage(name: str, api: dict, resources: dict) -> Iterator[TemplateApi]:
    """A REST API once for each of its stages, which are resources, or said by its deployments."""
    document = dict(api["Properties"]["Body"])
    if policy := api["Properties"].get("Policy"):
        document["x-amazon-apigateway-policy"] = policy
    for logical_id, resource in resources.items():
        said = resource["Properties"]
        if name not in references(said.get("RestApiId")):
            continue
        if resource["Type"] == DEPLOYMENT and "StageName" in said:
            # SAM's deployments make a stage called Stage, too, unless OpenApiVersion is set; nobody has asked for it.
            if logical_id.startswith(f"{name}Deployment") and said["StageName"] == "Stage":
                continue
            described = said.get("StageDescription", {})
            said = (described if isinstance(described, dict) else {}) | {"StageName": said["StageName"]}
        elif resource["Type"] != REST_STAGE:
            continue
        stage = {
            "name": said["StageName"],
            "variables": said.get("Variables", {}),
            "accessLogFormat": said.get("AccessLogSetting", {}).get("Format", ""),
            "methodSettings": said.get("MethodSettings", []),
        }
        yield TemplateApi(name, REST.name, document, stage, _conditions(api, resource))


def _reduced(template: dict) -> dict:
    """The APIs, and functions with nothing but their routes."""
    shared = template.get("Globals", {})
    everywhere = shared.get("Function", {})
    resources = {}
    for name, resource in template["Resources"].items():
        kind, properties = resource["Type"], resource["Properties"]
        if kind == FUNCTION:
            routes = {key: event for key, event in properties.get("Events", {}).items() if event["Type"] in EVENTS}
            if not routes:
                continue
            kept = _ANY_CODE | _alias(everywhere) | _alias(properties) | {"Events": routes}
            resources[name] = {"Type": kind, "Properties": kept}
        elif kind in (HTTP_API, REST_API) or kind.startswith(("AWS::ApiGatewayV2::", "AWS::ApiGateway::")):
            resources[name] = {"Type": kind, "Properties": properties}
        else:
            continue
        if "Condition" in resource:
            resources[name]["Condition"] = resource["Condition"]
    return {
        "Transform": "AWS::Serverless-2016-10-31",
        "Globals": {section: shared[section] for section in EVENTS if section in shared},
        "Resources": resources,
        **{section: template[section] for section in _SECTIONS if section in template},
    }


def _alias(properties: dict) -> dict:
    """The alias that routes lead to, where a function has one."""
    return {key: value for key, value in properties.items() if key == "AutoPublishAlias"}
