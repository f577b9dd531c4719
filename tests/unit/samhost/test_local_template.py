"""What `samhost` takes out of a template, and how an API's document gets its values."""

import pytest
import yaml

from samhost.errors import TemplateError
from samhost.local_template import derive, resolve

FUNCTION = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "code/", "Architectures": [{"Ref": "A"}]}}


@pytest.fixture
def derived(tmp_path):
    def derive_from(resources, document=None, **sections):
        (tmp_path / "api.yaml").write_text(yaml.safe_dump(document or {"openapi": "3.0.3", "paths": {}}))
        built = tmp_path / "template.yaml"
        built.write_text(yaml.safe_dump({"Resources": resources, **sections}))
        return derive(built)

    return derive_from


def http_api(**properties):
    include = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "api.yaml"}}}
    return {"Type": "AWS::Serverless::HttpApi", "Properties": {"DefinitionBody": include, **properties}}


def test_a_template_that_the_engine_knows_whole_stays_as_it_is(derived):
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST"}}

    local = derived({"Table": table}, Outputs={"Name": {"Value": {"Ref": "Table"}}})

    assert local.template["Resources"] == {"Table": table}
    assert local.template["Outputs"] == {"Name": {"Value": {"Ref": "Table"}}}
    assert local.left_out == []


def test_what_the_engine_does_not_know_is_left_out_with_all_that_refers_to_it(derived):
    local = derived(
        {
            "Link": {"Type": "AWS::ApiGatewayV2::VpcLink"},
            "UsesRef": {"Type": "Custom::A", "Properties": {"Link": {"Ref": "Link"}}},
            "UsesSub": {"Type": "Custom::B", "Properties": {"Name": {"Fn::Sub": "x-${UsesRef.Arn}-${!Literal}"}}},
            "Stays": {"Type": "AWS::SQS::Queue"},
        },
        Outputs={"Gone": {"Value": {"Fn::GetAtt": ["Link", "Id"]}}, "Kept": {"Value": {"Ref": "Stays"}}},
    )

    assert set(local.template["Resources"]) == {"Stays"}
    assert set(local.template["Outputs"]) == {"Kept"}
    assert [left_out.name for left_out in local.left_out] == ["Link", "UsesRef", "Gone", "UsesSub"]
    assert local.left_out[0].reason == "the engine has no VPC links"


def test_a_property_that_the_engine_ignores_stays_and_is_named(derived):
    rule = {
        "Type": "AWS::Events::Rule",
        "Properties": {"Targets": [{"Id": "a"}, {"Id": "b", "RetryPolicy": {"MaximumRetryAttempts": 3}}]},
    }
    profile = {"Type": "AWS::AppConfig::ConfigurationProfile", "Properties": {"Validators": [{"Type": "JSON_SCHEMA"}]}}
    plain = {"Type": "AWS::Events::Rule", "Properties": {"Targets": [{"Id": "a"}]}}

    local = derived({"Rule": rule, "Profile": profile, "Plain": plain})

    assert local.template["Resources"] == {"Rule": rule, "Profile": profile, "Plain": plain}
    assert {left_out.name: left_out.reason for left_out in local.left_out} == {
        "Rule.Targets.RetryPolicy": "the engine delivers an event once",
        "Profile.Validators": "the engine deploys any configuration",
    }


