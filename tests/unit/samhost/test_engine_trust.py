"""Trust policies as the engine evaluates them for samhost, which stands in for services."""

import json

import pytest

from samhost.engine_trust import without_source

SOURCE = {"StringEquals": {"aws:SourceAccount": "1", "aws:PrincipalOrgID": "o"}, "ArnLike": {"AWS:SourceArn": "arn:*"}}


def statement(**changes):
    return {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": SOURCE,
    } | changes


@pytest.mark.parametrize("form", [json.dumps, dict])
def test_an_allow_for_a_service_is_under_no_condition_on_the_source(form):
    policy = without_source(form({"Version": "2012-10-17", "Statement": statement()}))

    assert policy["Statement"] == [statement(Condition={"StringEquals": {"aws:PrincipalOrgID": "o"}})]


@pytest.mark.parametrize("changes", [{"Effect": "Deny"}, {"Principal": {"AWS": "1"}}, {"Principal": "*"}])
def test_other_statements_stay_as_they_are(changes):
    given = {"Statement": [statement(**changes)]}

    assert without_source(given) == given
