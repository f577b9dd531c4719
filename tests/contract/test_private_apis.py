"""The OpenAPI documents of APIs in front of containers: who calls, through what, and examples that validate."""

import pytest
from openapi_schema_validator import OAS30Validator

from stacks import INTEGRATION, http_apis, operations, resolved


@pytest.mark.parametrize("document", http_apis())
def test_who_calls_is_said_by_the_gateway_alone(document):
    for route, operation in operations(document).items():
        changes = operation[INTEGRATION]["requestParameters"]
        if operation.get("security"):
            assert operation["security"] == [{"cognito": ["docscan/use"]}], route
            assert changes["overwrite:header.x-user"] == "$context.authorizer.claims.sub", route
        else:
            assert "remove:header.x-user" in changes, route
            assert "overwrite:header.x-user" not in changes, route
        assert changes["overwrite:path"] == "$request.path", f"{route} would get the stage in its path"


@pytest.mark.parametrize("document", http_apis())
def test_a_private_api_is_reached_through_the_vpc_link_and_trusts_the_scanner_s_clients(document):
    authorizer = document["components"]["securitySchemes"]["cognito"]["x-amazon-apigateway-authorizer"]

    for route, operation in operations(document).items():
        assert operation[INTEGRATION]["connectionType"] == "VPC_LINK", route
        assert operation[INTEGRATION]["connectionId"] == {"Ref": "VpcLinkId"}, route
    assert authorizer["jwtConfiguration"]["issuer"]["Fn::Sub"].endswith("amazonaws.com/${UserPoolId}")
    assert authorizer["jwtConfiguration"]["audience"] == [{"Ref": "WebClientId"}, {"Ref": "CliClientId"}]
    assert document["x-amazon-apigateway-cors"]["allowOrigins"] == {"Ref": "AllowedOrigins"}


def json_bodies(document, operation):
    """The JSON bodies of an operation, its request's and its answers'."""
    parts = [operation.get("requestBody", {}), *operation.get("responses", {}).values()]
    contents = [resolved(document, part).get("content", {}) for part in parts]
    return [content["application/json"] for content in contents if "application/json" in content]


def example(document, schema):
    """The example of a schema: its own, or what those of its parts make."""
    schema = resolved(document, schema)
    if "example" in schema:
        return schema["example"]
    if schema["type"] == "array":
        return [example(document, schema["items"])]
    if "enum" in schema:
        return schema["enum"][0]
    return {name: example(document, part) for name, part in schema["properties"].items() if name in schema["required"]}


@pytest.mark.parametrize("document", http_apis())
def test_examples_of_requests_and_answers_of_services_are_there_and_valid(document):
    for operation in operations(document).values():
        for body in json_bodies(document, operation):
            whole = body["schema"] | {"components": document["components"]}
            OAS30Validator(whole).validate(body.get("example") or example(document, body["schema"]))


@pytest.mark.parametrize("document", http_apis())
def test_an_api_of_services_says_what_everybody_may_meet(document):
    for route, operation in operations(document).items():
        if route[0] in {"ANY", "OPTIONS"}:
            continue
        responses = operation["responses"].keys()
        assert {"429", "503"} <= responses, route
        assert bool(operation.get("security")) == ({"401", "403"} <= responses), route
