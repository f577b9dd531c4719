"""What is added to the engine's own updates of nested stacks."""

import pytest
from ministack.services import cloudformation

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
