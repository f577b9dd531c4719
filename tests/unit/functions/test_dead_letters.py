"""Dead letters go back to the queue that gave them up, as they were, and never get lost on the way."""

import pytest
from unit.functions.conftest import QUEUE_ARN

from scanner.aws import clients
from scanner.services import dead_letters

REDRIVE = "POST /operations/dead-letters/redrive"


@pytest.fixture
def given_up(stack, monkeypatch):
    """Puts messages among the dead letters. Who gave them up is remembered here, for moto does not."""
    sources, groups = {}, {}
    sqs = clients.sqs()
    receive = sqs.receive_message

    def receive_message(MessageSystemAttributeNames=(), **parameters):  # noqa: N803 - AWS's name
        answer = receive(**parameters)
        for message in answer.get("Messages", []):
            known = {
                "DeadLetterQueueSourceArn": sources.get(message["Body"]),
                "MessageGroupId": groups.get(message["Body"]),
            }
            message["Attributes"] = {
                name: value for name, value in known.items() if value and name in MessageSystemAttributeNames
            }
        return answer

    monkeypatch.setattr(sqs, "receive_message", receive_message)

    def give_up(body, source, group=None, **more):
        sources[body], groups[body] = source, group
        sqs.send_message(QueueUrl=stack.queues["dead-letter"], MessageBody=body, **more)

    return give_up


def waiting(stack, queue):
    """How many messages are in a queue, hidden ones too."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = clients.sqs().get_queue_attributes(QueueUrl=stack.queues[queue], AttributeNames=names)["Attributes"]
    return sum(int(count) for count in counts.values())


def test_each_goes_back_to_the_queue_that_gave_it_up(stack, given_up):
    for queue in ("recognition", "deletion", "commands"):
        given_up(f"a message of {queue}", QUEUE_ARN + queue)

    assert stack.call(REDRIVE) == (200, {"redriven": 3, "left": 0, "more": False})

    for queue in ("recognition", "deletion", "commands"):
        assert [message["body"] for message in stack.queued(queue)] == [f"a message of {queue}"]
    assert waiting(stack, "dead-letter") == 0


def test_a_command_goes_back_as_its_user_s(stack, given_up, monkeypatch):
    given_up("a command", QUEUE_ARN + "commands", group="alice")
    sent = []
    monkeypatch.setattr(clients.sqs(), "send_message", lambda **message: sent.append(message))

    stack.call(REDRIVE)

    assert [message["MessageGroupId"] for message in sent] == ["alice"]


def test_a_message_without_a_group_gets_none(stack, given_up, monkeypatch):
    given_up("a notification", QUEUE_ARN + "recognition")
    sent = []
    monkeypatch.setattr(clients.sqs(), "send_message", lambda **message: sent.append(message))

    stack.call(REDRIVE)

    assert "MessageGroupId" not in sent[0]


def test_attributes_of_a_message_go_with_it(stack, given_up):
    attribute = {"StringValue": "value", "DataType": "String"}
    given_up("a message", QUEUE_ARN + "deletion", MessageAttributes={"name": attribute})

    stack.call(REDRIVE)

    answer = clients.sqs().receive_message(QueueUrl=stack.queues["deletion"], MessageAttributeNames=["All"])
    assert answer["Messages"][0]["MessageAttributes"] == {"name": attribute}


@pytest.mark.parametrize(
    "source", [None, QUEUE_ARN + "other", QUEUE_ARN, "arn:aws:sqs:eu-west-1:999999999999:commands"]
)
def test_what_no_queue_of_the_stack_gave_up_stays(stack, given_up, source):
    given_up("a stranger", source)
    given_up("a message", QUEUE_ARN + "deletion")

    assert stack.call(REDRIVE) == (200, {"redriven": 1, "left": 1, "more": False})

    assert waiting(stack, "dead-letter") == 1


def test_one_call_deals_with_so_many_and_says_that_there_are_more(stack, given_up):
    for number in range(dead_letters.MAX_LETTERS + 7):
        given_up(f"message {number}", QUEUE_ARN + "deletion")

    assert stack.call(REDRIVE) == (200, {"redriven": dead_letters.MAX_LETTERS, "left": 0, "more": True})
    assert stack.call(REDRIVE) == (200, {"redriven": 7, "left": 0, "more": False})
    assert waiting(stack, "deletion") == dead_letters.MAX_LETTERS + 7


@pytest.mark.parametrize("step", ["send_message", "delete_message"])
def test_a_crash_at_any_step_loses_no_message(stack, given_up, monkeypatch, step):
    given_up("a message", QUEUE_ARN + "deletion")
    with monkeypatch.context() as patch:
        patch.setattr(clients.sqs(), step, lambda **_: 1 / 0)
        status, _ = stack.call(REDRIVE)

    assert status == 500
    assert waiting(stack, "dead-letter") == 1, "it is still there"
    assert waiting(stack, "deletion") == (0 if step == "send_message" else 1)
