"""Derives the local template from the built one: the same resources, less what cannot be there locally.

APIs stay without their documents; the gateway serves them. The intrinsic functions in
the documents become outputs of the stack, so that CloudFormation itself resolves them. State machines' definitions are
taken into the template.
"""

import json
import re
import string
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samhost.gateway.api_types.rest_api import REST_API as REST
from samhost.gateway.document import NOT_SERVED
from samhost.outputs import Branch, Outputs
from samhost.runtimes import FUNCTIONS, LEFT_OUT
from samhost.template_apis import EVENTS, FUNCTION, PLAIN_REST_API, TemplateApi, Translation, translate
from samhost.template_file import HTTP_API, REST_API, load, nested_templates, read, references

# Resource types that MiniStack 1.5.33 does not know, found by deploying each, and what that means.
NOT_EMULATED = {
    "AWS::ApplicationAutoScaling::ScalableTarget": "the engine does not scale; of it the MinCapacity alone counts",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "the engine does not scale",
    "AWS::CloudWatch::CompositeAlarm": "the engine has no composite alarms",
    "AWS::Cognito::ManagedLoginBranding": "the engine's login pages have no style",
    "AWS::Cognito::UserPoolUser": "the engine creates users by its API only",
    "AWS::EC2::EIP": "the engine has no addresses",
    "AWS::EC2::NatGateway": "the engine has no network",
    "AWS::EC2::NetworkAcl": "the engine has no network",
    "AWS::EC2::SecurityGroupEgress": "the engine has no network",
    "AWS::EC2::SecurityGroupIngress": "the engine has no network",
    "AWS::Events::ApiDestination": "the engine calls no API destinations",
    "AWS::Events::Archive": "the engine archives no events",
    "AWS::WAFv2::WebACLAssociation": "the engine has no firewall",
}

# Types of which nothing but the reference counts here. What refers to one stays: a handle's Ref is text as any id is.
STOOD_FOR = {
    "AWS::ApiGateway::VpcLink": "the gateway needs no VPC link to reach what is on this machine",
    "AWS::ApiGatewayV2::VpcLink": "the gateway needs no VPC link to reach what is on this machine",
}
_STAND_IN = "AWS::CloudFormation::WaitConditionHandle"

# Properties of APIs of SAM's types that are acted on, or that change nothing in what is served.
API_HOSTED = {
    "AccessLogSetting",
    "AccessLogSettings",
    "AlwaysDeploy",
    "Auth",
    "BinaryMediaTypes",
    "Cors",
    "CorsConfiguration",
    "DefaultRouteSettings",
    "DefinitionBody",
    "DefinitionUri",
    "Description",
    "EndpointConfiguration",
    "FailOnWarnings",
    "GatewayResponses",
    "MethodSettings",
    "Models",
    "Name",
    "OpenApiVersion",
    "PropagateTags",
    "RouteSettings",
    "StageName",
    "StageVariables",
    "Tags",
    "TracingEnabled",
    "Variables",
}
# Those that the API keeps in the engine; what else there is would change its document.
API_KEPT = {"StageName", "Tags"}
API_NOT_EMULATED = {
    "Domain": "there are no custom domains",
}

# Properties of other resources that the engine takes, and does not act on.
NOT_ACTED_ON = {
    ("AWS::AppConfig::ConfigurationProfile", "Validators"): "the engine deploys any configuration",
    ("AWS::Events::Rule", "Targets.DeadLetterConfig"): "the engine delivers an event once",
    ("AWS::Events::Rule", "Targets.RetryPolicy"): "the engine delivers an event once",
}
ECS_SERVICE, SCALABLE_TARGET = "AWS::ECS::Service", "AWS::ApplicationAutoScaling::ScalableTarget"
_EXCLUSIONS = {
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": string.punctuation,
    "ExcludeUppercase": string.ascii_uppercase,
}
_EXTENSIONS = {"x-amazon-apigateway-integration", "x-amazon-apigateway-authorizer"}


