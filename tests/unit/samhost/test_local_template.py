"""What `samhost` takes out of a template, and how an API's document gets its values."""

import string

import pytest
import yaml

from samhost.errors import TemplateError
from samhost.local_template import derive
from samhost.outputs import NO_VALUE, resolve

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
            "Address": {"Type": "AWS::EC2::EIP"},
            "UsesRef": {"Type": "Custom::A", "Properties": {"Address": {"Ref": "Address"}}},
            "UsesSub": {"Type": "Custom::B", "Properties": {"Name": {"Fn::Sub": "x-${UsesRef.Arn}-${!Literal}"}}},
            "Stays": {"Type": "AWS::SQS::Queue"},
        },
        Outputs={"Gone": {"Value": {"Fn::GetAtt": ["Address", "Id"]}}, "Kept": {"Value": {"Ref": "Stays"}}},
    )

    assert set(local.template["Resources"]) == {"Stays"}
    assert set(local.template["Outputs"]) == {"Kept"}
    assert [left_out.name for left_out in local.left_out] == ["Address", "UsesRef", "Gone", "UsesSub"]
    assert local.left_out[0].reason == "the engine has no addresses"


@pytest.mark.parametrize("kind", ["AWS::ApiGateway::VpcLink", "AWS::ApiGatewayV2::VpcLink"])
def test_a_handle_stands_for_a_vpc_link_so_that_what_refers_to_it_stays(derived, kind):
    link = {"Type": kind, "Condition": "A", "Properties": {"TargetArns": [{"Ref": "Address"}]}}
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"Parameters": {"Link": {"Ref": "Link"}}}}
    local = derived(
        {"Address": {"Type": "AWS::EC2::EIP"}, "Link": link, "Nested": nested},
        Outputs={
            "ByRef": {"Value": {"Ref": "Link"}},
            "ByAttribute": {"Value": {"Fn::GetAtt": ["Link", "VpcLinkId"]}},
            "ByPath": {"Value": {"Fn::GetAtt": "Link.VpcLinkId"}},
            "ByText": {"Value": {"Fn::Sub": "link/${Link.VpcLinkId}"}},
            "OfAnotherStack": {"Value": {"Fn::GetAtt": "Nested.Outputs.VpcLinkId"}},
        },
    )

    assert local.template["Resources"] == {
        "Link": {"Type": "AWS::CloudFormation::WaitConditionHandle", "Condition": "A", "Properties": {}},
        "Nested": nested,
    }
    assert {name: output["Value"] for name, output in local.template["Outputs"].items()} == {
        **{name: {"Ref": "Link"} for name in ("ByRef", "ByAttribute", "ByPath")},
        "ByText": {"Fn::Sub": "link/${Link}"},
        "OfAnotherStack": {"Fn::GetAtt": "Nested.Outputs.VpcLinkId"},
    }
    assert reasons(local)["Link"].endswith("; AWS::CloudFormation::WaitConditionHandle stands for it")


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

    with pytest.raises(TemplateError, match=r"missing\.yaml cannot be read: .* Machine names it"):
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


def test_an_api_changes_with_the_outputs_for_outputs_alone_are_no_change_to_the_engine(derived):
    uris = [{"Fn::Sub": "${Function.Arn}/invocations"}, {"Fn::GetAtt": ["Function", "Arn"]}]
    one, other = (
        derived({"Api": http_api(), "Function": FUNCTION}, {"openapi": "3.0.3", "paths": {"/": {"uri": uri}}})
        for uri in uris
    )

    assert one.template["Resources"]["Api"] != other.template["Resources"]["Api"]


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
    local = derived({"Api": http_api(Domain={"DomainName": "api.example", "CertificateArn": "arn"}, Tags={})})

    assert [(gone.name, gone.reason) for gone in local.left_out] == [("Api.Domain", "there are no custom domains")]


def test_throttling_settings_go_to_the_gateway_and_not_to_the_engine(derived):
    default, own = {"ThrottlingRateLimit": {"Ref": "Rate"}}, {"GET /pets": {"ThrottlingBurstLimit": 1}}
    local = derived(
        {"Api": http_api(DefaultRouteSettings=default, RouteSettings=own)}, Parameters={"Rate": {"Type": "Number"}}
    )

    rates = {name: "7" for name, output in local.template["Outputs"].items() if output["Value"] == {"Ref": "Rate"}}
    stage = resolve(local.apis[0].stage, rates)
    assert stage["defaultRouteSettings"] == {"ThrottlingRateLimit": "7"}
    assert stage["routeSettings"] == own
    assert local.left_out == []
    assert set(local.template["Resources"]["Api"]["Properties"]) == {"DefinitionBody", "Description"}


