"""Reads a SAM template from its files: what it includes is in it, and the paths that it names are absolute."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from samtranslator.yaml_helper import yaml_parse

from samhost.errors import TemplateError

# The properties by which a template names files and folders beside it, as `sam package` knows them.
PATH_PROPERTIES = {
    "BodyS3Location",
    "Code",
    "CodeUri",
    "Content",
    "ContentUri",
    "DefinitionS3Location",
    "DefinitionUri",
    "Location",
    "SchemaUri",
    "TemplateURL",
}
HTTP_API, REST_API = "AWS::Serverless::HttpApi", "AWS::Serverless::Api"
_NESTED = {"AWS::Serverless::Application": "Location", "AWS::CloudFormation::Stack": "TemplateURL"}
INTRINSIC_PREFIX = "Fn::"
# What SAM writes into an API's document, and can do so only where that stands in the template itself; and the section
# of Globals that may say it, too.
_NEEDS_INLINE_DOCUMENT = {
    HTTP_API: ("HttpApi", {"Auth", "CorsConfiguration"}),
    REST_API: ("Api", {"Auth", "Cors", "GatewayResponses", "Models"}),
}


def load(path: Path) -> dict:
    """A template file's content: intrinsic tags in their long form, local files that it includes in their places.

    Raises TemplateError where it is no template, or includes what is none.
    """
    content = read(path, "a template", "Name a SAM template with --template.")
    template = {section: value for section, value in content.items() if value is not None}
    if not isinstance(template.get("Resources"), dict):
        raise TemplateError(f"{path} is not a template: it has no Resources.")
    for name, resource in template["Resources"].items():
        if name.startswith(INTRINSIC_PREFIX) and name != "Fn::Transform":
            raise TemplateError(f"{path}: {name} (AWS::LanguageExtensions) is not hosted. Write the resources out.")
        if isinstance(resource, dict) and resource.get("Type") in _NEEDS_INLINE_DOCUMENT:
            _inline_document(template, name, resource, path.parent)
    template = _expand(template, path.parent)
    for name, resource in template["Resources"].items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise TemplateError(f"{path}: the resource {name} has no Type.")
        if not isinstance(resource.setdefault("Properties", {}), dict):
            raise TemplateError(f"{path}: the Properties of {name} are not an object.")
    for node, key, local in paths(template, path.parent):
        node[key] = str(local)
    return template


def paths(node: object, folder: Path) -> Iterator[tuple[dict, str, Path]]:
    """What a template names of the files in its folder: where it says so, by which key, and the absolute path."""
    if isinstance(node, list):
        for item in node:
            yield from paths(item, folder)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in PATH_PROPERTIES and isinstance(value, str) and value and _exists(folder / value):
                yield node, key, (folder / value).resolve()
            else:
                yield from paths(value, folder)


def nested_templates(template: dict) -> Iterator[tuple[str, dict, str, Path]]:
    """The nested stacks of a template that are local files: logical id, properties, and key and path of the file."""
    for name, resource in template["Resources"].items():
        key = _NESTED.get(resource["Type"], "")
        location = resource["Properties"].get(key)
        if isinstance(location, str) and Path(location).is_file():
            yield name, resource["Properties"], key, Path(location)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # it is no path: some of the properties hold text elsewhere, as long as it likes
        return False


def references(node: object) -> Iterator[str]:
    """What intrinsic functions below a node refer to: logical ids, and attributes as `id.attribute`, too."""
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield str(value).split(".")[0]  # `Function.Alias` and `Api.Stage` are SAM's
            elif key == "Fn::GetAtt":
                whole = value if isinstance(value, str) else ".".join(map(str, value))
                yield from (whole.split(".")[0], whole)
            elif key == "Fn::Sub":
                text = value if isinstance(value, str) else value[0]
                for whole in re.findall(r"\$\{([^!}]+)\}", text):
                    yield from (whole.split(".")[0], whole)
                yield from references(value)
            else:
                yield from references(value)


def _inline_document(template: dict, name: str, resource: dict, folder: Path) -> None:
    """Put an API's document into the template where it lies in a file of its own."""
    properties = resource.setdefault("Properties", {})
    body, uri = properties.get("DefinitionBody"), properties.get("DefinitionUri")
    if isinstance(body, dict) and "Fn::Transform" in body:
        _refuse_additions(template, name, resource, "AWS::Include")
        properties["DefinitionBody"] = _expand(body, folder, f"{name}: its OpenAPI document ")
    elif isinstance(uri, str) and "://" not in uri:
        _refuse_additions(template, name, resource, "DefinitionUri")
        document = read(folder / uri, "an OpenAPI document", f"{name} names it as its DefinitionUri.")
        if _has_intrinsics(document):
            raise TemplateError(
                f"{name}: {uri} has intrinsic functions, which AWS does not resolve in a DefinitionUri. "
                "Use DefinitionBody with AWS::Include."
            )
        del properties["DefinitionUri"]
        properties["DefinitionBody"] = document


def _refuse_additions(template: dict, name: str, resource: dict, by: str) -> None:
    section, additions = _NEEDS_INLINE_DOCUMENT[resource["Type"]]
    said = template.get("Globals", {}).get(section, {}) | resource["Properties"]
    for key in sorted(additions & said.keys()):
        raise TemplateError(
            f"{name}: {key} is not hosted beside a document from {by}, for SAM adds it to inline documents only. "
            "Say it in the document itself."
        )


def _expand(node: Any, folder: Path, what: str = "") -> Any:
    """A copy of a node with each `AWS::Include` of a local file replaced by what is in it; others stay."""
    if isinstance(node, list):
        return [_expand(item, folder, what) for item in node]
    if not isinstance(node, dict):
        return node
    expanded = {}
    for key, value in node.items():
        location = _location(value) if key == "Fn::Transform" else None
        if location is None or "://" in location:
            expanded[key] = _expand(value, folder, what)
        else:
            expanded |= read(folder / location, "what AWS::Include takes", f"{what}The template includes it.")
    return expanded


def _location(transform: object) -> str | None:
    if isinstance(transform, dict) and transform.get("Name") == "AWS::Include":
        location = transform.get("Parameters", {}).get("Location")
        return location if isinstance(location, str) else None
    return None


def _has_intrinsics(node: object) -> bool:
    if isinstance(node, list):
        return any(map(_has_intrinsics, node))
    if isinstance(node, dict):
        return any(
            key == "Ref" or key.startswith(INTRINSIC_PREFIX) or _has_intrinsics(value) for key, value in node.items()
        )
    return False


def read(path: Path, what: str, advice: str) -> dict:
    """The object in a JSON or YAML file that should be `what`. Raises TemplateError, with `advice`."""
    try:
        content = yaml_parse(path.read_text())
    except OSError as error:
        raise TemplateError(f"{path} cannot be read: {error.strerror}. {advice}") from error
    except (ValueError, yaml.YAMLError) as error:
        raise TemplateError(f"{path} is not {what}: {error}") from error
    if not isinstance(content, dict):
        raise TemplateError(f"{path} is not {what}: it is no object. {advice}")
    return content
