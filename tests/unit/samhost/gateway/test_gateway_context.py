"""`$context`: what each variable is worth, during an exchange and after it."""

import pytest

from samhost.gateway import access_log, context
from samhost.gateway.api_types.http_api import HTTP_API
from samhost.gateway.document import load
from samhost.gateway.errors import ForbiddenError, IntegrationUnavailableError
from samhost.gateway.exchange import Exchange
from samhost.gateway.messages import Caller, Request, Response


@pytest.fixture
def exchange(definition, operation):
    paths = {"/pets/{id}": {"get": operation()}}
    api = load(definition(paths, stage="dev"), "us-east-1", "000000000000")

    async def receive():
        return {"type": "http.request", "body": b""}

    headers = [("host", "pets.example.com"), ("user-agent", "curl/8"), ("user-agent", "again")]
    request = Request("GET", "/dev/pets/1", "a=1", headers, "192.0.2.1", "HTTP/1.1", 100, receive)
    made = Exchange(api, request, request_id="ABCDEFGHIJKLMNO=", arrived=1_428_582_896.5)
    made.route = api.routes[0]
    return made


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accountId", "000000000000"),
        ("apiId", "a1b2c3d4e5"),
        ("domainName", "pets.example.com"),
        ("domainPrefix", "pets"),
        ("extendedRequestId", "ABCDEFGHIJKLMNO="),
        ("httpMethod", "GET"),
        ("identity.sourceIp", "192.0.2.1"),
        ("identity.userAgent", "curl/8,again"),
        ("path", "/dev/pets/1"),
        ("protocol", "HTTP/1.1"),
        ("requestId", "ABCDEFGHIJKLMNO="),
        ("requestTime", "09/Apr/2015:12:34:56 +0000"),
        ("requestTimeEpoch", "1428582896"),
        ("routeKey", "GET /pets/{id}"),
        ("stage", "dev"),
    ],
)
def test_what_is_known_of_a_request_from_the_start(exchange, name, value):
    assert context.value(exchange, name) == value


@pytest.mark.parametrize(
    "name", ["status", "responseLength", "responseLatency", "integrationStatus", "integration.latency", "dataProcessed"]
)
def test_what_only_the_end_knows_has_no_value_before_it(exchange, name):
    assert context.value(exchange, name) is None


def test_what_the_end_knows(exchange):
    exchange.response, exchange.response_seconds = Response(404, [], b"none"), 0.0124
    exchange.integration_status, exchange.backend_status, exchange.integration_seconds = 200, 404, 0.0101
    names = ("status", "responseLength", "responseLatency", "integration.status", "integrationStatus", "dataProcessed")
    assert [context.value(exchange, name) for name in names] == ["404", "4", "12", "404", "200", "104"]
    assert context.value(exchange, "integrationLatency") == "10"


def test_claims_are_text_and_lists_stand_in_brackets(exchange):
    exchange.caller = Caller({"sub": "user-1", "groups": ["a", "b"], "verified": True, "a.b": 1}, None)
    names = ("sub", "groups", "verified", "a.b", "other")
    assert [context.value(exchange, f"authorizer.claims.{name}") for name in names] == [
        "user-1", "[a b]", "true", "1", None,
    ]  # fmt: skip


def test_claims_as_a_whole_are_null(exchange):
    exchange.caller = Caller({"sub": "user-1"}, None)
    assert context.value(exchange, "authorizer.claims") is None


def test_an_open_route_has_no_claims(exchange):
    assert context.value(exchange, "authorizer.claims.sub") is None


def test_an_integrations_failure(exchange):
    exchange.failure = IntegrationUnavailableError("took too long")
    names = ("error.message", "error.messageString", "error.responseType", "integrationErrorMessage")
    assert [context.value(exchange, name) for name in names] == [
        "Service Unavailable", '"Service Unavailable"', "INTEGRATION_FAILURE", "took too long",
    ]  # fmt: skip
    assert context.value(exchange, "authorizer.error") is None


def test_an_authorizers_refusal(exchange):
    exchange.failure = ForbiddenError("Bearer", "expected scopes: [a]")
    assert context.value(exchange, "authorizer.error") == "expected scopes: [a]"
    assert context.value(exchange, "integration.error") is None


def test_names_that_aws_documents_are_known_even_where_nothing_here_has_them(exchange):
    for name in ("identity.userArn", "awsEndpointRequestId2", "customDomain.basePathMatched", "authorizer.anything"):
        assert context.is_known(name, HTTP_API)
        assert context.value(exchange, name) is None
    assert not context.is_known("nothing", HTTP_API)


def test_a_request_leaves_its_values_behind(serve, monkeypatch):
    api, seen = serve("GET /pets"), []
    monkeypatch.setattr(access_log, "line", lambda exchange, response: seen.append(exchange) or "{}")
    api.get("/pets")
    [exchange] = seen
    assert context.value(exchange, "status") == context.value(exchange, "integration.status") == "200"
    assert int(context.value(exchange, "integrationLatency")) <= int(context.value(exchange, "responseLatency"))
