"""The documents of a template's APIs, as SAM writes them, and their stages."""

import pytest

from samhost.errors import TemplateError
from samhost.template_apis import translate

ISSUER = {"JwtConfiguration": {"issuer": "https://issuer", "audience": ["me"]}, "IdentitySource": "$request.header.A"}


def function(*, condition=None, alias=None, **events):
    properties = {
        "CodeUri": "/code",
        "Events": {name: {"Type": "HttpApi", "Properties": event} for name, event in events.items()},
    }
    if alias:
        properties["AutoPublishAlias"] = alias
    return {"Type": "AWS::Serverless::Function", "Properties": properties} | (
        {"Condition": condition} if condition else {}
    )


def http_api(**properties):
    return {"Type": "AWS::Serverless::HttpApi", "Properties": properties}


def translated(resources, **sections):
    return translate({"Resources": resources, **sections})


def only(translation):
    (api,) = translation.apis
    return api


def integration(document, path, method):
    return document["paths"][path][method]["x-amazon-apigateway-integration"]


def test_a_template_without_http_apis_has_none():
    assert translated({"Queue": {"Type": "AWS::SQS::Queue", "Properties": {}}}).apis == []


def test_events_without_an_api_make_the_implicit_one():
    api = only(translated({"F": function(Get={"Path": "/pets/{id}", "Method": "get", "TimeoutInMillis": 700})}))

    assert api.name == "ServerlessHttpApi"
    assert api.stage["name"] == "$default"
    uri = integration(api.document, "/pets/{id}", "get").pop("uri")
    assert uri["Fn::Sub"].endswith("functions/${F.Arn}/invocations")
    assert integration(api.document, "/pets/{id}", "get") == {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "payloadFormatVersion": "2.0",
        "timeoutInMillis": 700,
    }


def test_an_event_with_neither_path_nor_method_is_the_default_route():
    api = only(translated({"F": function(Everything={})}))

    assert api.document["paths"]["$default"]["x-amazon-apigateway-any-method"]["isDefaultRoute"] is True


def test_an_event_may_ask_for_payload_format_1_0():
    api = only(translated({"F": function(Get={"Path": "/a", "Method": "GET", "PayloadFormatVersion": "1.0"})}))

    assert integration(api.document, "/a", "get")["payloadFormatVersion"] == "1.0"


def test_an_events_route_settings_are_the_stages():
    api = only(
        translated({"F": function(Get={"Path": "/a", "Method": "get", "RouteSettings": {"ThrottlingRateLimit": 5}})})
    )

    assert api.stage["routeSettings"] == {"GET /a": {"ThrottlingRateLimit": 5}}


def test_a_functions_alias_takes_the_route():
    api = only(translated({"F": function(alias="live", Get={"Path": "/a", "Method": "get"})}))

    assert "functions/${FAliaslive}/invocations" in integration(api.document, "/a", "get")["uri"]["Fn::Sub"]


def test_the_gateway_may_call_the_functions():
    permissions = translated({"F": function(Get={"Path": "/a", "Method": "get"})}).permissions

    assert permissions["FGetPermission"]["Properties"]["Principal"] == "apigateway.amazonaws.com"


@pytest.mark.parametrize("by_globals", [True, False])
def test_cors_is_in_the_document(by_globals):
    cors = {"CorsConfiguration": {"AllowOrigins": ["https://a"], "MaxAge": 5}}
    event = {"Path": "/a", "Method": "get", "ApiId": {"Ref": "Api"}}
    sections = {"Globals": {"HttpApi": cors}} if by_globals else {}

    api = only(translated({"Api": http_api(**({} if by_globals else cors)), "F": function(Get=event)}, **sections))

    assert api.document["x-amazon-apigateway-cors"] == {"allowOrigins": ["https://a"], "maxAge": 5}


def test_cors_that_is_just_true_allows_every_origin():
    api = only(translated({"F": function(Get={})}, Globals={"HttpApi": {"CorsConfiguration": True}}))

    assert api.document["x-amazon-apigateway-cors"] == {"allowOrigins": ["*"]}


def test_the_default_authorizer_guards_what_does_not_opt_out():
    auth = {"DefaultAuthorizer": "Jwt", "Authorizers": {"Jwt": ISSUER}}
    closed = {"Path": "/closed", "Method": "get", "Auth": {"AuthorizationScopes": ["s"]}}
    open_ = {"Path": "/open", "Method": "get", "Auth": {"Authorizer": "NONE"}}

    api = only(translated({"F": function(Closed=closed, Open=open_)}, Globals={"HttpApi": {"Auth": auth}}))

    assert api.document["paths"]["/closed"]["get"]["security"] == [{"Jwt": ["s"]}]
    assert api.document["paths"]["/open"]["get"]["security"] == [{"NONE": []}]
    authorizer = api.document["components"]["securitySchemes"]["Jwt"]["x-amazon-apigateway-authorizer"]
    assert authorizer["jwtConfiguration"] == {"issuer": "https://issuer", "audience": ["me"]}