def test_the_format_of_the_access_log_goes_to_the_gateway(derived):
    settings = {"DestinationArn": {"Fn::GetAtt": ["Logs", "Arn"]}, "Format": "$context.requestId"}
    local = derived({"Api": http_api(AccessLogSettings=settings), "Logs": {"Type": "AWS::Logs::LogGroup"}})

    assert resolve(local.apis[0].stage, {})["accessLogFormat"] == "$context.requestId"
    assert local.left_out == []


def with_events(**events):
    return {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "code/", "Events": events}}


def route(path="/a", **properties):
    return {"Type": "HttpApi", "Properties": {"Path": path, "Method": "get", **properties}}


def calls(function):
    uri = {"Fn::Sub": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations"}
    return {"get": {"x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": uri}}}


def reasons(local):
    return {gone.name: gone.reason for gone in local.left_out}


def test_what_nothing_acts_on_is_named(derived):
    rest = {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "dev", "CacheClusterEnabled": True}}
    local = derived(
        {
            "Rest": rest,
            "Plain": {"Type": "AWS::ApiGateway::RestApi"},
            "Function": with_events(Route=route("/x") | {"Type": "Api"}, Queue={"Type": "SQS"}),
            "Api": http_api(DisableExecuteApiEndpoint=True),
        }
    )

    assert reasons(local) == {
        "Rest.CacheClusterEnabled": "nothing here acts on it",
        "Plain": "a REST API whose methods are resources is not served: they would have to be in its Body",
        "Api.DisableExecuteApiEndpoint": "nothing here acts on it",
    }


def test_rest_apis_go_to_the_gateway_with_their_stages_and_leave_their_ids(derived):
    paths = {"/hello": {"get": {}}}
    rest = {
        "Type": "AWS::Serverless::Api",
        "Properties": {
            "StageName": "dev",
            "Variables": {"host": {"Fn::GetAtt": ["Balancer", "DNSName"]}},
            "DefinitionBody": {"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": paths},
        },
    }
    stage = {"RestApiId": {"Ref": "Rest"}, "StageName": "prod", "DeploymentId": {"Ref": "Rest.Deployment"}}
    local = derived(
        {
            "Rest": rest,
            "Prod": {"Type": "AWS::ApiGateway::Stage", "Properties": stage},
            "Balancer": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer"},
            "F": with_events(Route=route() | {"Type": "Api"}),
        }
    )
    values = {name: f"value of {name}" for name in local.template["Outputs"]}
    stages = {(api.name, api.type, api.stage["name"]): resolve(api.stage, values)["variables"] for api in local.apis}

    assert set(stages) == {
        ("Rest", "REST", "dev"), ("Rest", "REST", "prod"), ("ServerlessRestApi", "REST", "Prod"),
    }  # fmt: skip
    assert stages["Rest", "REST", "dev"]["host"].startswith("value of Samhost")
    resources = local.template["Resources"]
    assert resources["Rest"]["Properties"]["DefinitionBody"]["paths"] == {}
    assert resources["Rest"]["Properties"]["StageName"] == "dev"
    assert "Prod" in resources
    assert resources["ServerlessRestApi"]["Properties"]["StageName"] == "Prod"
    assert "Api" not in [event["Type"] for event in resources["F"]["Properties"]["Events"].values()]
    assert resources["FRoutePermissionProd"]["Type"] == "AWS::Lambda::Permission"


def test_what_generated_secrets_are_to_be_without_is_named_character_by_character(derived):
    generate = {"PasswordLength": 9, "ExcludePunctuation": True, "ExcludeNumbers": True, "ExcludeCharacters": "xyz"}
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": generate}}
    local = derived({"Key": secret})

    excluded = local.template["Resources"]["Key"]["Properties"]["GenerateSecretString"]["ExcludeCharacters"]
    assert set(excluded) == {*string.punctuation, *string.digits, *"xyz"}


def test_routes_of_events_go_to_the_gateway_and_other_events_stay(derived):
    tick = {"Type": "Schedule", "Properties": {"Schedule": "rate(1 day)"}}
    local = derived({"F": with_events(Route=route(), Tick=tick)})
    resources = local.template["Resources"]

    assert [api.name for api in local.apis] == ["ServerlessHttpApi"]
    assert list(resources["F"]["Properties"]["Events"]) == ["Tick"]
    assert resources["ServerlessHttpApi"]["Type"] == "AWS::Serverless::HttpApi", "others refer to it"
    assert resources["ServerlessHttpApi"]["Properties"]["DefinitionBody"]["paths"] == {}
    assert resources["FRoutePermission"]["Type"] == "AWS::Lambda::Permission"


