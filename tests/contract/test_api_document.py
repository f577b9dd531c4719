"""api/scanner.yaml as a document: closed schemas, examples that validate, and tests that are held against it."""

import json

import api_contract
import httpx
import pytest
from jsonschema import ValidationError

OPERATIONS = [pytest.param(key, id=" ".join(key)) for key in api_contract.OPERATIONS]
INTEGRATION = "x-amazon-apigateway-integration"


def json_bodies(key):
    """The JSON bodies of an operation: `(which, media type)`, its request's first."""
    operation = api_contract.OPERATIONS[key]
    bodies = {"request": operation["requestBody"]} if "requestBody" in operation else {}
    for which, body in (bodies | operation["responses"]).items():
        content = api_contract.resolved(body)["content"]
        if "application/json" in content:
            yield which, content["application/json"]


def example(schema):
    """The example of a schema: its own, or what those of its parts make."""
    schema = api_contract.resolved(schema)
    if "example" in schema:
        return schema["example"]
    if schema.get("type") == "array":
        return [example(schema["items"])]
    if "properties" in schema:
        required = schema.get("required", ())
        return {name: example(part) for name, part in schema["properties"].items() if name in required}
    if "allOf" in schema:
        return example(schema["allOf"][0])
    assert "enum" in schema, f"Write an example into this schema, or beside it where it is used: {schema}"
    return schema["enum"][0]


def examples(media_type):
    """The examples of a body: those that are written with it, or its schema's."""
    if "examples" in media_type:
        return [named["value"] for named in media_type["examples"].values()]
    return [media_type["example"] if "example" in media_type else example(media_type["schema"])]


def objects(schema, seen):
    """Every object that a schema describes, with those in it; parts that only narrow another schema are none."""
    schema = api_contract.resolved(schema)
    if id(schema) in seen:
        return
    seen.add(id(schema))
    if schema.get("type") == "object":
        yield schema
    inner = [*schema.get("properties", {}).values(), *(schema.get(kind) for kind in ("items", "additionalProperties"))]
    for part in [*inner, *schema.get("allOf", ()), *schema.get("oneOf", ())]:
        if isinstance(part, dict):
            yield from objects(part, seen)


@pytest.mark.parametrize("key", OPERATIONS)
def test_examples_of_requests_and_answers_are_there_and_valid(key):
    for _, media_type in json_bodies(key):
        for one in examples(media_type):
            api_contract.validate(one, media_type["schema"])


@pytest.mark.parametrize("key", OPERATIONS)
def test_parameters_in_the_path_are_described_with_examples(key):
    _, path = key
    item = api_contract.DOCUMENT["paths"][path]
    described = [api_contract.resolved(part) for part in item.get("parameters", ())]

    assert [part["name"] for part in described if part["in"] == "path"] == [
        segment[1:-1] for segment in path.split("/") if segment.startswith("{")
    ]
    for part in described:
        api_contract.validate(part["example"], part["schema"])


@pytest.mark.parametrize("key", OPERATIONS)
def test_answers_of_our_own_are_closed(key):
    """What AWS services answer by themselves may have more than we know of."""
    if "integrationSubtype" in api_contract.OPERATIONS[key][INTEGRATION]:
        return
    for which, media_type in json_bodies(key):
        for described in objects(media_type["schema"], set()) if which != "request" else ():
            assert described.get("additionalProperties", True) is not True, described
            assert described.keys() & {"required", "maxProperties", "additionalProperties"}, described


@pytest.mark.parametrize("key", OPERATIONS)
def test_what_everybody_may_meet_is_documented(key):
    assert {"401", "403", "429"} <= api_contract.OPERATIONS[key]["responses"].keys()


def test_the_gateways_own_errors_have_a_message_and_nothing_else():
    schema = {"$ref": "#/components/schemas/GatewayError"}
    api_contract.validate({"message": "Unauthorized"}, schema)
    with pytest.raises(ValidationError):
        api_contract.validate({"message": "Unauthorized", "code": "unauthenticated"}, schema)


# ---------------------------------------------------------------- What the tests' client notices
READY = api_contract.DOCUMENT["components"]["schemas"]["WholePage"]["example"]
FAILED = api_contract.DOCUMENT["components"]["schemas"]["Page"]["example"]
PAGE = "/projects/p/pages/q"


def answer(method, path, status, body, *, sent=None, media_type="application/json"):
    content = None if sent is None else json.dumps(sent)
    request = httpx.Request(method, f"http://127.0.0.1{path}", content=content)
    headers = {"content-type": media_type}
    return httpx.Response(status, request=request, headers=headers, content=json.dumps(body))


@pytest.mark.parametrize(
    "response",
    [
        answer("GET", PAGE, 200, READY),
        answer("GET", PAGE, 200, FAILED),
        answer("GET", "/projects/p/pages/count", 200, {"pageCount": 3}),
        answer("GET", "/projects/p/pages?limit=2", 200, {"items": [FAILED]}),
        answer("PATCH", PAGE, 200, READY, sent={"after": None}),
        answer("PATCH", PAGE, 400, {"message": "Send …", "code": "invalid-request"}, sent={"rotation": 1}),
        answer("GET", "/nowhere", 404, {"message": "Not Found"}),
        answer("OPTIONS", "/projects", 204, None),
    ],
)
def test_what_is_documented_passes(response):
    api_contract.check(response)


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(answer("GET", PAGE, 418, {"message": "Teapot"}), id="another status"),
        pytest.param(answer("GET", PAGE, 200, READY, media_type="text/html"), id="another content type"),
        pytest.param(answer("GET", PAGE, 200, READY | {"owner": "alice"}), id="another field"),
        pytest.param(answer("GET", PAGE, 200, READY | {"imageUrl": "nowhere"}), id="a link that is none"),
        pytest.param(
            answer("GET", PAGE, 200, {k: v for k, v in READY.items() if k != "text"}), id="ready without text"
        ),
        pytest.param(answer("GET", PAGE, 200, READY | {"status": "failed"}), id="failed with text"),
        pytest.param(answer("GET", PAGE, 200, FAILED | {"status": "recognising"}), id="recognising with a reason"),
        pytest.param(answer("GET", "/projects/p/pages", 200, {"items": [READY]}), id="a text in a list"),
        pytest.param(answer("GET", "/projects/p/pages/count", 200, READY), id="another route's answer"),
        pytest.param(answer("PATCH", PAGE, 200, READY, sent={"rotation": 45}), id="success of a wrong request"),
        pytest.param(answer("GET", PAGE, 200, READY, sent={"x": 1}), id="success with a body that is not documented"),
        pytest.param(answer("GET", f"{PAGE}?x=1", 200, READY), id="success with a query that is not documented"),
        pytest.param(answer("GET", "/projects?limit=0", 200, {"items": []}), id="success with a wrong query"),
        pytest.param(answer("GET", "/nowhere", 200, {}), id="no route"),
        pytest.param(answer("GET", PAGE, 404, {"message": "Not Found"}), id="the gateway's error for ours"),
    ],
)
def test_what_is_not_documented_is_noticed(response):
    with pytest.raises(AssertionError):
        api_contract.check(response)