@dataclass(frozen=True)
class LeftOut:
    """A resource, a property of one, or an output that is not there, or does nothing, locally."""

    name: str  # after the names of the stacks that it is in
    type: str
    reason: str

    @property
    def stack(self) -> str | None:
        """The nested stack that it is in; None in the outermost."""
        return self.name.rpartition("/")[0] or None


@dataclass(frozen=True)
class Api:
    """An API on a stage as the template declares it; intrinsics are placeholders until they are resolved.

    The id is NO_VALUE where the API's condition turns out to be false, or the stage's.
    """

    name: str
    type: str
    api_id: object
    document: object
    stage: object


@dataclass
class LocalTemplate:
    """What is deployed, what the gateway serves, and what is missing."""

    template: dict
    apis: list[Api] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    nested: dict[str, "LocalTemplate"] = field(default_factory=dict)
    # What the engine does not keep of ECS services, by logical id, `Stack/id` in a nested stack; intrinsics are
    # placeholders, NO_VALUE under a false condition.
    ecs_services: dict[str, object] = field(default_factory=dict)  # {"arn": …, "registries": […]}
    scalable_targets: dict[str, object] = field(default_factory=dict)  # {"service": ResourceId, "leastCount": …}

    def with_nested(self) -> Iterator["LocalTemplate"]:
        """Itself and all that is nested in it."""
        yield self
        for nested in self.nested.values():
            yield from nested.with_nested()


def derive(built: Path, unknown: Collection[str] = NOT_EMULATED.keys()) -> LocalTemplate:
    """Derive the local template from a built one; `unknown` are the resource types that the engine does not know.

    Raises TemplateError where an API's document cannot be read, or SAM refuses the template.
    """
    local = LocalTemplate(_with_known_attributes(load(built)))
    _write_environments_as_text(local.template)
    _write_exclusions_as_characters(local.template)
    _let_handles_stand_in(local)
    _write_containers_as_the_api_does(local.template)
    translation = translate(local.template)
    _take_in_definitions(local.template)
    _take_out_what_nothing_acts_on(local, translation)
    _empty_apis(local.template, translation)
    for name, _, _, path in nested_templates(local.template):
        local.nested[name] = derive(path, unknown)
    targets = {name: node for name, node in local.template["Resources"].items() if node["Type"] == SCALABLE_TARGET}
    gone = _take_out_what_cannot_be_there(local, unknown)
    _take_out_demands_for_tls(local)
    outputs = Outputs(
        {name for name, parameter in local.template.get("Parameters", {}).items() if "List" in str(parameter["Type"])}
    )
    local.apis = [hosted for api in translation.apis if (hosted := _host(api, local, gone, outputs))]
    _defer_ecs_services(local, targets, gone, outputs)
    for name, nested in local.nested.items():
        condition = local.template["Resources"][name].get("Condition")
        branches = ((condition, True),) if condition else ()
        local.left_out += [LeftOut(f"{name}/{inner.name}", inner.type, inner.reason) for inner in nested.left_out]
        local.apis += [_lifted(api, name, outputs, branches) for api in nested.apis]
        for mine, inner in (
            (local.ecs_services, nested.ecs_services),
            (local.scalable_targets, nested.scalable_targets),
        ):
            for place, node in inner.items():
                mine[f"{name}/{place}"] = _only_under(condition, outputs.lift(node, name, branches), outputs)
    for name, permission in translation.permissions.items():
        if gone.keys().isdisjoint(references(permission)):
            local.template["Resources"][name] = permission
    local.template.setdefault("Outputs", {}).update(outputs.declared)
    # The engine deploys no change of nothing but outputs, so APIs and ECS services change with them.
    for api in translation.apis:
        if api.name in local.template["Resources"]:
            local.template["Resources"][api.name]["Properties"]["Description"] = outputs.digest()
    for resource in local.template["Resources"].values():
        if resource["Type"] == ECS_SERVICE:
            tags = resource["Properties"].get("Tags", [])
            resource["Properties"]["Tags"] = [*tags, {"Key": "samhost:outputs", "Value": outputs.digest()}]
    return local


