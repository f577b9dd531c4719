"""REST APIs: HTTP proxy integrations; what goes on and comes back, and what is said of failures."""

import pytest

from samhost.gateway.errors import IntegrationFailedError, IntegrationUnavailableError
from samhost.gateway.messages import BODY_BYTES, Response

from .rest_operations import BACKEND, forwarding, proxy, sent


def answered(answer):
    return answer.status_code, answer.content, answer.headers["x-amzn-errortype"]


def test_method_query_and_body_go_on_and_the_answer_comes_back(serve_rest, backend):
    backend.response = Response(418, [("content-type", "text/tea"), ("set-cookie", "a=1"), ("set-cookie", "b=2")], b"!")
    api = serve_rest({"/tea": {"post": proxy(f"{BACKEND}/tea", "PUT")}}, backend=backend)
    answer = api.request("POST", "/dev/tea?a=1&a=2&b=%20", content=b"\x00body")
    request = sent(api)
    assert (request.method, request.url, request.body) == ("PUT", f"{BACKEND}/tea?a=1&a=2&b=%20", b"\x00body")
    assert (answer.status_code, answer.content) == (418, b"!")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("method.request.path.id", "a%20b"),
        ("method.request.querystring.q", "2"),  # of several the last one
        ("method.request.header.X-Id", "two"),
        ("method.request.multivalueheader.X-Id", "one,two"),
        ("method.request.body.pet.name", "Rex"),
        ("stageVariables.colour", "blue"),
        ("context.stage", "dev"),
        ("context.resourcePath", "/pets/%7Bid%7D"),
        ("'static/text'", "static/text"),
        ("method.request.header.X-None", ""),
    ],
)
def test_a_variable_of_the_uri_has_the_value_that_is_mapped_to_it(serve_rest, source, value):
    declared = ["path.id", "querystring.q", "header.x-id", "header.X-None"]
    mapping = {"integration.request.path.part": source}
    operation = proxy(f"{BACKEND}/parts/{{part}}/end", parameters=declared, requestParameters=mapping)
    api = serve_rest({"/pets/{id}": {"post": operation}}, stages={"dev": {"colour": "blue"}})
    headers = [("x-id", "one"), ("x-id", "two")]
    api.request("POST", "/dev/pets/a%20b?q=1&q=2", headers=headers, content=b'{"pet": {"name": "Rex"}}')
    assert sent(api).url == f"{BACKEND}/parts/{value}/end?q=1&q=2"


@pytest.mark.parametrize("value", ["%3Fadmin=1", "a%23b", "%2e%2e%2fx", "%0d%0aX:1"])
def test_a_path_variable_cannot_end_the_path(serve_rest, value):
    api = serve_rest({"/{proxy+}": {"get": forwarding(f"{BACKEND}/base/{{proxy}}/end")}})
    api.get(f"/dev/{value}")
    url = sent(api).url
    assert url.startswith(f"{BACKEND}/base/")
    assert url.endswith("/end")
    assert not {"?", "#", "\r", "\n"} & set(url)


def test_headers_and_the_query_are_mapped_in_the_place_of_the_clients(serve_rest):
    mapping = {
        "integration.request.header.X-User": "'somebody'",
        "integration.request.header.x-blank": "''",
        "integration.request.header.x-absent": "context.authorizer.claims.sub",
        "integration.request.querystring.stage": "context.stage",
    }
    api = serve_rest({"/a": {"get": proxy(requestParameters=mapping)}})
    api.get("/dev/a?b=1&stage=x", headers={"x-user": "me", "x-blank": "me", "x-absent": "me", "x-other": "me"})
    headers = dict(sent(api).headers)
    assert (headers["x-user"], headers["x-blank"], headers["x-other"]) == ("somebody", "", "me")
    assert "x-absent" not in headers  # a client cannot say what nothing is mapped to
    assert sent(api).url == f"{BACKEND}/?b=1&stage=dev"


def test_headers_go_on_but_for_those_that_rest_apis_drop(serve_rest):
    api = serve_rest({"/a": {"get": proxy()}})
    dropped = ["content-md5", "max-forwards", "proxy-authenticate", "server", "te", "trailer", "upgrade", "via",
               "www-authenticate", "content-encoding", "expect", "connection", "x-mine"]  # fmt: skip
    headers = dict.fromkeys(dropped, "1") | {"connection": "X-Mine", "authorization": "token", "cookie": "a=1"}
    api.get("/dev/a", headers=headers)
    names = {name for name, _ in sent(api).headers}
    assert {"authorization", "cookie", "user-agent"} <= names
    assert not names & {*dropped, "content-length", "forwarded"}
    assert [value for name, value in sent(api).headers if name == "host"] == ["backend.example"]


def test_no_client_takes_a_mapped_header_away_by_calling_it_the_connections(serve_rest):
    api = serve_rest({"/a": {"get": proxy(requestParameters={"integration.request.header.x-user": "'somebody'"})}})
    api.get("/dev/a", headers={"connection": "x-user", "x-user": "me"})
    assert dict(sent(api).headers)["x-user"] == "somebody"


