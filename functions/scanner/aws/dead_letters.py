"""The dead letters: messages that a queue of ours has given up on."""

from dataclasses import dataclass
from typing import Any

from scanner.aws import clients
from scanner.settings import SETTINGS

_AT_ONCE = 10  # ReceiveMessage's limit
_HIDDEN_SECONDS = 60  # while they are dealt with; the function that does it has less time


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message; `source` is the ARN of the queue that gave it up, None where it was no queue (of the stream's, say).

    `group` is its message group, which is the user who sent it.
    """

    receipt_handle: str
    body: str
    source: str | None
    group: str | None
    attributes: dict[str, Any]


def receive(limit: int) -> list[DeadLetter]:
    """Return up to `limit` dead letters, ten at most; they are hidden from other receivers for a minute."""
    answer = clients.sqs().receive_message(
        QueueUrl=SETTINGS.dead_letter_queue_url,
        MaxNumberOfMessages=min(limit, _AT_ONCE),
        VisibilityTimeout=_HIDDEN_SECONDS,
        MessageSystemAttributeNames=["DeadLetterQueueSourceArn", "MessageGroupId"],
        MessageAttributeNames=["All"],
    )
    return [_dead_letter(message) for message in answer.get("Messages", [])]


def send_back(letter: DeadLetter, queue_url: str) -> None:
    """Send a dead letter to its queue again, as it was; only then delete it, so that it cannot get lost in between.

    Its receives are counted anew there.
    """
    group = {"MessageGroupId": letter.group} if letter.group else {}
    clients.sqs().send_message(
        QueueUrl=queue_url, MessageBody=letter.body, MessageAttributes=letter.attributes, **group
    )
    clients.sqs().delete_message(QueueUrl=SETTINGS.dead_letter_queue_url, ReceiptHandle=letter.receipt_handle)


def _dead_letter(message: dict[str, Any]) -> DeadLetter:
    system = message.get("Attributes", {})
    return DeadLetter(
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        source=system.get("DeadLetterQueueSourceArn"),
        group=system.get("MessageGroupId"),
        attributes=message.get("MessageAttributes", {}),
    )