def _with_known_attributes(node: Any) -> Any:
    """A copy of a template without attributes that MiniStack 1.5.33 does not know.

    The ProviderURL of a user pool is its ProviderName after `https://`, the VpcLinkId of a VPC link its Ref.
    """
    if isinstance(node, list):
        return [_with_known_attributes(item) for item in node]
    if isinstance(node, str):
        node = re.sub(r"\$\{(\w+)\.ProviderURL\}", r"https://${\1.ProviderName}", node)
        return re.sub(r"\$\{(\w+)\.VpcLinkId\}", r"${\1}", node)
    match node:
        case {"Fn::GetAtt": [name, "VpcLinkId"]}:
            return {"Ref": name}
        case {"Fn::GetAtt": str(attribute)} if re.fullmatch(r"\w+\.VpcLinkId", attribute):
            return {"Ref": attribute.removesuffix(".VpcLinkId")}
        case {"Fn::GetAtt": [name, "ProviderURL"]}:
            return {"Fn::Sub": f"https://${{{name}.ProviderName}}"}
        case {"Fn::GetAtt": str(attribute)} if attribute.endswith(".ProviderURL"):
            return {"Fn::Sub": f"https://${{{attribute.removesuffix('URL')}Name}}"}
        case dict():
            return {key: _with_known_attributes(value) for key, value in node.items()}
    return node


def _has(node: object, path: list[str]) -> bool:
    """Whether a property is there; that of a list is there if one of the items has it."""
    if isinstance(node, list):
        return any(_has(item, path) for item in node)
    return not path or (isinstance(node, dict) and path[0] in node and _has(node[path[0]], path[1:]))


def _write_environments_as_text(template: dict) -> None:
    """Turn numbers and booleans among environment variables into text, as CloudFormation does but not MiniStack."""
    functions = [resource["Properties"] for resource in template["Resources"].values() if resource["Type"] in FUNCTIONS]
    for properties in [template.get("Globals", {}).get("Function", {}), *functions]:
        variables = properties.get("Environment", {}).get("Variables", {})
        for name, value in variables.items():
            if isinstance(value, bool | int | float):
                variables[name] = json.dumps(value)


def _write_exclusions_as_characters(template: dict) -> None:
    """Name the characters that generated secrets are to be without: MiniStack heeds nothing else of what excludes."""
    for resource in template["Resources"].values():
        generate = resource["Properties"].get("GenerateSecretString")
        if resource["Type"] == "AWS::SecretsManager::Secret" and isinstance(generate, dict):
            excluded = "".join(
                characters for key, characters in _EXCLUSIONS.items() if generate.get(key) in (True, "true")
            )
            if excluded and isinstance(listed := generate.get("ExcludeCharacters", ""), str):
                generate["ExcludeCharacters"] = listed + excluded


def _let_handles_stand_in(local: LocalTemplate) -> None:
    """Put wait conditions' handles in the places of resources of which only the reference counts; they do nothing."""
    for name, resource in local.template["Resources"].items():
        if reason := STOOD_FOR.get(resource["Type"]):
            local.left_out.append(LeftOut(name, resource["Type"], f"{reason}; {_STAND_IN} stands for it"))
            resource.update(Type=_STAND_IN, Properties={})


def _write_containers_as_the_api_does(template: dict) -> None:
    """Spell what containers have inside as ECS's API does: CloudFormation translates it, MiniStack only in part."""
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::ECS::TaskDefinition":
            continue
        properties = resource["Properties"]
        for container in properties.get("ContainerDefinitions", []):
            for key in ("HealthCheck", "Secrets", "EnvironmentFiles"):
                if key in container:
                    container[key] = _camel_case(container[key])
        if "Volumes" in properties:
            properties["Volumes"] = _camel_case(properties["Volumes"])


def _camel_case(node: Any) -> Any:
    if isinstance(node, list):
        return [_camel_case(item) for item in node]
    if not isinstance(node, dict) or any(key in {"Ref", "Condition"} or key.startswith("Fn::") for key in node):
        return node
    return {key[:1].lower() + key[1:]: _camel_case(value) for key, value in node.items()}


