"""HTTP proxy integrations, in process: developer guide, `http-api-develop-integrations-http`.

What is made of it on the wire is in tests/integration/test_http_proxy.py.
"""

import pytest

from samhost.gateway.connections import BadAnswerError, NoAnswerError, UnreachableError
from samhost.gateway.messages import Response

BACKEND = "https://backend.example"


@pytest.fixture
def proxy(serve, operation, backend):
    """Serve a route that a URL answers: `proxy(key, uri, **changes_of_the_integration)`."""

    def build(key="GET /pets", uri=f"{BACKEND}/pets", *, options=None, **changes):
        method, _, path = key.partition(" ")
        name = {"ANY": "x-amazon-apigateway-any-method"}.get(method, method.lower())
        fields = {"type": "http_proxy", "httpMethod": "ANY", "payloadFormatVersion": "1.0", "uri": uri} | changes
        return serve(paths={path: {name: operation(**fields)}}, backend=backend, **(options or {}))

    return build


def sent(api):
    [request] = api.backend.requests
    return request


def test_method_path_query_and_body_go_on_and_the_answer_comes_back(proxy, backend):
    backend.response = Response(418, [("content-type", "text/tea"), ("set-cookie", "a=1"), ("set-cookie", "b=2")], b"!")
    api = proxy("ANY /pets")
    answer = api.request("PATCH", "/pets?a=1&a=2&b=%20", content=b"\x00body")
    request = sent(api)
    assert (request.method, request.url, request.body) == ("PATCH", f"{BACKEND}/pets?a=1&a=2&b=%20", b"\x00body")
    assert (answer.status_code, answer.content) == (418, b"!")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["content-length"] == "1"
    assert api.last_log["integrationStatus"] == 418


def test_an_integrations_own_method_is_used_instead_of_the_clients(proxy):
    api = proxy("POST /pets", httpMethod="PUT")
    api.request("POST", "/pets")
    assert sent(api).method == "PUT"


@pytest.mark.parametrize(
    ("key", "uri", "asked", "url"),
    [
        ("GET /pets/{id}", "/animals/{id}", "/pets/6", "/animals/6"),
        ("GET /pets/{id}/toys/{toy}", "/{toy}/of/{id}", "/pets/6/toys/7", "/7/of/6"),
        # A greedy variable stands in the URI with its plus or without.
        ("GET /{proxy+}", "/petstore/{proxy+}", "/a/b/c", "/petstore/a/b/c"),
        ("GET /{proxy+}", "/petstore/{proxy}", "/a/b/", "/petstore/a/b/"),
        ("GET /pets/{id}", "/search?id={id}", "/pets/6?b=1", "/search?id=6&b=1"),
        ("GET /pets", "/fixed?a=1", "/pets", "/fixed?a=1"),
        ("GET /pets", "", "/pets?b=1", "/?b=1"),
        ("GET /pets", "?a=1", "/pets?b=1", "/?a=1&b=1"),
        ("GET /pets", ":8443/a", "/pets", ":8443/a"),
        ("GET /pets", ":443/a", "/pets", "/a"),
    ],
)
def test_path_variables_are_put_into_the_uri(proxy, key, uri, asked, url):
    api = proxy(key, BACKEND + uri)
    api.get(asked)
    assert sent(api).url == BACKEND + url


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("a%20b", "a%20b"),
        ("%C3%A9%F0%9F%90%95", "%C3%A9%F0%9F%90%95"),
        ("%3Fadmin=1", "%3Fadmin=1"),  # `=` may stand in a path, a question mark ends it
        ("a%23b", "a%23b"),
        ("%25%32%65", "%25%32%65"),
        ("%0d%0aX:1", "%0D%0AX:1"),
        ("%7Bid%7D", "%7Bid%7D"),
        ("%22%5C", "%22%5C"),
    ],
)
def test_a_path_variable_cannot_leave_its_place_in_the_uri(proxy, value, encoded):
    api = proxy("GET /pets/{id}", f"{BACKEND}/pets/{{id}}/toys")
    api.get(f"/pets/{value}")
    assert sent(api).url == f"{BACKEND}/pets/{encoded.replace('%25%32%65', '%252e')}/toys"


