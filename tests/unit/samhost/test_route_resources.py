"""HTTP APIs that are written resource by resource, as documents."""

import pytest

from samhost.errors import TemplateError
from samhost.route_resources import with_routes

API = {"Ref": "Api"}
FUNCTION = {"Fn::GetAtt": ["F", "Arn"]}
INTEGRATION = {"ApiId": API, "IntegrationType": "AWS_PROXY", "IntegrationUri": FUNCTION, "PayloadFormatVersion": "2.0"}
TARGET = {"Fn::Sub": "integrations/${Backend}"}


def resource(kind, condition=None, **properties):
    made = {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": {"ApiId": API} | properties}
    return made | ({"Condition": condition} if condition else {})


def document(*, api=None, body=None, integration=None, **resources):
    backend = {"Type": "AWS::ApiGatewayV2::Integration", "Properties": integration or INTEGRATION}
    return with_routes("Api", api or {}, body or {}, {"Backend": backend, **resources})


def integration_of(said, path, method):
    return said["paths"][path][method]["x-amazon-apigateway-integration"]


@pytest.mark.parametrize("target", [TARGET, {"Fn::Join": ["/", ["integrations", {"Ref": "Backend"}]]}])
def test_a_route_leads_to_its_integration(target):
    said = document(Get=resource("Route", RouteKey="GET /pets/{id}", Target=target))

    assert integration_of(said, "/pets/{id}", "get") == {
        "type": "aws_proxy",
        "uri": FUNCTION,
        "payloadFormatVersion": "2.0",
    }
    assert said["paths"]["/pets/{id}"]["get"]["security"] == []


@pytest.mark.parametrize(("key", "path"), [("ANY /pets", "/pets"), ("$default", "/$default")])
def test_any_method_and_the_default_route(key, path):
    said = document(Any=resource("Route", RouteKey=key, Target=TARGET))

    assert integration_of(said, path, "x-amazon-apigateway-any-method")["uri"] == FUNCTION


def test_the_payload_format_is_1_0_where_nothing_is_said():
    integration = {key: value for key, value in INTEGRATION.items() if key != "PayloadFormatVersion"}
    said = document(integration=integration, Get=resource("Route", RouteKey="GET /", Target=TARGET))

    assert integration_of(said, "/", "get")["payloadFormatVersion"] == "1.0"


def test_a_service_integration_says_what_it_says_in_a_document():
    integration = {
        "IntegrationType": "AWS_PROXY",
        "IntegrationSubtype": "SQS-SendMessage",
        "CredentialsArn": "role",
        "RequestParameters": {"QueueUrl": "url"},
        "ResponseParameters": {"200": {"ResponseParameters": [{"Destination": "append:header.a", "Source": "b"}]}},
        "TimeoutInMillis": 900,
    }
    said = document(integration=integration, Post=resource("Route", RouteKey="POST /", Target=TARGET))

    assert integration_of(said, "/", "post") == {
        "type": "aws_proxy",
        "integrationSubtype": "SQS-SendMessage",
        "payloadFormatVersion": "1.0",
        "credentials": "role",
        "requestParameters": {"QueueUrl": "url"},
        "responseParameters": {"200": {"append:header.a": "b"}},
        "timeoutInMillis": 900,
    }


def test_a_jwt_authorizer_guards_its_routes_and_no_others():
    jwt = resource(
        "Authorizer",
        Name="users",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Audience": ["me"], "Issuer": "https://issuer"},
    )
    guarded = {"AuthorizationType": "JWT", "AuthorizerId": {"Ref": "Users"}, "AuthorizationScopes": ["read"]}
    said = document(
        Users=jwt,
        Closed=resource("Route", RouteKey="GET /closed", Target=TARGET, **guarded),
        Open=resource("Route", RouteKey="GET /open", Target=TARGET, AuthorizationType="NONE"),
    )

    assert said["components"]["securitySchemes"]["Users"]["x-amazon-apigateway-authorizer"] == {
        "type": "jwt",
        "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {"audience": ["me"], "issuer": "https://issuer"},
    }
    assert said["paths"]["/closed"]["get"]["security"] == [{"Users": ["read"]}]
    assert said["paths"]["/open"]["get"]["security"] == []


def test_iam_authorization_is_said_so_that_the_gateway_refuses_it():
    said = document(Get=resource("Route", RouteKey="GET /", Target=TARGET, AuthorizationType="AWS_IAM"))

    assert said["paths"]["/"]["get"]["x-amazon-apigateway-auth"] == {"type": "AWS_IAM"}


def test_cors_of_the_api():
    assert document(api={"CorsConfiguration": {"AllowOrigins": ["*"], "MaxAge": 3}})["x-amazon-apigateway-cors"] == {
        "allowOrigins": ["*"],
        "maxAge": 3,
    }


def test_an_api_may_be_one_function_and_no_more():
    said = document(api={"Target": FUNCTION})

    assert integration_of(said, "/$default", "x-amazon-apigateway-any-method") == {
        "type": "aws_proxy",
        "payloadFormatVersion": "2.0",
        "uri": FUNCTION,
    }


def test_a_route_under_a_condition_is_there_where_that_is_true():
    said = document(Get=resource("Route", condition="Wanted", RouteKey="GET /", Target=TARGET))

    assert said["paths"]["/"]["get"]["Fn::If"][0] == "Wanted"


def test_routes_are_added_to_a_document_that_is_there():
    body = {"openapi": "3.0.1", "paths": {"/own": {"get": {}}}}
    said = document(body=body, Post=resource("Route", RouteKey="POST /own", Target=TARGET))

    assert set(said["paths"]["/own"]) == {"get", "post"}
    assert set(body["paths"]["/own"]) == {"get"}


def test_routes_of_another_api_are_not_added():
    assert document(Other=resource("Route", RouteKey="GET /", Target=TARGET, ApiId={"Ref": "Other"}))["paths"] == {}


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"RouteKey": {"Fn::Sub": "GET /${P}"}, "Target": TARGET}, "Get: a RouteKey that is not plain text"),
        ({"RouteKey": "GET /", "Target": "integrations/abc"}, "Get: its Target is no"),
        (
            {"RouteKey": "GET /", "Target": TARGET, "AuthorizationType": "JWT", "AuthorizerId": "x"},
            "AuthorizerId is no",
        ),
    ],
)
def test_a_route_that_cannot_be_followed_is_refused_and_never_open(said, complaint):
    with pytest.raises(TemplateError, match=complaint):
        document(Get=resource("Route", **said))