def test_the_definition_of_a_state_machine_is_taken_into_the_template(derived, tmp_path):
    (tmp_path / "workflow.asl.yaml").write_text("# steps\nStartAt: A\nStates:\n  A: {Type: Pass, End: true}\n")
    machine = {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": "workflow.asl.yaml"}}
    stored = {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": "s3://bucket/key"}}

    local = derived({"Machine": machine, "Stored": stored})

    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    assert local.template["Resources"]["Machine"]["Properties"] == {"Definition": definition}
    assert local.template["Resources"]["Stored"] == stored


def test_a_definition_that_cannot_be_read_is_named(derived):
    machine = {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": "missing.yaml"}}

    with pytest.raises(TemplateError, match=r"Machine: its definition .*missing\.yaml cannot be read"):
        derived({"Machine": machine})


def test_a_resource_that_only_waits_for_a_left_out_one_stays(derived):
    local = derived(
        {
            "Address": {"Type": "AWS::EC2::EIP"},
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Bucket": {"Type": "AWS::S3::Bucket", "DependsOn": ["Address", "Queue"]},
        }
    )

    assert local.template["Resources"]["Bucket"]["DependsOn"] == ["Queue"]


def test_an_apis_intrinsics_are_resolved_by_cloudformation_through_outputs(derived):
    uri = {"Fn::Sub": "${Function.Arn}/invocations"}
    local = derived(
        {"Api": http_api(StageVariables={"pets": {"Ref": "Function"}}), "Function": FUNCTION},
        document={"openapi": "3.0.3", "paths": {"/": {"get": {"uri": uri}, "put": {"uri": uri}}}},
    )
    (api,) = local.apis
    outputs = local.template["Outputs"]

    assert {"Value": uri} in outputs.values()
    assert len(outputs) == 3, "the API's id, the function's name, and the URI once"
    values = {name: f"value of {name}" for name in outputs}
    document = resolve(api.document, values)
    assert document["paths"]["/"]["get"] == document["paths"]["/"]["put"]
    assert document["paths"]["/"]["get"]["uri"].startswith("value of Samhost")
    assert resolve(api.stage, values)["variables"]["pets"].startswith("value of Samhost")
    assert local.template["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"] == {}


def test_a_list_parameter_becomes_a_list_in_the_document(derived):
    local = derived(
        {"Api": http_api()},
        document={"openapi": "3.0.3", "paths": {}, "x-cors": {"allowOrigins": {"Ref": "Origins"}}},
        Parameters={"Origins": {"Type": "CommaDelimitedList"}},
    )
    ((output, declared),) = [(name, o) for name, o in local.template["Outputs"].items() if "Fn::Join" in o["Value"]]

    assert declared == {"Value": {"Fn::Join": [",", {"Ref": "Origins"}]}}
    values = dict.fromkeys(local.template["Outputs"], "") | {output: "http://a,http://b"}
    assert resolve(local.apis[0].document, values)["x-cors"] == {"allowOrigins": ["http://a", "http://b"]}


def test_what_the_gateway_does_not_act_on_is_named(derived):
    local = derived({"Api": http_api(Domain={"DomainName": "api.example"}, Tags={})})

    assert [(gone.name, gone.reason) for gone in local.left_out] == [("Api.Domain", "there are no custom domains")]


def test_throttling_settings_go_to_the_gateway_and_not_to_the_engine(derived):
    default, own = {"ThrottlingRateLimit": {"Ref": "Rate"}}, {"GET /pets": {"ThrottlingBurstLimit": 1}}
    local = derived({"Api": http_api(DefaultRouteSettings=default, RouteSettings=own)}, Parameters={"Rate": {}})

    stage = resolve(local.apis[0].stage, {"Samhost1": "7"})
    assert stage["defaultRouteSettings"] == {"ThrottlingRateLimit": "7"}
    assert stage["routeSettings"] == own
    assert local.left_out == []
    assert set(local.template["Resources"]["Api"]["Properties"]) == {"DefinitionBody"}


def test_the_format_of_the_access_log_goes_to_the_gateway(derived):
    settings = {"DestinationArn": {"Fn::GetAtt": ["Logs", "Arn"]}, "Format": "$context.requestId"}
    local = derived({"Api": http_api(AccessLogSettings=settings), "Logs": {"Type": "AWS::Logs::LogGroup"}})

    assert resolve(local.apis[0].stage, {})["accessLogFormat"] == "$context.requestId"
    assert local.left_out == []


@pytest.mark.parametrize("key", ["Auth", "CorsConfiguration"])
def test_what_sam_would_add_to_the_document_is_refused_and_not_left_open(derived, key):
    with pytest.raises(TemplateError, match=f"Api: {key} is not hosted"):
        derived({"Api": http_api(**{key: {"DefaultAuthorizer": "Jwt"}})})


def test_apis_and_routes_that_are_not_served_are_named(derived):
    function = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"CodeUri": "code/", "Events": {"Route": {"Type": "HttpApi"}, "Queue": {"Type": "SQS"}}},
    }
    local = derived({"Rest": {"Type": "AWS::Serverless::Api"}, "Function": function, "Api": http_api(Unknown=1)})

    assert {(gone.name, gone.reason) for gone in local.left_out} == {
        ("Rest", "its routes are not served"),
        ("Function.Route", "only routes in OpenAPI documents are served"),
        ("Api.Unknown", "nothing here acts on it"),
    }


def test_an_api_without_a_document_is_refused(derived):
    with pytest.raises(TemplateError, match="Api: only HTTP APIs with an OpenAPI document"):
        derived({"Api": {"Type": "AWS::Serverless::HttpApi", "Properties": {}}})


def test_a_missing_document_is_named(derived):
    include = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "missing.yaml"}}}
    with pytest.raises(TemplateError, match=r"Api: its OpenAPI document .*missing\.yaml cannot be read"):
        derived({"Api": http_api(DefinitionBody=include)})


def deny_without_tls(**condition):
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": condition}}


def test_a_policy_that_demands_tls_is_left_out_and_what_else_it_says_stays(derived):
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    other_condition = deny_without_tls(**{"aws:SecureTransport": False, "aws:ViaAWSService": False})
    statements = [deny_without_tls(**{"aws:SecureTransport": False}), allow, other_condition]

    local = derived(
        {
            "Both": {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": {"Statement": statements}}},
            "Only": {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": {"Statement": statements[:1]}}},
        }
    )

    assert set(local.template["Resources"]) == {"Both"}
    assert local.template["Resources"]["Both"]["Properties"]["PolicyDocument"]["Statement"] == [allow, other_condition]
    assert [(gone.name, gone.reason) for gone in local.left_out] == [
        ("Both", "there is no TLS on the loopback interface"),
        ("Only", "there is no TLS on the loopback interface"),
    ]
