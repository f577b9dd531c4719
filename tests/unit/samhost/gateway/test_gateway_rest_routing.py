"""REST APIs: stages in the path, resources, methods, and what is said where there is none."""

import pytest

from samhost.gateway.errors import ConfigurationError

from .rest_operations import BACKEND, EXTENSION, forwarding, proxy, sent


def seen(answer):
    return answer.status_code, answer.content, answer.headers["x-amzn-errortype"]


NO_STAGE = (403, b'{"message":"Forbidden"}', "ForbiddenException")
NO_ROUTE = (403, b'{"message":"Missing Authentication Token"}', "MissingAuthenticationTokenException")


def test_each_stage_is_served_under_its_name_with_its_own_variables(serve_rest):
    paths = {"/hello": {"get": proxy("http://${stageVariables.host}/${stageVariables.base}/hello")}}
    stages = {"dev": {"host": "dev.example", "base": "v2"}, "prod": {"host": "prod.example:81", "base": "v1"}}
    api = serve_rest(paths, stages=stages)
    assert api.get("/dev/hello").status_code == api.get("/prod/hello").status_code == 200
    assert [request.url for request in api.backend.requests] == [
        "http://dev.example/v2/hello",
        "http://prod.example:81/v1/hello",
    ]


@pytest.mark.parametrize("path", ["/", "/hello", "/DEV/hello", "/test/hello", "/$default/hello"])
def test_a_path_without_a_stage_is_forbidden(serve_rest, path):
    api = serve_rest({"/hello": {"get": proxy()}})
    assert seen(api.get(path)) == NO_STAGE
    assert not api.backend.requests


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/dev/bye"), ("POST", "/dev/hello"), ("OPTIONS", "/dev/hello"), ("GET", "/dev"), ("GET", "/dev/hello/a")],
)
def test_a_path_or_method_that_is_not_there_wants_a_token(serve_rest, method, path):
    assert seen(serve_rest({"/hello": {"get": proxy()}}).request(method, path)) == NO_ROUTE


@pytest.mark.parametrize("path", ["/dev/hello", "/dev/hello/"])
@pytest.mark.parametrize("written", ["/hello", "/hello/"])
def test_a_slash_at_the_end_means_nothing(serve_rest, written, path):
    assert serve_rest({written: {"get": proxy()}}).get(path).status_code == 200


@pytest.mark.parametrize("path", ["/dev", "/dev/"])
def test_the_root_has_a_method_of_its_own(serve_rest, path):
    assert serve_rest({"/": {"get": proxy()}}).get(path).status_code == 200


@pytest.mark.parametrize(
    ("path", "url"),
    [("/dev/a", "/literal"), ("/dev/b", "/one/b"), ("/dev/b/c", "/many/b/c"), ("/dev/b/c/", "/many/b/c")],
)
def test_a_literal_comes_before_a_variable_and_that_before_a_greedy_one(serve_rest, path, url):
    api = serve_rest(
        {
            "/{proxy+}": {f"{EXTENSION}any-method": forwarding(f"{BACKEND}/many/{{proxy}}")},
            "/{id}": {"get": forwarding(f"{BACKEND}/one/{{id}}", "id")},
            "/a": {"get": proxy(f"{BACKEND}/literal")},
        }
    )
    api.get(path)
    assert sent(api).url == BACKEND + url


def test_a_greedy_resource_does_not_take_what_is_missing_from_another(serve_rest):
    api = serve_rest(
        {"/{proxy+}": {f"{EXTENSION}any-method": forwarding(f"{BACKEND}/{{proxy}}")}, "/a": {"get": proxy()}}
    )
    assert seen(api.request("POST", "/dev/a")) == NO_ROUTE
    assert api.request("POST", "/dev/b").status_code == 200


def test_an_exact_method_comes_before_any(serve_rest):
    operations = {f"{EXTENSION}any-method": proxy(f"{BACKEND}/any"), "put": proxy(f"{BACKEND}/put")}
    api = serve_rest({"/a": operations})
    api.request("PUT", "/dev/a")
    api.request("PATCH", "/dev/a")
    assert [request.url for request in api.backend.requests] == [f"{BACKEND}/put", f"{BACKEND}/any"]


def test_each_answer_names_its_request(serve_rest):
    api = serve_rest({"/hello": {"get": proxy()}})
    answers = [api.get(path) for path in ("/dev/hello", "/dev/hello", "/dev/nowhere", "/")]
    ids = [answer.headers["x-amzn-requestid"] for answer in answers]
    assert all(len(request_id) == 36 for request_id in ids)
    assert len(set(ids)) == 4
    assert all(answer.headers["x-amz-apigw-id"] for answer in answers)
    assert not any("apigw-requestid" in answer.headers for answer in answers)


def test_the_log_names_stage_and_resource(serve_rest):
    log_format = (
        '{"a": "$context.stage $context.resourcePath $context.path $context.requestId $context.extendedRequestId"}'
    )
    stages = {"dev": {}, "prod": {}}
    api = serve_rest({"/hello": {"get": proxy()}}, stages=stages, settings={"accessLogFormat": log_format})
    answer = api.get("/prod/hello")
    headers = answer.headers
    assert api.last_log["a"] == (f"prod /hello /prod/hello {headers['x-amzn-requestid']} {headers['x-amz-apigw-id']}")


def test_throttling_is_by_stage_and_method(serve_rest):
    settings = {
        "methodSettings": [
            {"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 0, "ThrottlingBurstLimit": 2},
            {"ResourcePath": "/~1a~1b", "HttpMethod": "GET", "ThrottlingRateLimit": 0, "ThrottlingBurstLimit": 0},
        ]
    }
    stages = {"dev": {}, "prod": {}}
    api = serve_rest({"/a": {"get": proxy()}, "/a/b": {"get": proxy()}}, stages=stages, settings=settings)
    assert [api.get("/dev/a").status_code for _ in range(3)] == [200, 200, 429]
    assert api.get("/prod/a").status_code == 200
    assert seen(api.get("/dev/a/b")) == (429, b'{"message":"Too Many Requests"}', "TooManyRequestsException")


def test_throttling_of_a_method_that_is_not_there_is_refused(serve_rest):
    settings = {"methodSettings": [{"ResourcePath": "/b", "HttpMethod": "GET", "ThrottlingRateLimit": 1}]}
    with pytest.raises(ConfigurationError, match="GET /b"):
        serve_rest({"/a": {"get": proxy()}}, settings=settings)
