"""CORS: developer guide, `http-api-cors`. What a disallowed origin gets is not documented; here, no CORS header."""

import pytest

from samhost.gateway.errors import ConfigurationError

CONFIGURATION = {
    "allowOrigins": ["https://app.example", "http://localhost:8000"],
    "allowMethods": ["GET", "POST"],
    "allowHeaders": ["authorization", "content-type"],
    "exposeHeaders": ["apigw-requestid"],
    "maxAge": 3600,
}
ORIGIN = {"origin": "https://app.example"}
PREFLIGHT = ORIGIN | {"access-control-request-method": "POST"}


def cors_headers(answer):
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.fixture
def with_cors(serve):
    def build(*keys, **options):
        changes = options.pop("cors", {})
        return serve(*keys, **options, **{"x-amazon-apigateway-cors": CONFIGURATION | changes})

    return build


def test_a_preflight_is_answered_without_a_route(with_cors):
    api = with_cors("GET /pets")
    answer = api.request("OPTIONS", "/anything", headers=PREFLIGHT)
    assert answer.status_code == 204
    assert answer.content == b""
    assert "content-length" not in answer.headers
    assert answer.headers["apigw-requestid"]
    assert cors_headers(answer) == {
        "access-control-allow-origin": "https://app.example",
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "authorization,content-type",
        "access-control-max-age": "3600",
    }
    assert api.functions.invoked == []


def test_a_preflight_passes_the_authorizer_of_other_methods(with_cors, secured):
    api = with_cors("POST /pets", **secured)
    assert api.request("OPTIONS", "/pets", headers=PREFLIGHT).status_code == 204


@pytest.mark.parametrize("missing", ["origin", "access-control-request-method"])
def test_a_preflight_needs_origin_and_requested_method(with_cors, missing):
    headers = {name: value for name, value in PREFLIGHT.items() if name != missing}
    assert with_cors("GET /pets").request("OPTIONS", "/pets", headers=headers).status_code == 404


def test_without_configuration_options_needs_a_route(serve):
    answer = serve("GET /pets").request("OPTIONS", "/pets", headers=PREFLIGHT)
    assert answer.status_code == 404
    assert cors_headers(answer) == {}


def test_a_default_route_with_an_authorizer_swallows_options(with_cors, secured, operation):
    api = with_cors("$default", **secured)
    assert api.request("OPTIONS", "/pets", headers=PREFLIGHT).status_code == 401
    open_options = {"/{proxy+}": {"options": operation() | {"security": []}}}
    api = with_cors("$default", paths=open_options, **secured)
    answer = api.request("OPTIONS", "/pets", headers=PREFLIGHT)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-methods"] == "GET,POST"


def test_an_answer_tells_the_allowed_origin_and_the_exposed_headers(with_cors):
    answer = with_cors("GET /pets").get("/pets", headers=ORIGIN)
    assert cors_headers(answer) == {
        "access-control-allow-origin": "https://app.example",
        "access-control-expose-headers": "apigw-requestid",
    }


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}, {"origin": "https://app.example.evil"}])
def test_other_origins_are_told_nothing(with_cors, headers):
    api = with_cors("GET /pets")
    assert cors_headers(api.get("/pets", headers=headers)) == {}
    preflight = api.request("OPTIONS", "/pets", headers=PREFLIGHT | {"origin": "https://evil.example"})
    assert cors_headers(preflight) == {}


@pytest.mark.parametrize(
    ("allowed", "origin", "told"),
    [
        ("*", "https://a.example", "*"),
        ("https://*", "https://a.example", "https://a.example"),
        ("https://*", "http://a.example", None),
        ("http://*", "http://localhost:1", "http://localhost:1"),
    ],
)
def test_wildcards_of_origins(with_cors, allowed, origin, told):
    api = with_cors("GET /pets", cors={"allowOrigins": [allowed]})
    assert api.get("/pets", headers={"origin": origin}).headers.get("access-control-allow-origin") == told


def test_credentials_are_allowed_where_configured(with_cors):
    api = with_cors("GET /pets", cors={"allowCredentials": True})
    assert api.get("/pets", headers=ORIGIN).headers["access-control-allow-credentials"] == "true"


def test_credentials_for_any_origin_are_refused_when_the_api_is_loaded(with_cors):
    with pytest.raises(ConfigurationError, match="allowCredentials"):
        with_cors("GET /pets", cors={"allowCredentials": True, "allowOrigins": ["*"]})


def test_a_list_parameter_resolved_to_text_is_a_list(with_cors):
    api = with_cors("GET /pets", cors={"allowOrigins": "http://a, http://b"})
    assert api.get("/pets", headers={"origin": "http://b"}).headers["access-control-allow-origin"] == "http://b"


def test_errors_carry_cors_headers_too(with_cors, secured):
    api = with_cors("GET /pets", **secured)
    unauthorized, absent = api.get("/pets", headers=ORIGIN), api.get("/nowhere", headers=ORIGIN)
    assert (unauthorized.status_code, absent.status_code) == (401, 404)
    for answer in (unauthorized, absent):
        assert answer.headers["access-control-allow-origin"] == "https://app.example"


def test_a_backends_cors_headers_are_ignored_where_cors_is_configured(serve, with_cors, functions):
    functions.value = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "https://backend.example"}}
    assert cors_headers(with_cors("GET /pets", functions=functions).get("/pets")) == {}
    passed = serve("GET /pets", functions=functions).get("/pets")
    assert cors_headers(passed) == {"access-control-allow-origin": "https://backend.example"}
