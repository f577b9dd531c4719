"""Derives the local template from the built one: the same resources, less what the engine does not emulate.

HTTP APIs are taken out of the template, for the engine ignores their OpenAPI bodies; the gateway serves them. The
intrinsic functions in their documents become outputs of the stack, so that CloudFormation itself resolves them.
State machines' definitions are taken into the template.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from samhost.build import load_template
from samhost.errors import TemplateError
from samhost.settings import machine_architecture

OUTPUT_PREFIX = "Samhost"

# Resource types that MiniStack 1.5.33 does not know, and would refuse the whole template for; found by deploying each.
NOT_EMULATED = {
    "AWS::ApiGatewayV2::VpcLink": "the engine has no VPC links",
    "AWS::ApplicationAutoScaling::ScalableTarget": "the engine does not scale",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "the engine does not scale",
    "AWS::CloudWatch::CompositeAlarm": "the engine has no composite alarms",
    "AWS::Cognito::ManagedLoginBranding": "the engine's login pages have no style",
    "AWS::Cognito::UserPoolUser": "the engine creates users by its API only",
    "AWS::EC2::EIP": "the engine has no addresses",
    "AWS::EC2::NatGateway": "the engine has no network",
    "AWS::EC2::NetworkAcl": "the engine has no network",
    "AWS::EC2::SecurityGroupIngress": "the engine has no network",
    "AWS::Events::ApiDestination": "the engine calls no API destinations",
    "AWS::Events::Archive": "the engine archives no events",
    "AWS::WAFv2::WebACLAssociation": "the engine has no firewall",
}

# Properties of HTTP APIs that are acted on, or that change nothing in what is served.
API_HOSTED = {
    "AccessLogSettings",
    "DefaultRouteSettings",
    "DefinitionBody",
    "DefinitionUri",
    "Description",
    "FailOnWarnings",
    "Name",
    "PropagateTags",
    "RouteSettings",
    "StageName",
    "StageVariables",
    "Tags",
}
# SAM writes these into the document when it transforms the template: unseen here, they would leave routes open.
API_REFUSED = {"Auth", "CorsConfiguration"}
OTHER_APIS = {"AWS::Serverless::Api", "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"}
API_NOT_EMULATED = {
    "Domain": "there are no custom domains",
}

# Properties of other resources that the engine takes, and does not act on.
NOT_ACTED_ON = {
    ("AWS::AppConfig::ConfigurationProfile", "Validators"): "the engine deploys any configuration",
    ("AWS::Events::Rule", "Targets.DeadLetterConfig"): "the engine delivers an event once",
    ("AWS::Events::Rule", "Targets.RetryPolicy"): "the engine delivers an event once",
}


@dataclass(frozen=True)
class LeftOut:
    """A resource, a property of one, or an output that is not there, or does nothing, locally."""

    name: str
    type: str
    reason: str


@dataclass(frozen=True)
class Api:
    """An HTTP API as the template declares it; intrinsics are placeholders until `resolve`."""

    name: str
    api_id: object
    document: object
    stage: object


@dataclass
class LocalTemplate:
    """What is deployed, what the gateway serves, and what is missing."""

    template: dict
    apis: list[Api] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def derive(built: Path) -> LocalTemplate:
    """Derive the local template from a built one.

    Raises TemplateError where an API's document cannot be read.
    """
    local = LocalTemplate(load_template(built))
    _take_out_what_is_not_emulated(local)
    _take_out_demands_for_tls(local)
    outputs: dict[str, dict] = {}
    list_parameters = {
        name for name, parameter in local.template.get("Parameters", {}).items() if "List" in parameter.get("Type", "")
    }
    for name, resource in local.template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::HttpApi":
            local.apis.append(_take_api(name, properties, built.parent, outputs, list_parameters))
            local.left_out += [
                LeftOut(f"{name}.{key}", resource["Type"], reason)
                for key in properties
                if (reason := API_NOT_EMULATED.get(key, "nothing here acts on it")) and key not in API_HOSTED
            ]
        elif resource["Type"] == "AWS::Serverless::StateMachine":
            _take_in_definition(name, properties, built.parent)
        elif resource["Type"] in OTHER_APIS:
            local.left_out.append(LeftOut(name, resource["Type"], "its routes are not served"))
        elif resource["Type"] == "AWS::Serverless::Function":
            properties["Architectures"] = [machine_architecture()]  # what `sam build` just built for
            local.left_out += [
                LeftOut(f"{name}.{event}", source["Type"], "only routes in OpenAPI documents are served")
                for event, source in properties.get("Events", {}).items()
                if source["Type"] in {"Api", "HttpApi"}
            ]
        local.left_out += [
            LeftOut(f"{name}.{path}", kind, reason)
            for (kind, path), reason in NOT_ACTED_ON.items()
            if kind == resource["Type"] and _has(properties, path.split("."))
        ]
    local.template.setdefault("Outputs", {}).update(outputs)
    return local


def resolve(node: object, outputs: dict[str, str]) -> object:
    """A copy of an API's document (or a part of it) with each placeholder replaced by the output it stands for."""
    if isinstance(node, dict):
        if "Samhost::Output" in node:
            value = outputs[node["Samhost::Output"]]
            return value.split(",") if node.get("list") else value
        return {key: resolve(value, outputs) for key, value in node.items()}
    if isinstance(node, list):
        return [resolve(item, outputs) for item in node]
    return node


