"""The scanner API's contract, api/scanner.yaml, as tests hold requests and answers against it."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from jsonschema import FormatChecker
from openapi_schema_validator import OAS30Validator, oas30_format_checker

DOCUMENT = yaml.safe_load((Path(__file__).parents[1] / "api" / "scanner.yaml").read_text("utf-8"))
METHODS = {"get", "put", "post", "patch", "delete"}
OPERATIONS = {
    (method.upper(), path): operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method in METHODS
}
"""The operations of the document by method and path template."""

FORMATS = FormatChecker(())
FORMATS.checkers = dict(oas30_format_checker.checkers)


@FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and urlsplit(value).netloc)


def route(method: str, path: str) -> tuple[str, str] | None:
    """The key in OPERATIONS of a request, by its raw path; None where there is no such route."""
    fitting = [
        template
        for (its_method, template) in OPERATIONS
        if its_method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    # What is written out comes before what is variable, as in API Gateway.
    return (method, min(fitting, key=lambda template: template.count("{"))) if fitting else None


def resolved(part: dict) -> dict:
    """A part of the document, or what it refers to."""
    while reference := part.get("$ref"):
        part = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
    return part


def validate(value: object, schema: dict) -> None:
    """Raise jsonschema's ValidationError unless a JSON value is as a schema of the document says."""
    whole = {**schema, "components": DOCUMENT["components"]}
    OAS30Validator(whole, format_checker=FORMATS).validate(value)