def test_an_inline_document_gets_the_events_besides_its_own_routes():
    own = {"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": {"/own": {"get": {}}}}
    event = {"Path": "/event", "Method": "post", "ApiId": {"Ref": "Api"}}

    api = only(translated({"Api": http_api(DefinitionBody=own, StageName="prod"), "F": function(Post=event)}))

    assert set(api.document["paths"]) == {"/own", "/event"}
    assert api.stage["name"] == "prod"


def test_a_conditional_functions_routes_and_the_api_that_has_no_others_are_conditional():
    translation = translated(
        {"F": function(condition="Wanted", Get={"Path": "/a", "Method": "get"})},
        Conditions={"Wanted": {"Fn::Equals": ["a", "b"]}},
    )
    api = only(translation)

    assert api.document["paths"]["/a"]["Fn::If"][0] == "Wanted"
    [condition] = api.conditions
    assert condition in translation.conditions


def test_an_api_of_cloudformations_own_type_is_served_by_its_body():
    body = {"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": {}}
    api = only(
        translated(
            {
                "Raw": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": body}},
                "Stage": {
                    "Type": "AWS::ApiGatewayV2::Stage",
                    "Properties": {"ApiId": {"Ref": "Raw"}, "StageName": "s"},
                },
            }
        )
    )

    assert (api.name, api.document, api.stage["name"]) == ("Raw", body, "s")


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"ProtocolType": "WEBSOCKET"}, "WebSocket"),
        ({"BodyS3Location": {"Bucket": "b", "Key": "k"}}, "does not lie on this machine"),
    ],
)
def test_an_api_that_cannot_be_served_has_a_reason(properties, reason):
    translation = translated({"Raw": {"Type": "AWS::ApiGatewayV2::Api", "Properties": properties}})

    assert translation.apis == []
    assert reason in translation.refused["Raw"]


def test_what_sam_refuses_is_refused_in_its_words():
    event = {"Path": "/a", "Method": "get", "Auth": {"Authorizer": "Missing"}}

    with pytest.raises(TemplateError, match=r"SAM refuses the template: .*\[Missing\]"):
        translated({"F": function(Get=event)})


def rest_stage(name, api="Raw", **properties):
    return {
        "Type": "AWS::ApiGateway::Stage",
        "Properties": {"RestApiId": {"Ref": api}, "StageName": name, "DeploymentId": "d"} | properties,
    }


def stages(translation):
    return [(api.name, api.type, api.stage["name"]) for api in translation.apis]


BODY = {"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": {}}


def test_events_of_rest_apis_make_the_implicit_one_without_sams_stray_stage():
    translation = translated({"F": rest_function()})

    assert stages(translation) == [("ServerlessRestApi", "REST", "Prod")]
    assert integration(only(translation).document, "/pets", "get")["type"] == "aws_proxy"
    assert translation.permissions["FGetPermissionProd"]["Properties"]["Principal"] == "apigateway.amazonaws.com"


def rest_function():
    event = {"Type": "Api", "Properties": {"Path": "/pets", "Method": "get"}}
    return {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "/code", "Events": {"Get": event}}}


def test_a_rest_api_is_there_once_for_each_of_its_stages_with_the_settings_of_each():
    settings = [{"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 5}]
    translation = translated(
        {
            "Raw": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": BODY}},
            "Dev": rest_stage("dev", Variables={"a": "1"}, AccessLogSetting={"Format": "$context.stage"}),
            "Prod": rest_stage("prod", Variables={"a": "2"}, MethodSettings=settings),
            "Other": rest_stage("other", api="AnotherOne"),
        }
    )

    assert stages(translation) == [("Raw", "REST", "dev"), ("Raw", "REST", "prod")]
    dev, prod = (api.stage for api in translation.apis)
    assert dev == {"name": "dev", "variables": {"a": "1"}, "accessLogFormat": "$context.stage", "methodSettings": []}
    assert prod == {"name": "prod", "variables": {"a": "2"}, "accessLogFormat": "", "methodSettings": settings}


def test_a_deployment_may_make_a_stage():
    described = {"Variables": {"a": "1"}}
    properties = {"RestApiId": {"Ref": "Raw"}, "StageName": "v1", "StageDescription": described}
    api = only(
        translated(
            {
                "Raw": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": BODY}},
                "RawDeployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": properties},
            }
        )
    )

    assert (api.stage["name"], api.stage["variables"]) == ("v1", {"a": "1"})


def test_a_stage_of_a_rest_api_may_be_conditional():
    translation = translated(
        {
            "Raw": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": BODY}, "Condition": "One"},
            "Dev": rest_stage("dev") | {"Condition": "Two"},
            "Prod": rest_stage("prod") | {"Condition": "One"},
        },
        Conditions={"One": {"Fn::Equals": ["a", "a"]}, "Two": {"Fn::Equals": ["a", "b"]}},
    )

    assert [api.conditions for api in translation.apis] == [("One", "Two"), ("One",)]


def test_a_resource_policy_is_in_the_document_so_that_it_is_not_passed_over():
    policy = {"Statement": []}
    raw = {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": BODY, "Policy": policy}}

    assert only(translated({"Raw": raw, "Dev": rest_stage("dev")})).document["x-amazon-apigateway-policy"] == policy