def test_a_signature_is_not_passed_on(serve_rest):
    api = serve_rest({"/a": {"get": proxy()}})
    api.get("/dev/a", headers={"authorization": "AWS4-HMAC-SHA256 Credential=a"})
    assert "authorization" not in dict(sent(api).headers)


def test_a_backend_sees_who_asked_and_by_which_api(serve_rest):
    api = serve_rest({"/a": {"get": proxy()}})
    forged = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "http", "x-amzn-apigateway-api-id": "forged"}
    forged["connection"] = "x-forwarded-for, x-forwarded-proto"
    api.get("/dev/a", headers=forged)
    headers = dict(sent(api).headers)
    assert headers["x-forwarded-for"] == "203.0.113.9, 192.0.2.1"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("https", "443")
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert [value for name, value in sent(api).headers if name == "x-amzn-apigateway-api-id"] == ["a1b2c3d4e5"]


def test_headers_that_the_gateway_says_itself_come_back_under_other_names(serve_rest, backend):
    backend.response = Response(
        200,
        [("date", "d"), ("server", "s"), ("connection", "close, x-own"), ("content-length", "4"), ("x-own", "1"),
         ("www-authenticate", "Basic"), ("authorization", "a"), ("transfer-encoding", "chunked"), ("via", "v"),
         ("x-kept", "1"), ("content-type", "text/plain"), ("x-amzn-requestid", "mine"), ("keep-alive", "5")],
        b"body",
    )  # fmt: skip
    headers = serve_rest({"/a": {"get": proxy()}}, backend=backend).get("/dev/a").headers
    remapped = {name.removeprefix("x-amzn-remapped-"): text for name, text in headers.items() if "remapped" in name}
    assert remapped == {
        "date": "d", "server": "s", "connection": "close, x-own", "content-length": "4", "www-authenticate": "Basic",
        "authorization": "a", "x-amzn-requestid": "mine",
    }  # fmt: skip
    rest = {name for name in headers if "remapped" not in name}
    assert rest == {"x-kept", "content-type", "content-length", "x-amzn-requestid", "x-amz-apigw-id"}
    assert headers["content-length"] == "4"


def test_an_answer_without_a_type_is_called_json(serve_rest, backend):
    backend.response = Response(200, [], b"?")
    answer = serve_rest({"/a": {"get": proxy()}}, backend=backend).get("/dev/a")
    assert answer.headers["content-type"] == "application/json"


def test_an_answer_to_head_says_how_long_the_body_would_be(serve_rest, backend):
    backend.response = Response(200, [("content-length", "1234")], b"")
    answer = serve_rest({"/a": {"head": proxy()}}, backend=backend).request("HEAD", "/dev/a")
    assert answer.headers.get_list("content-length") == ["1234"]


def test_a_backends_500_passes_as_it_is(serve_rest, backend):
    backend.response = Response(500, [("content-type", "text/html")], b"<h1>Oops</h1>")
    answer = serve_rest({"/a": {"get": proxy()}}, backend=backend).get("/dev/a")
    assert (answer.status_code, answer.content) == (500, b"<h1>Oops</h1>")
    assert "x-amzn-errortype" not in answer.headers


def test_a_backend_that_takes_too_long_is_504(serve_rest, backend):
    backend.seconds = 60
    answer = serve_rest({"/a": {"get": proxy(timeoutInMillis=50)}}, backend=backend).get("/dev/a")
    expected = 504, b'{"message": "Endpoint request timed out"}', "InternalServerErrorException"
    assert answered(answer) == expected


@pytest.mark.parametrize(
    ("failure", "status", "message"),
    [
        (IntegrationUnavailableError("refused"), 504, b'{"message": "Network error communicating with endpoint"}'),
        (IntegrationFailedError("garbage"), 502, b'{"message": "Internal server error"}'),
        (RuntimeError("a defect"), 500, b'{"message": "Internal server error"}'),
    ],
)
def test_a_backend_that_fails_is_an_error_of_the_gateway(serve_rest, backend, failure, status, message):
    backend.failure = failure
    api = serve_rest({"/a": {"get": proxy()}}, backend=backend)
    assert answered(api.get("/dev/a")) == (status, message, "InternalServerErrorException")
    backend.failure = None
    assert api.get("/dev/a").status_code == 200


def test_the_log_says_what_the_client_was_told(serve_rest, backend):
    backend.seconds = 60
    settings = {"accessLogFormat": '{"a": "$context.status $context.error.message $context.error.responseType"}'}
    api = serve_rest({"/a": {"get": proxy(timeoutInMillis=50)}}, backend=backend, settings=settings)
    api.get("/dev/a")
    assert api.last_log["a"] == "504 Endpoint request timed out INTEGRATION_TIMEOUT"


def test_a_body_over_10_mb_is_refused_in_plain_text(serve_rest):
    api = serve_rest({"/a": {"post": proxy()}})
    answer = api.request("POST", "/dev/a", content=b"x" * (BODY_BYTES + 1))
    assert (answer.status_code, answer.content) == (413, b"HTTP content length exceeded 10485760 bytes.")
    assert answer.headers["content-type"] == "text/plain"
    assert not api.backend.requests