def test_what_globals_say_of_apis_is_in_the_document_and_in_no_other_place(derived):
    local = derived({"F": with_events(Route=route())}, Globals={"HttpApi": {"CorsConfiguration": True}})

    assert "HttpApi" not in local.template["Globals"]
    assert "x-amazon-apigateway-cors" in local.apis[0].document


def test_an_api_under_a_condition_has_an_id_only_where_that_is_true(derived):
    local = derived(
        {"Api": http_api() | {"Condition": "Wanted"}}, Conditions={"Wanted": {"Fn::Equals": [{"Ref": "A"}, "yes"]}}
    )
    truths = {name: str(output["Value"]["Fn::If"][1]) for name, output in local.template["Outputs"].items()}
    falsehoods = {name: output["Value"]["Fn::If"][2] for name, output in local.template["Outputs"].items()}

    assert resolve(local.apis[0].api_id, truths) == str({"Ref": "Api"})
    assert resolve(local.apis[0].api_id, falsehoods) is NO_VALUE


def test_a_function_that_cannot_run_is_left_out_and_its_routes_say_why(derived):
    java = with_events(Route=route("/java")) | {"Metadata": {"SamhostLeftOut": "no Java here"}}
    document = {"openapi": "3.0.3", "paths": {"/old": calls("Java"), "/new": calls("F")}}
    local = derived(
        {"Java": java, "F": with_events(Route=route("/python")), "Api": http_api()},
        document=document,
        Outputs={"Role": {"Value": {"Fn::GetAtt": ["JavaRole", "Arn"]}}},
    )
    apis = {api.name: api.document["paths"] for api in local.apis}

    assert reasons(local) == {"Java": "no Java here", "Role": "it refers to what is left out"}
    assert "JavaRoutePermission" not in local.template["Resources"]
    for path in (apis["Api"]["/old"], apis["ServerlessHttpApi"]["/java"]):
        assert path["get"]["x-amazon-apigateway-integration"] == {
            "x-samhost-not-served": "Java is left out: no Java here"
        }
    for path in (apis["Api"]["/new"], apis["ServerlessHttpApi"]["/python"]):
        assert "uri" in path["get"]["x-amazon-apigateway-integration"]


def test_an_authorizer_that_needs_what_is_left_out_says_so_and_opens_nothing(derived):
    scheme = {"x-amazon-apigateway-authorizer": {"type": "request", "authorizerUri": {"Fn::GetAtt": ["Java", "Arn"]}}}
    java = with_events() | {"Metadata": {"SamhostLeftOut": "no Java here"}}
    local = derived(
        {"Java": java, "Api": http_api()},
        document={"openapi": "3.0.3", "paths": {}, "components": {"securitySchemes": {"A": scheme}}},
    )

    assert local.apis[0].document["components"]["securitySchemes"]["A"] == {
        "x-amazon-apigateway-authorizer": {"x-samhost-not-served": "Java is left out: no Java here"}
    }


def test_an_api_that_as_a_whole_needs_what_is_left_out_is_left_out(derived):
    local = derived({"Address": {"Type": "AWS::EC2::EIP"}, "Api": http_api(StageVariables={"to": {"Ref": "Address"}})})

    assert local.apis == []
    assert reasons(local)["Api"] == "it refers to what is left out: Address"


def test_a_type_that_the_engine_does_not_know_is_left_out(tmp_path):
    (tmp_path / "template.yaml").write_text("Resources: {A: {Type: AWS::New::Thing}, B: {Type: AWS::SQS::Queue}}")

    local = derive(tmp_path / "template.yaml", unknown={"AWS::New::Thing"})

    assert set(local.template["Resources"]) == {"B"}
    assert reasons(local) == {"A": "the engine does not know this type"}


def test_applications_of_the_repository_are_left_out(derived):
    fetched = {"ApplicationId": "arn", "SemanticVersion": "1.0.0"}
    local = derived({"Fetched": {"Type": "AWS::Serverless::Application", "Properties": {"Location": fetched}}})

    assert reasons(local) == {"Fetched": "applications are not fetched from the repository"}


def nested_stack(tmp_path, **sections):
    (tmp_path / "nested.yaml").write_text(yaml.safe_dump(sections))
    return {"Type": "AWS::Serverless::Application", "Properties": {"Location": "nested.yaml"}}


