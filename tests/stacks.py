"""The templates as tests look at them: resources by type, and the documents of the APIs in them."""

import re
from pathlib import Path

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[1]
SERVICE, TASK, ROLE = "AWS::ECS::Service", "AWS::ECS::TaskDefinition", "AWS::IAM::Role"
NESTED, HTTP_API = "AWS::Serverless::Application", "AWS::Serverless::HttpApi"
INTEGRATION = "x-amazon-apigateway-integration"
ANY = "x-amazon-apigateway-any-method"
METHODS = {"get", "put", "post", "patch", "delete", "options", ANY}

IMAGES = ROOT / "stacks" / "images.yaml"  # deployed by itself, and no part of the application
FILES = [ROOT / "template.yaml", *sorted(set(ROOT.glob("stacks/*.yaml")) - {IMAGES})]
TEMPLATES = {path: yaml_parse(path.read_text()) for path in FILES}
"""Every template of the application, by its file."""

STACKS = {path.name: template for path, template in TEMPLATES.items() if path.parent != ROOT}
"""Those that are nested in another, by their files' names."""


def resources(type_, stacks=STACKS):
    """Parameters of tests: `(stack, logical id, properties)` of each resource of a type."""
    return [
        pytest.param(stack, name, resource.get("Properties", {}), id=f"{Path(stack).name} {name}")
        for stack, template in stacks.items()
        for name, resource in template["Resources"].items()
        if resource["Type"] == type_
    ]


def as_list(value):
    """A value of a template that may be written as itself where there is one."""
    return value if isinstance(value, list) else [value]


def environment(container):
    """The variables of a container's definition, by name."""
    return {variable["Name"]: variable["Value"] for variable in container["Environment"]}


def image(container):
    """Which image a container's definition names: a folder in containers/."""
    return re.fullmatch(r"\$\{ImageRegistry\}/(\w+):\$\{ImageTag\}", container["Image"]["Fn::Sub"])[1]


def http_apis():
    """Parameters of tests: the document of each HTTP API in a nested stack."""
    return [
        pytest.param(document(stack, properties), id=f"{stack} {name}")
        for stack, name, properties in (parameter.values for parameter in resources(HTTP_API))
    ]


def document(stack, properties):
    """The OpenAPI document that an HTTP API includes."""
    location = properties["DefinitionBody"]["Fn::Transform"]["Parameters"]["Location"]
    return yaml.safe_load((ROOT / "stacks" / location).read_text("utf-8"))


def operations(document):
    """The operations of a document by `(METHOD, path)`, each with its integration in full."""
    return {
        ("ANY" if method == ANY else method.upper(), path): operation
        | {INTEGRATION: resolved(document, operation[INTEGRATION])}
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def resolved(document, part):
    """A part of a document, or what it refers to."""
    while reference := part.get("$ref"):
        part = document
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
    return part