def _defer_ecs_services(local: LocalTemplate, targets: dict[str, dict], gone: dict[str, str], outputs: Outputs) -> None:
    for name, resource in local.template["Resources"].items():
        if resource["Type"] == ECS_SERVICE:
            condition = resource.get("Condition")
            node = {"arn": {"Ref": name}, "registries": resource["Properties"].get("ServiceRegistries", [])}
            deferred = outputs.defer(node, ((condition, True),) if condition else ())
            local.ecs_services[name] = _only_under(condition, deferred, outputs)
    for name, resource in targets.items():
        properties, condition = resource["Properties"], resource.get("Condition")
        node = {"service": properties.get("ResourceId"), "leastCount": properties.get("MinCapacity", 0)}
        if properties.get("ServiceNamespace") == "ecs" and gone.keys().isdisjoint(references(node)):
            deferred = outputs.defer(node, ((condition, True),) if condition else ())
            local.scalable_targets[name] = _only_under(condition, deferred, outputs)


def _only_under(condition: str | None, deferred: object, outputs: Outputs) -> object:
    return outputs.only_if(condition, deferred) if condition else deferred


def _take_in_definitions(template: dict) -> None:
    """Put state machines' definitions into the template: the engine reads JSON only, and they may be YAML, too."""
    for name, resource in template["Resources"].items():
        properties = resource["Properties"]
        location = properties.get("DefinitionUri")
        is_machine = resource["Type"] == "AWS::Serverless::StateMachine"
        if is_machine and isinstance(location, str) and not location.startswith("s3://"):
            del properties["DefinitionUri"]
            properties["Definition"] = read(Path(location), "a definition", f"{name} names it as its DefinitionUri.")


def _take_out_what_nothing_acts_on(local: LocalTemplate, translation: Translation) -> None:
    shared = local.template.get("Globals", {})
    everywhere = shared.get("Function", {}).pop("DeploymentPreference", None)
    for name, resource in local.template["Resources"].items():
        kind, properties = resource["Type"], resource["Properties"]
        if kind in EVENTS.values():
            [section] = (section for section, of in EVENTS.items() if of == kind)
            local.left_out += [
                LeftOut(f"{name}.{key}", kind, API_NOT_EMULATED.get(key, "nothing here acts on it"))
                for key in shared.get(section, {}) | properties
                if key not in API_HOSTED
            ]
        elif kind == FUNCTION and properties.pop("DeploymentPreference", everywhere):
            local.left_out.append(LeftOut(f"{name}.DeploymentPreference", kind, "the engine has no CodeDeploy"))
        local.left_out += [
            LeftOut(f"{name}.{path}", kind, reason)
            for (of, path), reason in NOT_ACTED_ON.items()
            if of == kind and _has(properties, path.split("."))
        ]
    for name, reason in translation.refused.items():
        local.left_out.append(LeftOut(name, local.template["Resources"][name]["Type"], reason))


def _empty_apis(template: dict, translation: Translation) -> None:
    """Leave of each API what gives it its id and its stages; its routes are in the gateway."""
    resources = template["Resources"]
    for api in translation.apis:
        if api.name not in resources:  # an implicit API
            resources[api.name] = {"Type": HTTP_API, "Properties": {}}
            if api.type == REST.name:
                resources[api.name] = {"Type": REST_API, "Properties": {"StageName": api.stage["name"]}}
            if api.conditions:
                [resources[api.name]["Condition"]] = api.conditions
        resource = resources[api.name]
        if resource["Type"] in EVENTS.values():
            kept = {key: value for key, value in resource["Properties"].items() if key in API_KEPT}
            title = {"title": api.name, "version": "1"}
            resource["Properties"] = kept | {"DefinitionBody": {"openapi": "3.0.1", "info": title, "paths": {}}}
        elif resource["Type"] == PLAIN_REST_API:
            resource["Properties"] = {"Name": api.name}
        else:
            resource["Properties"] = {"Name": api.name, "ProtocolType": "HTTP"}
    for resource in resources.values():
        if resource["Type"] == FUNCTION and (events := resource["Properties"].get("Events")):
            resource["Properties"]["Events"] = {
                name: event for name, event in events.items() if event["Type"] not in EVENTS
            }
    for section in EVENTS:
        template.get("Globals", {}).pop(section, None)
    if translation.conditions:
        template["Conditions"] = translation.conditions


