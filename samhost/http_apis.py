"""The HTTP APIs of a template, as API Gateway would get them.

SAM's own translator, which AWS and the engine run, writes the documents of APIs from what the template says: routes of
`Events`, authorizers, CORS. It gets a template reduced to what that takes.
"""

from dataclasses import dataclass
from typing import Any

from samhost.route_resources import with_routes
from samhost.sam_transform import transform
from samhost.template_file import HTTP_API

API, STAGE = "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"
FUNCTION, PERMISSION = "AWS::Serverless::Function", "AWS::Lambda::Permission"
_ANY_CODE = {"InlineCode": "-", "Handler": "-.-", "Runtime": "python3.13"}  # it is not looked at
_SECTIONS = ("Parameters", "Mappings", "Conditions")


@dataclass(frozen=True)
class HttpApi:
    """An API by its logical id, its OpenAPI document and its stage's properties; intrinsics are still in both."""

    name: str
    document: dict
    stage: dict
    condition: str | None = None


@dataclass(frozen=True)
class Translation:
    """What SAM makes of a template's HTTP APIs, the permissions to call functions and new conditions among it."""

    apis: list[HttpApi]
    refused: dict[str, str]  # logical id and reason
    permissions: dict[str, dict]
    conditions: dict[str, Any]


def translate(template: dict) -> Translation:
    """Translate the HTTP APIs of a template, of SAM's types and of CloudFormation's own.

    Raises TemplateError for what SAM refuses.
    """
    reduced = _reduced(template)
    if not reduced["Resources"]:  # which the translator would refuse
        return Translation([], {}, {}, {})
    translated = transform(reduced)
    resources = translated["Resources"]
    apis, refused = [], {}
    for name, resource in resources.items():
        if resource["Type"] != API:
            continue
        properties = resource["Properties"]
        body = properties.get("Body")
        if properties.get("ProtocolType") == "WEBSOCKET":
            refused[name] = "WebSocket APIs are not served"
        elif "BodyS3Location" in properties or (isinstance(body, dict) and "Fn::Transform" in body):
            refused[name] = "its OpenAPI document does not lie on this machine"
        else:
            document = with_routes(name, properties, body or {}, resources)
            apis.append(HttpApi(name, document, _stage(name, resources), resource.get("Condition")))
    permissions = {name: resource for name, resource in resources.items() if resource["Type"] == PERMISSION}
    return Translation(apis, refused, permissions, translated.get("Conditions", {}))


def _stage(api: str, resources: dict) -> dict:
    stages = (resource["Properties"] for resource in resources.values() if resource["Type"] == STAGE)
    return next((stage for stage in stages if stage.get("ApiId") == {"Ref": api}), {})


def _reduced(template: dict) -> dict:
    """The APIs, and functions with nothing but their routes."""
    shared = template.get("Globals", {})
    everywhere = shared.get("Function", {})
    resources = {}
    for name, resource in template["Resources"].items():
        kind, properties = resource["Type"], resource["Properties"]
        if kind == FUNCTION:
            routes = {key: event for key, event in properties.get("Events", {}).items() if event["Type"] == "HttpApi"}
            if not routes:
                continue
            kept = _ANY_CODE | _alias(everywhere) | _alias(properties) | {"Events": routes}
            resources[name] = {"Type": kind, "Properties": kept}
        elif kind == HTTP_API or kind.startswith("AWS::ApiGatewayV2::"):
            resources[name] = {"Type": kind, "Properties": properties}
        else:
            continue
        if "Condition" in resource:
            resources[name]["Condition"] = resource["Condition"]
    return {
        "Transform": "AWS::Serverless-2016-10-31",
        "Globals": {"HttpApi": shared.get("HttpApi", {})},
        "Resources": resources,
        **{section: template[section] for section in _SECTIONS if section in template},
    }


def _alias(properties: dict) -> dict:
    """The alias that routes lead to, where a function has one."""
    return {key: value for key, value in properties.items() if key == "AutoPublishAlias"}