def test_stage_variables_are_put_into_the_uri(proxy):
    options = {"variables": {"host": "blue.example:8080", "base": "v1/pets"}}
    api = proxy(uri="http://${stageVariables.host}/${stageVariables.base}", options=options)
    api.get("/pets")
    assert sent(api).url == "http://blue.example:8080/v1/pets"


def test_a_stage_is_not_part_of_the_uri(proxy):
    api = proxy("GET /{proxy+}", f"{BACKEND}/{{proxy}}", options={"stage": "dev"})
    api.get("/dev/pets")
    assert sent(api).url == f"{BACKEND}/pets"


def test_headers_go_on_but_for_those_of_the_connection(proxy):
    api = proxy()
    headers = [("x-twice", "1"), ("x-twice", "2"), ("authorization", "token"), ("cookie", "a=1"),
               ("connection", "close, X-Mine"), ("x-mine", "1"), ("te", "trailers"), ("upgrade", "h2c"),
               ("keep-alive", "timeout=5"), ("expect", "100-continue"), ("user-agent", "tests")]  # fmt: skip
    api.get("/pets", headers=headers)
    names = [name for name, _ in sent(api).headers]
    assert names.count("x-twice") == 2
    assert {"authorization", "cookie", "user-agent"} <= set(names)
    assert not {"connection", "x-mine", "te", "upgrade", "keep-alive", "expect", "content-length"} & set(names)


def test_a_backend_sees_its_own_name_as_the_host_unless_the_api_gives_it_another(proxy):
    named = {"overwrite:header.host": "pets.internal"}
    for parameters, host in (({}, "backend.example"), (named, "pets.internal")):
        api = proxy(requestParameters=parameters)
        api.get("/pets")
        assert [value for name, value in api.backend.requests.pop().headers if name == "host"] == [host]


def test_a_backend_sees_who_asked_in_forwarded_and_via(proxy):
    api = proxy()
    api.get("/pets", headers={"forwarded": "for=203.0.113.9", "via": "1.1 cache"})
    headers = dict(sent(api).headers)
    assert headers["forwarded"].startswith("for=203.0.113.9, by=")
    assert headers["forwarded"].endswith(";for=192.0.2.1;host=api.test;proto=https")
    assert headers["via"] == "1.1 cache, HTTP/1.1 AmazonAPIGateway"


def test_mapped_parameters_go_on_instead_of_the_clients(proxy):
    mapping = {
        "overwrite:path": "/other/${request.path.id}",
        "overwrite:header.x-id": "$request.path.id",
        "append:querystring.id": "$request.path.id",
    }
    api = proxy("GET /pets/{id}", f"{BACKEND}/base/{{id}}", requestParameters=mapping)
    api.get("/pets/a%20b?c=1", headers={"x-id": "mine"})
    assert sent(api).url == f"{BACKEND}/other/a%20b?c=1&id=a+b"
    assert dict(sent(api).headers)["x-id"] == "a b"


def test_responses_are_mapped_by_their_status(proxy, backend):
    backend.response = Response(500, [("x-secret", "1")], b"")
    api = proxy(responseParameters={"500": {"overwrite:statuscode": "502", "remove:header.x-secret": ""}})
    answer = api.get("/pets")
    assert answer.status_code == 502
    assert "x-secret" not in answer.headers


def test_a_backends_500_passes_as_it_is(proxy, backend):
    backend.response = Response(500, [("content-type", "text/html")], b"<h1>Oops</h1>")
    answer = proxy().get("/pets")
    assert (answer.status_code, answer.content) == (500, b"<h1>Oops</h1>")


def test_a_backend_that_takes_too_long_is_503(proxy, backend):
    backend.seconds = 60
    answer = proxy(timeoutInMillis=50).get("/pets")
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})


@pytest.mark.parametrize(
    ("failure", "status"),
    [(UnreachableError("refused"), 503), (NoAnswerError("closed"), 503), (BadAnswerError("garbage"), 500)],
)
def test_a_backend_that_fails_is_an_error_of_the_gateway_and_the_next_request_is_served(
    proxy, backend, failure, status
):
    backend.failure = failure
    api = proxy()
    assert api.get("/pets").status_code == status
    assert api.last_log["error"] == f"backend.example/pets: {failure}"
    backend.failure = None
    assert api.get("/pets").status_code == 200