def _host(api: TemplateApi, local: LocalTemplate, gone: dict[str, str], outputs: Outputs) -> Api | None:
    if api.name in gone:
        return None
    document = _without(gone, api.document)
    if missing := gone.keys() & {*references(document), *references(api.stage)}:
        reason = f"it refers to what is left out: {', '.join(sorted(missing))}"
        local.left_out.append(LeftOut(api.name, local.template["Resources"][api.name]["Type"], reason))
        return None
    branches = tuple((condition, True) for condition in api.conditions)
    api_id = outputs.defer({"Ref": api.name}, branches)
    for condition in api.conditions:
        api_id = outputs.only_if(condition, api_id)
    return Api(api.name, api.type, api_id, outputs.defer(document, branches), outputs.defer(api.stage, branches))


def _lifted(api: Api, stack: str, outputs: Outputs, branches: tuple[Branch, ...]) -> Api:
    """An API of a nested stack as one of this; where the stack's condition is false, it has no id."""
    api_id = outputs.lift(api.api_id, stack, branches)
    for condition, _ in branches:
        api_id = outputs.only_if(condition, api_id)
    document, stage = (outputs.lift(node, stack, branches) for node in (api.document, api.stage))
    return Api(f"{stack}/{api.name}", api.type, api_id, document, stage)


def _without(gone: dict[str, str], node: object) -> object:
    """A document with the reason in place of each integration and authorizer that refers to what is left out."""
    if isinstance(node, list):
        return [_without(gone, item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {}
    for key, value in node.items():
        missing = gone.keys() & set(references(value)) if key in _EXTENSIONS else set()
        reason = "; ".join(f"{name} is left out: {gone[name]}" for name in sorted(missing))
        kept[key] = {NOT_SERVED: reason} if missing else _without(gone, value)
    return kept


def _take_out_what_cannot_be_there(local: LocalTemplate, unknown: Collection[str]) -> dict[str, str]:
    """Take out what the engine does not know or cannot run, and what refers to it; returns reasons by logical id."""
    resources, outputs = local.template["Resources"], local.template.get("Outputs", {})
    gone = {
        f"{name}.Outputs.{inner.name}": inner.reason
        for name, nested in local.nested.items()
        for inner in nested.left_out
        if inner.type == "output"
    }

    def take_out(name: str, section: dict, reason: str) -> None:
        node = section.pop(name)
        local.left_out.append(LeftOut(name, node.get("Type", "output"), reason))
        if section is resources:
            local.nested.pop(name, None)
            gone.update(dict.fromkeys([name, *_made_by_sam(name, node)], reason))

    for name, resource in list(resources.items()):
        if resource["Type"] in unknown:
            take_out(name, resources, NOT_EMULATED.get(resource["Type"], "the engine does not know this type"))
        elif reason := resource.get("Metadata", {}).get(LEFT_OUT):
            take_out(name, resources, reason)
        elif resource["Type"] == "AWS::Serverless::Application" and not isinstance(
            resource["Properties"].get("Location"), str
        ):
            take_out(name, resources, "applications are not fetched from the repository")
    while orphans := [
        (name, section)
        for section in (resources, outputs)
        for name, node in section.items()
        if not gone.keys().isdisjoint(references({key: value for key, value in node.items() if key != "DependsOn"}))
    ]:
        for name, section in orphans:
            take_out(name, section, "it refers to what is left out")
    for resource in resources.values():
        depends_on = resource.get("DependsOn", [])
        remaining = [name for name in ([depends_on] if isinstance(depends_on, str) else depends_on) if name not in gone]
        if depends_on:
            resource["DependsOn"] = remaining
    return gone


def _made_by_sam(name: str, resource: dict) -> list[str]:
    """The logical ids that templates use of what SAM makes for a function."""
    if resource["Type"] != FUNCTION:
        return []
    alias = resource["Properties"].get("AutoPublishAlias")
    return [f"{name}Role", *([f"{name}Alias{alias}"] if alias else [])]


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
