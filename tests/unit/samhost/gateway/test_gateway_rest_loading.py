"""REST APIs: what is refused when they are loaded, by name."""

import pytest

from samhost.gateway.errors import ConfigurationError

from .rest_operations import BACKEND, EXTENSION, forwarding, proxy


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ({}, "a method without an integration"),
        (proxy(type="aws"), "the integration type aws"),
        (proxy(type="mock"), "the integration type mock"),
        (proxy(type="aws_proxy"), "not a Lambda function's"),
        (proxy(type="http"), "the integration type http"),
        (proxy(timeoutInMillis=29_001), "timeoutInMillis 29001"),
        (proxy(timeoutInMillis=49), "timeoutInMillis 49"),
        (proxy("http://${stageVariables.missing}"), "the stage variable missing"),
        (proxy("https://sqs.us-east-1.amazonaws.com/{id}"), "integration.request.path.id"),
        (proxy("ftp://a"), "no http or https URL"),
        (proxy(requestTemplates={"application/json": "{}"}), "requestTemplates"),
        (proxy(requestParameters={"integration.request.header.a": "method.request.header.b"}), "do not declare"),
        (proxy(requestParameters={"integration.request.header.a": "$request.header.b"}), "begins with none of"),
        (proxy(requestParameters={"integration.request.header.a": "context.routeKey"}), "REST APIs do not have"),
        (proxy(requestParameters={"integration.request.header.Host": "'a'"}), "the header host"),
        (proxy(requestParameters={"overwrite:path": "/a"}), "overwrite:path"),
        (proxy(security=[{"key": []}]), "the security scheme key"),
        (proxy() | {f"{EXTENSION}auth": {"type": "AWS_IAM"}}, "AWS_IAM"),
        (proxy() | {f"{EXTENSION}request-validator": "all"}, "request-validator"),
    ],
)
def test_what_is_not_emulated_is_501_and_the_other_routes_work(serve_rest, operation, reason):
    schemes = {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}
    api = serve_rest({"/a": {"get": operation}, "/b": {"get": proxy()}}, components={"securitySchemes": schemes})
    answer = api.get("/dev/a")
    assert answer.status_code == 501
    assert reason in answer.json()["message"]
    assert [key for key, _ in api.api.refused] == ["GET /a"]
    assert api.get("/dev/b").status_code == 200


@pytest.mark.parametrize("member", ["policy", "request-validator"])
def test_what_concerns_every_route_refuses_every_route(serve_rest, member):
    api = serve_rest({"/a": {"get": proxy()}}, **{f"{EXTENSION}{member}": {"a": "b"}})
    assert api.get("/dev/a").status_code == 501


@pytest.mark.parametrize("security", [[], [{"NONE": []}]])
def test_a_route_without_a_scheme_is_open_whatever_the_document_says(serve_rest, security):
    operation = proxy() if not security else proxy(security=security)
    assert serve_rest({"/a": {"get": operation}}, security=[{"key": []}]).get("/dev/a").status_code == 200


def test_parameters_may_be_declared_for_all_methods_of_a_path_or_elsewhere(serve_rest):
    operation = forwarding(f"{BACKEND}/{{id}}", "id") | {"parameters": []}
    parameter = {"in": "path", "name": "id"}
    paths = {"/{id}": {"get": operation, "parameters": [{"$ref": "#/components/parameters/id"}]}}
    assert serve_rest(paths, components={"parameters": {"id": parameter}}).get("/dev/7").status_code == 200


def test_swagger_is_taken_too(serve_rest):
    api = serve_rest({"/a": {"get": proxy()}}, openapi=None, swagger="2.0")
    assert api.get("/dev/a").status_code == 200


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"openapi": "3.1.0"}, "OpenAPI 3.0"), ({"stages": {"$default": {}}}, "stage's name"),
     ({"stages": {"dev": {"a b": "c"}}}, "stage variable")],
)  # fmt: skip
def test_what_api_gateway_would_not_import_is_refused_as_a_whole(serve_rest, options, reason):
    with pytest.raises(ConfigurationError, match=reason):
        serve_rest({"/a": {"get": proxy()}}, **options)