@pytest.mark.parametrize("condition", [None, "Wanted"])
def test_an_api_of_a_nested_stack_is_served_with_values_that_reach_the_outer_stack_as_outputs(
    derived, tmp_path, condition
):
    nested = nested_stack(tmp_path, Resources={"F": with_events(Route=route())})
    local = derived(
        {"Nested": nested | ({"Condition": condition} if condition else {})},
        Conditions={"Wanted": {"Fn::Equals": ["a", "b"]}},
    )
    (api,), inner = local.apis, local.nested["Nested"].template["Outputs"]

    assert api.name == "Nested/ServerlessHttpApi"
    (inner_name,) = (name for name, output in inner.items() if output == {"Value": {"Ref": "ServerlessHttpApi"}})
    lifted = {"Fn::GetAtt": ["Nested", f"Outputs.{inner_name}"]}
    wanted = {"Fn::If": ["Wanted", lifted, ""]} if condition else lifted
    name = next(name for name, output in local.template["Outputs"].items() if output["Value"] == wanted)
    values = dict.fromkeys(local.template["Outputs"], "true") | {name: "a1b2"}
    assert resolve(api.api_id, values) == "a1b2"
    if condition:
        assert resolve(api.api_id, dict.fromkeys(local.template["Outputs"], "false")) is NO_VALUE


def test_what_a_nested_stack_leaves_out_is_named_and_so_is_what_refers_to_it(derived, tmp_path):
    nested = nested_stack(
        tmp_path,
        Resources={"Address": {"Type": "AWS::EC2::EIP"}, "Queue": {"Type": "AWS::SQS::Queue"}},
        Outputs={"AddressId": {"Value": {"Ref": "Address"}}, "QueueUrl": {"Value": {"Ref": "Queue"}}},
    )
    local = derived(
        {"Nested": nested},
        Outputs={
            "Address": {"Value": {"Fn::GetAtt": ["Nested", "Outputs.AddressId"]}},
            "Queue": {"Value": {"Fn::GetAtt": "Nested.Outputs.QueueUrl"}},
        },
    )

    assert set(local.nested["Nested"].template["Resources"]) == {"Queue"}
    assert set(local.template["Outputs"]) == {"Queue"}
    assert reasons(local) == {
        "Nested/Address": "the engine has no addresses",
        "Nested/AddressId": "it refers to what is left out",
        "Address": "it refers to what is left out",
    }


@pytest.mark.parametrize(
    "asked",
    [{"Fn::GetAtt": ["Pool", "ProviderURL"]}, {"Fn::GetAtt": "Pool.ProviderURL"}, {"Fn::Sub": "${Pool.ProviderURL}"}],
)
def test_a_user_pools_issuer_is_asked_for_by_an_attribute_that_the_engine_knows(derived, asked):
    pool = {"Type": "AWS::Cognito::UserPool", "Properties": {}}
    local = derived({"Pool": pool}, Outputs={"Issuer": {"Value": asked}})

    assert local.template["Outputs"]["Issuer"]["Value"] == {"Fn::Sub": "https://${Pool.ProviderName}"}


def test_environment_variables_are_text_as_cloudformation_makes_them(derived):
    environment = {"Environment": {"Variables": {"A": 1234, "B": True, "C": "text", "D": {"Ref": "F"}}}}
    function = {"Type": "AWS::Lambda::Function", "Properties": environment}
    local = derived({"F": function}, Globals={"Function": {"Environment": {"Variables": {"E": 1.5}}}})

    assert local.template["Resources"]["F"]["Properties"]["Environment"]["Variables"] == {
        "A": "1234",
        "B": "true",
        "C": "text",
        "D": {"Ref": "F"},
    }
    assert local.template["Globals"]["Function"]["Environment"]["Variables"] == {"E": "1.5"}


def test_deployments_by_codedeploy_are_named(derived):
    own = {"Type": "AWS::Serverless::Function", "Properties": {"DeploymentPreference": {"Type": "AllAtOnce"}}}
    inherited = {"Type": "AWS::Serverless::Function", "Properties": {}}
    shared = {"Function": {"DeploymentPreference": {"Enabled": True}}}
    local = derived({"Own": own, "Inherited": inherited}, Globals=shared)

    reason = "the engine has no CodeDeploy"
    assert reasons(local) == {"Own.DeploymentPreference": reason, "Inherited.DeploymentPreference": reason}
    assert "DeploymentPreference" not in str(local.template)


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
