"""Resource policies of functions, decided as IAM decides: user guide, `reference_policies_evaluation-logic`."""

import pytest

from samhost.gateway.integrations.lambda_permission import may_invoke

ACCOUNT = "123456789012"
SOURCE = f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:api123/$default/GET/pets/{{id}}"


def allowed(*statements, source=SOURCE):
    return may_invoke({"Statement": list(statements)}, source, ACCOUNT)


def statement(**changes):
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
    }
    return {name: value for name, value in (allow | changes).items() if value is not None}


def condition(operator, key, value):
    return statement(Condition={operator: {key: value}})


def test_no_policy_allows_nothing():
    assert not may_invoke({}, SOURCE, ACCOUNT)


def test_a_permission_without_a_source_covers_every_api():
    assert allowed(statement())


@pytest.mark.parametrize(
    "principal",
    [
        {"Service": "s3.amazonaws.com"},
        {"Service": "events.amazonaws.com"},
        {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        None,
    ],
)
def test_a_permission_for_others_is_none_for_api_gateway(principal):
    assert not allowed(statement(Principal=principal))


@pytest.mark.parametrize(
    "principal", ["*", {"AWS": "*"}, {"Service": ["s3.amazonaws.com", "apigateway.amazonaws.com"]}]
)
def test_principals_may_be_everybody_or_a_list(principal):
    assert allowed(statement(Principal=principal))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("lambda:InvokeFunction", True),
        ("lambda:*", True),
        ("LAMBDA:invokefunction", True),
        (["lambda:GetFunction", "lambda:Invoke*"], True),
        ("lambda:GetFunction", False),
    ],
)
def test_the_action_must_cover_invocation(action, expected):
    assert allowed(statement(Action=action)) is expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:api123/*", True),
        (f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:api123/*/*/pets/{{id}}", True),
        (f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:api123/*/GET/pets/*", True),
        (f"arn:aws:execute-api:eu-west-?:{ACCOUNT}:api???/*", True),
        (SOURCE, True),
        (f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:api124/*", False),
        (f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:api123", False),
        # A wildcard does not reach over a colon of the first five.
        ("arn:aws:execute-api:*", False),
        ("*", False),
        # Brackets are no wildcard.
        (f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:api[0-9]23/*", False),
    ],
)
@pytest.mark.parametrize("operator", ["ArnLike", "ArnEquals"])
def test_source_arns_match_part_by_part(operator, pattern, expected):
    assert allowed(condition(operator, "AWS:SourceArn", pattern)) is expected


def test_string_operators_know_the_whole_arn():
    assert allowed(condition("StringLike", "aws:SourceArn", "arn:aws:execute-api:*"))
    assert allowed(condition("StringEquals", "aws:SourceArn", ["other", SOURCE]))
    assert not allowed(condition("StringEquals", "aws:SourceArn", "arn:aws:execute-api:*"))


def test_all_conditions_must_hold():
    both = {"ArnLike": {"aws:SourceArn": SOURCE}, "StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert allowed(statement(Condition=both))
    both["StringEquals"] = {"aws:SourceAccount": "999999999999"}
    assert not allowed(statement(Condition=both))


def test_a_deny_outweighs_every_allow():
    assert not allowed(statement(), statement(Effect="Deny"))
    elsewhere = condition("ArnLike", "aws:SourceArn", f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:other/*")
    assert allowed(statement(), elsewhere | {"Effect": "Deny"})


@pytest.mark.parametrize(("operator", "key"), [("IpAddress", "aws:SourceArn"), ("StringEquals", "aws:PrincipalOrgID")])
def test_a_condition_that_cannot_be_decided_never_allows_and_always_denies(operator, key):
    unknown = condition(operator, key, "x")
    assert not allowed(unknown)
    assert not allowed(statement(), unknown | {"Effect": "Deny"})
