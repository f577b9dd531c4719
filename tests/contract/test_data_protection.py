"""How the template keeps people's documents: what functions may do to them, how they are stored, who may reach them."""

from pathlib import Path

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text())
RESOURCES = TEMPLATE["Resources"]
API = yaml.safe_load((ROOT / "api" / "scanner.yaml").read_text())


def of_type(kind):
    return {name: r["Properties"] for name, r in RESOURCES.items() if r["Type"] == kind}


def statements():
    """Every statement of every function's policies and of every role's, as `(resource, statement)`."""
    for name, function in of_type("AWS::Serverless::Function").items():
        for policy in function.get("Policies", []):
            for statement in policy["Statement"]:
                yield name, statement
    for name, role in of_type("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def actions(statement):
    return [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]


@pytest.mark.defect(1)
@pytest.mark.defect(8)
def test_nothing_may_read_a_whole_table_or_ask_what_it_looks_like():
    allowed = [(name, action) for name, statement in statements() for action in actions(statement)]

    assert any(action == "dynamodb:Query" for _, action in allowed), "the policies that are searched are the right ones"
    for name, action in allowed:
        assert action.lower() not in {"dynamodb:scan", "dynamodb:describetable", "dynamodb:partiqlselect"}, name


@pytest.mark.defect(9)
def test_somebody_is_told_when_a_message_is_given_up():
    alarmed = [
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        for dimension in alarm.get("Dimensions", [])
        if alarm.get("Namespace") == "AWS/SQS" and alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    ]
    given_up_to = {
        queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for queue in of_type("AWS::SQS::Queue").values()
        if "RedrivePolicy" in queue
    }

    assert given_up_to
    assert given_up_to <= set(alarmed)


@pytest.mark.defect(12)
@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_a_bucket_is_encrypted_closed_to_the_public_and_forgets_what_it_should(name):
    bucket = RESOURCES[name]["Properties"]
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)
    assert all(rule["Status"] == "Enabled" for rule in rules)


@pytest.mark.defect(12)
@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_a_bucket_is_reached_by_tls_only(name):
    denied = [
        statement["Condition"]
        for policy in of_type("AWS::S3::BucketPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if policy["Bucket"] == {"Ref": name} and statement["Effect"] == "Deny" and statement["Principal"] == "*"
    ]

    assert {"Bool": {"aws:SecureTransport": False}} in denied


@pytest.mark.defect(12)
def test_only_the_origins_of_one_list_may_call_and_upload():
    buckets = of_type("AWS::S3::Bucket").values()
    rules = [rule for bucket in buckets for rule in bucket.get("CorsConfiguration", {}).get("CorsRules", [])]

    assert rules
    assert all(rule["AllowedOrigins"] == {"Ref": "AllowedOrigins"} for rule in rules)
    assert API["x-amazon-apigateway-cors"]["allowOrigins"] == {"Ref": "AllowedOrigins"}
    assert "*" not in TEMPLATE["Parameters"]["AllowedOrigins"]["Default"]
