"""Dynamic references in what the gateway gets, against Secrets Manager and Parameter Store in process."""

import json

import boto3
import pytest
from moto import mock_aws

from samhost.dynamic_references import with_references
from samhost.errors import TemplateError


@pytest.fixture
def client():
    def make(service):
        return boto3.client(service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")

    with mock_aws():
        make("ssm").put_parameter(Name="/sites/colour", Value="blue", Type="SecureString")
        yield make


@pytest.fixture
def arn(client):
    value = json.dumps({"password": "s3cret", "port": 5})
    return client("secretsmanager").create_secret(Name="sites", SecretString=value)["ARN"]


def test_text_without_references_stays_as_it_is(client):
    node = {"a": ["{{resolve}}", 5, None, {"b": "text"}]}
    assert with_references(node, client) == node


def test_a_parameter_has_its_value_wherever_it_stands(client):
    node = {"variables": {"a": "x-{{resolve:ssm:/sites/colour}}-{{resolve:ssm-secure:/sites/colour:1}}"}}
    assert with_references(node, client) == {"variables": {"a": "x-blue-blue"}}


@pytest.mark.parametrize(
    ("rest", "value"),
    [
        ("", '{"password": "s3cret", "port": 5}'),
        (":SecretString", '{"password": "s3cret", "port": 5}'),
        (":SecretString:password", "s3cret"),
        (":SecretString:port", "5"),
        (":SecretString:password:AWSCURRENT", "s3cret"),
        (":SecretString:::", '{"password": "s3cret", "port": 5}'),
    ],
)
@pytest.mark.parametrize("by", ["arn", "name"])
def test_a_secret_has_its_value_or_that_of_a_key(client, arn, by, rest, value):
    reference = f"{{{{resolve:secretsmanager:{arn if by == 'arn' else 'sites'}{rest}}}}}"
    assert with_references([reference], client) == [value]


@pytest.mark.parametrize(
    "reference",
    ["ssm:/sites/none", "secretsmanager:none", "secretsmanager:sites:SecretString:none", "secretsmanager:sites:Binary"],
)
@pytest.mark.usefixtures("arn")
def test_what_is_not_there_is_named(client, reference):
    with pytest.raises(TemplateError, match=reference):
        with_references(f"{{{{resolve:{reference}}}}}", client)
