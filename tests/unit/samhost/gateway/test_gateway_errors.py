"""Limits and failures: which status and body a client gets, and what the access log says."""

import asyncio
import json

import pytest

from samhost.gateway.integrations.functions import Invocation
from samhost.gateway.integrations.lambda_proxy import PAYLOAD_BYTES
from samhost.gateway.messages import BODY_BYTES


def failure(status, message):
    return status, {"message": message}


def seen(answer):
    return answer.status_code, answer.json()


INTERNAL = failure(500, "Internal Server Error")
UNAVAILABLE = failure(503, "Service Unavailable")
TOO_LARGE = failure(413, "Request Entity Too Large")


@pytest.mark.parametrize(("path", "status"), [("/pets", 200), ("/nowhere", 404)])
def test_every_answer_has_a_request_id(serve, path, status):
    api = serve("GET /pets")
    first, second = api.get(path), api.get(path)
    assert first.status_code == status
    assert len(first.headers["apigw-requestid"]) == 16
    assert first.headers["apigw-requestid"] != second.headers["apigw-requestid"]


def test_errors_are_json_with_a_message(serve):
    answer = serve("GET /pets").get("/nowhere")
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == b'{"message":"Not Found"}'


def test_a_function_error_is_500_and_tells_nobody_its_message(serve, functions):
    functions.function_error = "Unhandled"
    functions.value = {"errorMessage": "private text", "errorType": "ValueError"}
    api = serve("GET /pets", functions=functions)
    assert seen(api.get("/pets")) == INTERNAL
    assert "private text" not in api.log[-1]
    assert "Unhandled" in api.last_log["error"]


@pytest.mark.parametrize("status", [404, 403, 429, 500])
def test_an_invocation_that_lambda_refuses_is_500(serve, functions, status):
    functions.status = status
    api = serve("GET /pets", functions=functions)
    assert seen(api.get("/pets")) == INTERNAL
    assert api.last_log["integrationStatus"] == status


def test_a_function_that_takes_too_long_is_503(serve, operation, functions):
    functions.seconds = 60
    api = serve(paths={"/pets": {"get": operation(timeoutInMillis=50)}}, functions=functions)
    assert seen(api.get("/pets")) == UNAVAILABLE


def test_an_engine_that_cannot_be_reached_is_503(serve, functions):
    functions.failure = ConnectionError("refused")
    assert seen(serve("GET /pets", functions=functions).get("/pets")) == UNAVAILABLE


def test_a_defect_of_the_gateway_is_500_and_the_next_request_is_served(serve, functions, caplog):
    functions.failure = RuntimeError("a defect")
    api = serve("GET /pets", functions=functions)
    assert seen(api.get("/pets")) == INTERNAL
    assert "a defect" in caplog.text
    functions.failure = None
    assert api.get("/pets").status_code == 200


def test_a_function_is_not_invoked_without_permission(serve, functions):
    functions.resource_policy = {}
    api = serve("GET /pets/{id}", functions=functions)
    assert seen(api.get("/pets/1")) == INTERNAL
    assert functions.invoked == []
    assert "arn:aws:lambda:us-east-1:000000000000:function:echo" in api.last_log["error"]
    assert "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/$default/GET/pets/{id}" in api.last_log["error"]


ROLE = "arn:aws:iam::000000000000:role/invoker"


def test_a_role_invokes_a_function_whatever_its_resource_policy(serve, functions, operation):
    functions.resource_policy = {}
    api = serve(paths={"/pets": {"get": operation(credentials=ROLE)}}, functions=functions)
    assert api.get("/pets").status_code == 200
    assert functions.credentials.access_key == "ASIA1"


def test_a_role_that_does_not_trust_api_gateway_invokes_nothing(serve, functions, operation):
    api = serve(paths={"/pets": {"get": operation(credentials=ROLE)}}, functions=functions)
    api.engine.trusted = "lambda.amazonaws.com"
    assert api.get("/pets").status_code == 500
    assert functions.invoked == []


def test_where_the_engine_has_lost_the_roles_session_the_function_is_invoked_with_another(serve, functions, operation):
    functions.answers = [Invocation(403, None, b'{"__type":"UnrecognizedClientException"}')]
    api = serve(paths={"/pets": {"get": operation(credentials=ROLE)}}, functions=functions)
    assert api.get("/pets").status_code == 200
    assert functions.credentials.access_key == "ASIA2"


