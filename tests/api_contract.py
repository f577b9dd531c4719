"""The scanner API's contract, api/scanner.yaml, as tests hold requests and answers against it."""

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import yaml
from jsonschema import FormatChecker, ValidationError
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


def parameters(key: tuple[str, str], place: str) -> dict[str, dict]:
    """The schemas of an operation's parameters in that place (`query`, `path`, `header`), by name."""
    method, path = key
    item = DOCUMENT["paths"][path]
    everything = [resolved(part) for part in [*item.get("parameters", ()), *item[method.lower()].get("parameters", ())]]
    return {part["name"]: part["schema"] for part in everything if part["in"] == place}


def check(response: httpx.Response) -> None:
    """Raise AssertionError unless the answer is documented for its request; an event hook of HTTPX's.

    That is: status, content type, and every field of a JSON body. A request that succeeds must be documented, too.
    """
    request = response.request
    path = request.url.raw_path.decode().partition("?")[0]
    what = f"{request.method} {path} answered {response.status_code}"
    if request.method == "OPTIONS":  # CORS is the gateway's own, and no operation
        return
    response.read()
    key = route(request.method, path)
    if key is None:
        assert (response.status_code, response.json()) == (404, {"message": "Not Found"}), f"{what}, and has no route"
        return
    documented = OPERATIONS[key]["responses"].get(str(response.status_code))
    assert documented, f"{what}, which is not documented: {response.text}"
    content = resolved(documented)["content"]
    media_type = response.headers.get("content-type", "").partition(";")[0]
    assert media_type in content, f"{what} with {media_type or 'no content type'}, which is not documented"
    try:
        if "json" in media_type:  # AWS services have their own kinds of it
            validate(response.json(), content[media_type]["schema"])
        if response.is_success:
            _check_request(key, request)
    except ValidationError as error:
        raise AssertionError(f"{what}, which is not as documented: {error}") from error


def _check_request(key: tuple[str, str], request: httpx.Request) -> None:
    documented = parameters(key, "query")
    for name, value in request.url.params.multi_items():
        assert name in documented, f"{request.method} {request.url.path} takes no `{name}`, according to the document"
        integer = resolved(documented[name]).get("type") == "integer"
        validate(int(value) if integer else value, documented[name])
    body = OPERATIONS[key].get("requestBody")
    assert body or not request.content, f"{request.method} {request.url.path} takes no body, according to the document"
    if body:
        validate(json.loads(request.content), body["content"]["application/json"]["schema"])
