"""Lambda proxy payloads, both formats and both directions: developer guide, `http-api-develop-integrations-lambda`."""

import base64

import pytest


def test_format_2_0_is_complete(serve):
    api = serve("POST /pets/{kind}", variables={"mode": "test"})
    answer = api.request(
        "POST",
        "/pets/dog?a=1&a=2&b=x%20y+z&c=",
        content='{"name": "Rex"}',
        headers=[("Content-Type", "application/json"), ("X-Twice", "1"), ("X-Twice", "2"), ("Cookie", "c=1; d=2"),
                 ("User-Agent", "tests"), ("Accept-Encoding", "identity"), ("Accept", "*/*")],
    )  # fmt: skip
    event = api.event
    context, headers = event.pop("requestContext"), event.pop("headers")
    assert event == {
        "version": "2.0",
        "routeKey": "POST /pets/{kind}",
        "rawPath": "/pets/dog",
        "rawQueryString": "a=1&a=2&b=x%20y+z&c=",
        "cookies": ["c=1", "d=2"],
        "queryStringParameters": {"a": "1,2", "b": "x y z", "c": ""},
        "pathParameters": {"kind": "dog"},
        "stageVariables": {"mode": "test"},
        "body": '{"name": "Rex"}',
        "isBase64Encoded": False,
    }
    assert headers.pop("x-amzn-trace-id").startswith("Root=1-")
    assert headers.pop("connection", None) is None
    assert headers == {
        "accept": "*/*",
        "accept-encoding": "identity",
        "content-length": "15",
        "content-type": "application/json",
        "host": "api.test",
        "user-agent": "tests",
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        "x-twice": "1,2",
    }
    assert context.pop("time").endswith(" +0000")
    assert context.pop("timeEpoch") > 1_700_000_000_000
    assert context.pop("requestId") == answer.headers["apigw-requestid"]
    assert context == {
        "accountId": "000000000000",
        "apiId": "a1b2c3d4e5",
        "domainName": "api.test",
        "domainPrefix": "api",
        "http": {
            "method": "POST",
            "path": "/pets/dog",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1",
            "userAgent": "tests",
        },
        "routeKey": "POST /pets/{kind}",
        "stage": "$default",
    }


def test_format_2_0_omits_empty_fields_but_never_the_query(serve):
    api = serve("GET /pets")
    api.get("/pets")
    assert set(api.event) == {
        "version", "routeKey", "rawPath", "rawQueryString", "headers", "requestContext", "isBase64Encoded",
    }  # fmt: skip
    assert api.event["rawQueryString"] == ""
    assert api.event["headers"]["content-length"] == "0"


def test_the_raw_path_is_decoded_and_the_raw_query_is_not(serve):
    # Observed at AWS, the name notwithstanding.
    api = serve("$default")
    api.get("/a%20b/c?q=%C3%A9")
    assert api.event["rawPath"] == "/a b/c"
    assert api.event["requestContext"]["http"]["path"] == "/a b/c"
    assert api.event["rawQueryString"] == "q=%C3%A9"
    assert api.event["queryStringParameters"] == {"q": "é"}


def test_a_clients_forwarding_and_trace_headers_are_kept(serve):
    api = serve("GET /pets")
    api.get(
        "/pets", headers={"x-forwarded-for": "203.0.113.9", "x-amzn-trace-id": "Root=1-1-1", "x-forwarded-proto": "x"}
    )
    headers = api.event["headers"]
    assert headers["x-forwarded-for"] == "203.0.113.9, 192.0.2.1"
    assert headers["x-amzn-trace-id"] == "Root=1-1-1"
    assert headers["x-forwarded-proto"] == "https"


@pytest.mark.parametrize(
    ("content_type", "encoded"),
    [
        ("application/json", False),
        ("application/json; charset=utf-8", False),
        ("text/csv", False),
        ("application/xml", False),
        ("application/javascript", False),
        ("image/png", True),
        ("application/octet-stream", True),
        ("multipart/form-data; boundary=x", True),
        # Surprising, and seen at AWS.
        ("application/x-www-form-urlencoded", True),
        (None, True),
    ],
)
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_bodies_are_base64_but_for_text_types(serve, operation, version, content_type, encoded):
    api = serve(paths={"/pets": {"post": operation(payloadFormatVersion=version)}})
    headers = {"content-type": content_type} if content_type else {}
    api.request("POST", "/pets", content="é=1".encode(), headers=headers)
    assert api.event["isBase64Encoded"] is encoded
    assert api.event["body"] == (base64.b64encode("é=1".encode()).decode() if encoded else "é=1")


def test_text_in_another_encoding_loses_nothing(serve):
    api = serve("POST /pets")
    api.request("POST", "/pets", content=b"\xe9", headers={"content-type": "text/plain"})
    assert api.event["isBase64Encoded"] is True
    assert base64.b64decode(api.event["body"]) == b"\xe9"


def test_a_body_that_arrives_in_pieces_is_whole(serve):
    async def pieces():
        yield b'{"a":'
        yield b"1}"

    api = serve("POST /pets")
    api.request("POST", "/pets", content=pieces(), headers={"content-type": "application/json"})
    assert api.event["body"] == '{"a":1}'
    assert api.event["headers"]["content-length"] == "7"
    assert "transfer-encoding" not in api.event["headers"]