def test_a_role_that_may_not_invoke_the_function_is_500(serve, functions, operation):
    functions.status = 403
    api = serve(paths={"/pets": {"get": operation(credentials=ROLE)}}, functions=functions)
    assert api.get("/pets").status_code == 500


@pytest.mark.parametrize(
    ("key", "pattern", "status"),
    [
        ("GET /pets", "{api}/*", 200),
        ("GET /pets", "{api}/*/GET/pets", 200),
        ("GET /pets", "{api}/$default/*/pets", 200),
        ("ANY /pets", "{api}/*/GET/pets", 200),
        ("GET /pets", "{api}/*/POST/pets", 500),
        ("GET /pets", "{api}/dev/*", 500),
        ("GET /pets", "other/*", 500),
        ("$default", "{api}/*/$default", 200),
        ("$default", "{api}/*/GET/pets", 500),
    ],
)
def test_the_permissions_source_must_cover_the_route(serve, functions, key, pattern, status):
    source = "arn:aws:execute-api:us-east-1:000000000000:" + pattern.format(api="a1b2c3d4e5")
    statement = functions.resource_policy["Statement"][0] | {"Condition": {"ArnLike": {"AWS:SourceArn": source}}}
    functions.resource_policy = {"Statement": [statement]}
    assert serve(key, functions=functions).get("/pets").status_code == status


def test_a_body_over_10_mb_is_413_by_its_announced_length(serve):
    api = serve("POST /pets")
    answer = api.request("POST", "/pets", content=b"", headers={"content-length": str(BODY_BYTES + 1)})
    assert seen(answer) == TOO_LARGE
    assert BODY_BYTES == 10_485_760


def test_a_body_over_10_mb_in_pieces_is_413_and_not_read_to_its_end(serve):
    read = []

    async def pieces():
        for number in range(100):
            read.append(number)
            yield b"x" * 1024 * 1024

    api = serve("POST /pets")
    assert seen(api.request("POST", "/pets", content=pieces())) == TOO_LARGE
    assert len(read) <= 12
    assert api.functions.invoked == []


def test_a_body_of_which_the_client_sent_only_a_part_reaches_no_function(serve):
    api = serve("POST /pets")
    sent = []

    async def disconnecting():
        messages = [{"type": "http.request", "body": b'{"a":', "more_body": True}, {"type": "http.disconnect"}]
        scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "path": "/pets", "raw_path": b"/pets",
            "query_string": b"", "headers": [], "client": ("192.0.2.1", 5),
        }  # fmt: skip

        async def receive():
            return messages.pop(0)

        async def send(message):
            sent.append(message)

        await api.application(scope, receive, send)

    asyncio.run(disconnecting())
    assert sent[0]["status"] == 400
    assert api.functions.invoked == []


def test_an_event_larger_than_a_function_takes_is_413(serve):
    api = serve("POST /pets")
    answer = api.request("POST", "/pets", content=b"x" * PAYLOAD_BYTES, headers={"content-type": "text/plain"})
    assert seen(answer) == TOO_LARGE
    assert api.functions.invoked == []


def test_an_answer_larger_than_a_function_may_give_is_500(serve, functions):
    functions.value = {"statusCode": 200, "body": "x" * PAYLOAD_BYTES}
    assert seen(serve("GET /pets", functions=functions).get("/pets")) == INTERNAL


def test_request_line_and_headers_have_10_240_bytes(serve):
    api = serve("GET /pets")

    def head(padding):
        return {"host": "h", "accept": "*", "accept-encoding": "x", "connection": "x", "user-agent": "x", "x": padding}

    rest = len(b"GET /pets HTTP/1.1\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in head("").items()))
    assert api.get("/pets", headers=head("a" * (10_240 - rest))).status_code == 200
    assert seen(api.get("/pets", headers=head("a" * (10_241 - rest)))) == failure(
        431, "Request Header Fields Too Large"
    )


def test_the_access_log_is_one_json_line_a_request(serve):
    api = serve("GET /pets/{id}")
    answer = api.get("/pets/1?secret=hidden", headers={"x-key": "hidden"})
    [line] = api.log
    assert "\n" not in line
    assert "hidden" not in line
    entry = json.loads(line)
    assert entry.pop("latencyMs") >= 0
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "api": "TestApi",
        "requestId": answer.headers["apigw-requestid"],
        "method": "GET",
        "routeKey": "GET /pets/{id}",
        "path": "/pets/1",
        "status": 200,
        "sourceIp": "192.0.2.1",
        "integrationStatus": 200,
    }
