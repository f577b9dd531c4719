"""What is added to the engine's own ways with nested stacks."""

import pytest
from ministack.services import cloudformation, secretsmanager

from samhost import engine_stacks

QUEUE = {"QueueName": "tasks"}
ATTRIBUTES = {"Arn": "arn:aws:sqs:us-east-1:000000000000:tasks"}


@pytest.fixture(autouse=True)
def nested(monkeypatch):
    """A stack with a queue, as the engine has it."""
    stacks = {"app-Nested-1": {"_resources": {"Queue": {"Attributes": ATTRIBUTES}}}}
    monkeypatch.setattr(cloudformation, "_stacks", stacks)


def test_a_resource_that_stays_keeps_its_attributes():
    kept = engine_stacks.update("AWS::SQS::Queue", "tasks", QUEUE, dict(QUEUE), "app-Nested-1", "Queue")

    assert kept == ("tasks", ATTRIBUTES)


def test_what_the_engine_itself_knows_of_a_resource_counts():
    kept = engine_stacks.update("AWS::SQS::Queue", "tasks", QUEUE, dict(QUEUE), "app", "Queue", {"Arn": "its own"})

    assert kept == ("tasks", {"Arn": "its own"})


@pytest.mark.parametrize("stack", ["app", "app-Nested-1"])
def test_a_resource_of_which_nothing_is_recorded_has_none(stack):
    assert engine_stacks.update("AWS::SQS::Queue", "other", QUEUE, dict(QUEUE), stack, "Other") == ("other", {})


@pytest.fixture
def secret(monkeypatch):
    """A property that names a secret, whose value is `opened`."""
    monkeypatch.setattr(secretsmanager, "resolve_secret_string", lambda name, *_: "opened" if name == "key" else None)
    return {"Values": ["{{resolve:secretsmanager:key:SecretString}}"]}


def test_a_resource_is_created_with_the_value_of_the_secret_that_it_names(monkeypatch, secret):
    monkeypatch.setattr(engine_stacks, "_create", lambda *arguments: arguments)

    assert engine_stacks.create("A::B::C", "Rule", secret, "app-Nested-1")[2] == {"Values": ["opened"]}


def test_a_resource_is_updated_from_and_to_the_values_of_secrets(monkeypatch, secret):
    monkeypatch.setattr(engine_stacks, "_update", lambda *arguments: arguments)

    _, _, old, new, *_ = engine_stacks.update("A::B::C", "r", secret, secret | {"More": 1}, "app-Nested-1", "Rule")
    assert (old, new) == ({"Values": ["opened"]}, {"Values": ["opened"], "More": 1})


def test_a_secret_that_is_not_there_fails_the_resource(secret):
    with pytest.raises(ValueError, match="not found"):
        engine_stacks.create("A::B::C", "Rule", {"a": "{{resolve:secretsmanager:other:SecretString}}"}, "app-Nested-1")