def test_format_1_0_is_complete(serve, operation, secured, token):
    paths = {"/pets/{kind}": {"get": operation(payloadFormatVersion="1.0")}}
    api = serve(paths=paths, stage="dev", **secured)
    answer = api.get("/dev/pets/dog?a=1&a=2", headers=[("authorization", token()), ("x-twice", "1"), ("x-twice", "2")])
    event = api.event
    context, headers, several = event.pop("requestContext"), event.pop("headers"), event.pop("multiValueHeaders")
    assert event == {
        "version": "1.0",
        "resource": "/pets/{kind}",
        "path": "/dev/pets/dog",
        "httpMethod": "GET",
        "queryStringParameters": {"a": "1"},
        "multiValueQueryStringParameters": {"a": ["1", "2"]},
        "pathParameters": {"kind": "dog"},
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }
    assert headers["x-twice"] == "2"
    assert several["x-twice"] == ["1", "2"]
    assert context["authorizer"]["claims"]["sub"] == "user-1"
    assert context["authorizer"]["scopes"] is None
    assert context["identity"]["sourceIp"] == "192.0.2.1"
    assert context["identity"]["user"] is None
    assert context["requestId"] == context["extendedRequestId"] == answer.headers["apigw-requestid"]
    assert (context["stage"], context["path"], context["resourcePath"]) == ("dev", "/dev/pets/dog", "/pets/{kind}")
    assert context["requestTimeEpoch"] > 1_700_000_000_000


def test_format_1_0_has_null_where_there_is_nothing(serve, operation):
    api = serve(paths={"/pets": {"get": operation(payloadFormatVersion="1.0")}})
    api.get("/pets")
    absent = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body")
    assert [api.event[name] for name in absent] == [None] * 5
    assert api.event["requestContext"]["authorizer"] == {"claims": None, "scopes": None}


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ({"message": "é"}, '{"message":"é"}'),
        ([1, 2], "[1,2]"),
        ("Hello", "Hello"),
        (7, "7"),
        (None, "null"),
        ({}, "{}"),
    ],
)
def test_format_2_0_infers_an_answer_from_a_value_without_a_status(serve, functions, value, body):
    functions.value = value
    answer = serve("GET /pets", functions=functions).get("/pets")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == body


def test_format_1_0_infers_nothing(serve, operation, functions):
    functions.value = {"message": "no status"}
    api = serve(paths={"/pets": {"get": operation(payloadFormatVersion="1.0")}}, functions=functions)
    answer = api.get("/pets")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_status_headers_and_body_are_the_functions(serve, functions):
    functions.value = {
        "statusCode": "201",
        "headers": {"X-Count": 3, "Content-Type": "text/html", "X-No": None},
        "body": "<p>",
    }
    answer = serve("GET /pets", functions=functions).get("/pets")
    assert (answer.status_code, answer.text) == (201, "<p>")
    assert (answer.headers["x-count"], answer.headers["content-type"]) == ("3", "text/html")
    assert "x-no" not in answer.headers


def test_an_answer_without_content_type_is_plain_text(serve):
    assert serve("GET /pets").get("/pets").headers["content-type"] == "text/plain;charset=UTF-8"


def test_each_cookie_becomes_a_set_cookie_header(serve, functions):
    functions.value = {"statusCode": 200, "cookies": ["a=1; Secure", "b=2"], "headers": {"set-cookie": "c=3"}}
    answer = serve("GET /pets", functions=functions).get("/pets")
    assert answer.headers.get_list("set-cookie") == ["a=1; Secure", "b=2", "c=3"]


def test_a_base64_answer_is_decoded(serve, functions):
    functions.value = {"statusCode": 200, "body": base64.b64encode(b"\x00\xff").decode(), "isBase64Encoded": True}
    answer = serve("GET /pets", functions=functions).get("/pets")
    assert answer.content == b"\x00\xff"
    assert answer.headers["content-length"] == "2"


def test_format_1_0_merges_multi_value_headers(serve, operation, functions):
    functions.value = {"statusCode": 200, "headers": {"X-A": "1", "X-B": "2"}, "multiValueHeaders": {"x-a": ["1", "3"]}}
    api = serve(paths={"/pets": {"get": operation(payloadFormatVersion="1.0")}}, functions=functions)
    answer = api.get("/pets")
    assert answer.headers.get_list("x-a") == ["1", "3"]
    assert answer.headers["x-b"] == "2"


def test_the_gateways_own_headers_cannot_be_set(serve, functions):
    functions.value = {
        "statusCode": 200,
        "headers": {"apigw-requestid": "mine", "Content-Length": "99", "Connection": "x"},
    }
    api = serve("GET /pets", functions=functions)
    answer = api.get("/pets")
    assert answer.headers["apigw-requestid"] == api.event["requestContext"]["requestId"]
    assert answer.headers.get_list("content-length") == ["0"]
    assert "connection" not in answer.headers


def test_a_204_has_no_body(serve, functions):
    functions.value = {"statusCode": 204, "body": "ignored"}
    answer = serve("DELETE /pets", functions=functions).request("DELETE", "/pets")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    "value",
    [
        b"not json",
        {"statusCode": "many"},
        {"statusCode": 99},
        {"statusCode": True},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "body": "%%%", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["x"]},
        {"statusCode": 200, "headers": {"x": ["y"]}},
        {"statusCode": 200, "headers": {"x": "a\r\nset-cookie: evil=1"}},
        {"statusCode": 200, "headers": {"x y": "a"}},
        {"statusCode": 200, "cookies": "a=1"},
    ],
)
def test_a_malformed_answer_is_500(serve, functions, value):
    functions.value = value
    answer = serve("GET /pets", functions=functions).get("/pets")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
    assert "evil" not in str(answer.headers)