def _has(node: object, path: list[str]) -> bool:
    """Whether a property is there; that of a list is there if one of the items has it."""
    if isinstance(node, list):
        return any(_has(item, path) for item in node)
    return not path or (isinstance(node, dict) and path[0] in node and _has(node[path[0]], path[1:]))


def _take_out_what_is_not_emulated(local: LocalTemplate) -> None:
    resources, outputs = local.template["Resources"], local.template.get("Outputs", {})
    gone: set[str] = set()
    for name, resource in list(resources.items()):
        if reason := NOT_EMULATED.get(resource.get("Type")):
            local.left_out.append(LeftOut(name, resource["Type"], reason))
            gone.add(name)
            del resources[name]
    while True:
        orphans = [
            (name, section)
            for section in (resources, outputs)
            for name, node in section.items()
            if gone.intersection(_references({key: value for key, value in node.items() if key != "DependsOn"}))
        ]
        for name, section in orphans:
            node = section.pop(name)
            local.left_out.append(LeftOut(name, node.get("Type", "output"), "it refers to what is left out"))
            if section is resources:
                gone.add(name)
        if not orphans:
            break
    for resource in resources.values():
        depends_on = resource.get("DependsOn", [])
        remaining = [name for name in ([depends_on] if isinstance(depends_on, str) else depends_on) if name not in gone]
        if depends_on:
            resource["DependsOn"] = remaining


def _take_out_demands_for_tls(local: LocalTemplate) -> None:
    """Take out policy statements that deny what comes without TLS: on the loopback interface everything does."""
    for name, resource in list(local.template["Resources"].items()):
        document = resource.get("Properties", {}).get("PolicyDocument")
        if not isinstance(document, dict) or not isinstance(document.get("Statement"), list):
            continue
        kept = [statement for statement in document["Statement"] if not _demands_tls(statement)]
        if len(kept) == len(document["Statement"]):
            continue
        document["Statement"] = kept
        if not kept:
            del local.template["Resources"][name]
        local.left_out.append(LeftOut(name, resource["Type"], "there is no TLS on the loopback interface"))


def _demands_tls(statement: dict) -> bool:
    condition = statement.get("Condition")
    return statement.get("Effect") == "Deny" and str(condition).lower() == "{'bool': {'aws:securetransport': false}}"


def _references(node: object) -> Iterator[str]:
    """The logical ids that intrinsic functions below a node refer to."""
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value.split(".")[0] if isinstance(value, str) else value[0]
            elif key == "Fn::Sub":
                text = value if isinstance(value, str) else value[0]
                yield from (name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", text))
                yield from _references(value)
            else:
                yield from _references(value)


def _take_api(name: str, properties: dict, folder: Path, outputs: dict[str, dict], list_parameters: set[str]) -> Api:
    for key in API_REFUSED & properties.keys():
        raise TemplateError(f"{name}: {key} is not hosted. Say it in the OpenAPI document, as AWS::Include asks, too.")
    body = properties.pop("DefinitionBody", None)
    location = properties.pop("DefinitionUri", None)
    if isinstance(body, dict) and "Fn::Transform" in body:
        location = body["Fn::Transform"]["Parameters"]["Location"]
        body = None
    if isinstance(location, str):
        body = _load_document(name, "OpenAPI document", folder / location)
    if not isinstance(body, dict):
        raise TemplateError(
            f"{name}: only HTTP APIs with an OpenAPI document (DefinitionBody or DefinitionUri) are hosted."
        )
    title = body.get("info", {}).get("title", name)
    properties["DefinitionBody"] = {"openapi": "3.0.1", "info": {"title": title, "version": "1"}, "paths": {}}

    def later(node: object) -> object:
        if isinstance(node, list):
            return [later(item) for item in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1 and (key := next(iter(node))) and (key == "Ref" or key.startswith("Fn::")):
            is_list = node.get("Ref") in list_parameters or key == "Fn::Split"
            value = {"Fn::Join": [",", node]} if is_list else node
            output = next((known for known, other in outputs.items() if other["Value"] == value), None)
            if output is None:
                output = f"{OUTPUT_PREFIX}{len(outputs)}"
                outputs[output] = {"Value": value}
            return {"Samhost::Output": output, "list": is_list}
        return {key: later(value) for key, value in node.items()}

    stage = {
        "name": properties.get("StageName", "$default"),
        "variables": properties.get("StageVariables", {}),
        # The lines go to the gateway's own log, wherever AccessLogSettings send them.
        "accessLogFormat": properties.pop("AccessLogSettings", {}).get("Format", ""),
        # Taken out: in the engine the API has none of the routes that the settings name.
        "defaultRouteSettings": properties.pop("DefaultRouteSettings", {}),
        "routeSettings": properties.pop("RouteSettings", {}),
    }
    return Api(name, later({"Ref": name}), later(body), later(stage))


def _take_in_definition(name: str, properties: dict, folder: Path) -> None:
    """Put a state machine's definition into the template: the engine reads JSON only, and this may be YAML, too."""
    location = properties.get("DefinitionUri")
    if isinstance(location, str) and not location.startswith("s3://"):
        del properties["DefinitionUri"]
        properties["Definition"] = _load_document(name, "definition", folder / location)


def _load_document(name: str, what: str, path: Path) -> dict:
    try:
        document = yaml_parse(path.read_text())
    except (OSError, ValueError) as error:
        raise TemplateError(f"{name}: its {what} {path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise TemplateError(f"{name}: {path} is not an object, as its {what} has to be.")
    return document
