"""REST APIs: Lambda proxy integrations; the event of REST APIs, and what is made of a function's answer."""

import pytest

from .conftest import FUNCTION, REGION
from .rest_operations import EXTENSION

URI = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
FAILED = 502, b'{"message": "Internal server error"}'


@pytest.fixture
def api(serve_rest, functions):
    operation = {f"{EXTENSION}integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": URI}}
    paths = {"/pets/{id}": {f"{EXTENSION}any-method": operation}}
    return serve_rest(paths, functions=functions, stages={"dev": {"colour": "blue"}})


def seen(answer):
    return answer.status_code, answer.content


def test_the_event_is_that_of_rest_apis(api):
    answer = api.request("POST", "/dev/pets/7?a=1&a=2", headers=[("x-a", "1"), ("x-a", "2")], content=b'{"n": 1}')
    event = api.event
    context = event["requestContext"]
    assert "version" not in event
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/pets/{id}", "/pets/7", "POST")
    assert event["pathParameters"] == {"id": "7"}
    assert event["queryStringParameters"] == {"a": "2"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert (event["headers"]["x-a"], event["multiValueHeaders"]["x-a"]) == ("2", ["1", "2"])
    assert (event["body"], event["isBase64Encoded"]) == ('{"n": 1}', False)
    assert event["stageVariables"] == {"colour": "blue"}
    assert (context["stage"], context["path"], context["resourcePath"]) == ("dev", "/dev/pets/7", "/pets/{id}")
    assert context["requestId"] == answer.headers["x-amzn-requestid"]
    assert context["extendedRequestId"] == answer.headers["x-amz-apigw-id"]
    assert "authorizer" not in context


@pytest.mark.parametrize(
    ("body", "text", "encoded"), [(b"", None, False), ("ü".encode(), "ü", False), (b"\xff", "/w==", True)]
)
def test_a_body_is_text_if_it_can_be(api, body, text, encoded):
    api.request("POST", "/dev/pets/7", content=body, headers={"content-type": "image/png"})
    assert (api.event["body"], api.event["isBase64Encoded"]) == (text, encoded)


def test_an_answer_comes_back_and_is_json_if_it_does_not_say(api, functions):
    functions.value = {"statusCode": 201, "body": "{}", "multiValueHeaders": {"x-b": ["1", "2"]}}
    answer = api.get("/dev/pets/7")
    assert seen(answer) == (201, b"{}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers.get_list("x-b") == ["1", "2"]


@pytest.mark.parametrize("value", ["text", {"body": "no status"}, {"statusCode": "x"}, b"no JSON"])
def test_an_answer_of_another_shape_is_502(api, functions, value):
    functions.value = value
    assert seen(api.get("/dev/pets/7")) == FAILED


def test_a_function_that_fails_is_502(api, functions):
    functions.function_error = "Unhandled"
    assert seen(api.get("/dev/pets/7")) == FAILED


def test_a_function_that_may_not_be_invoked_is_500_and_is_not(api, functions):
    functions.resource_policy = {}
    assert seen(api.get("/dev/pets/7")) == (500, b'{"message": "Internal server error"}')
    assert functions.invoked == []
