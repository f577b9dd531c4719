"""The queues: what is to be deleted, and images to recognise again or later."""

import json
import random
from dataclasses import dataclass

from scanner.aws import bucket, clients
from scanner.ids import is_id
from scanner.page import Page
from scanner.settings import SETTINGS

REPLACEMENT_SECONDS = 15
"""The deletion of a replaced image waits for as long as the function that replaces it could still be running."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """What is to be deleted: a project with all that belongs to it, one page of it, or a page's replaced image."""

    owner: str
    project_id: str
    page_id: str | None = None
    image_id: str | None = None


def send_deletion(deletion: Deletion) -> None:
    """Ask durably for a deletion."""
    ids = {"projectId": deletion.project_id, "pageId": deletion.page_id, "imageId": deletion.image_id}
    body = {"owner": deletion.owner} | {name: value for name, value in ids.items() if value}
    clients.sqs().send_message(
        QueueUrl=SETTINGS.deletion_queue_url,
        MessageBody=json.dumps(body),
        DelaySeconds=REPLACEMENT_SECONDS if deletion.image_id else 0,
    )


def parse_deletion(body: str) -> Deletion:
    """Return what such a message asks for. Raises ValueError or KeyError for any other message."""
    message = json.loads(body)
    ids = [message[name] for name in ("projectId", "pageId", "imageId") if name in message]
    # They become prefixes of the objects to delete; and one that is no id must not pass for one that is not there.
    if not all(is_id(value) for value in ids) or ("imageId" in message and "pageId" not in message):
        raise ValueError("The message names nothing that can be deleted.")
    return Deletion(message["owner"], message["projectId"], message.get("pageId"), message.get("imageId"))


def send_recognition(page: Page) -> None:
    """Ask durably for a page's pinned image to be recognised again; twice is the same as once."""
    body = {"key": bucket.image_key(page), "versionId": page.image_version, "askedAgainAt": page.asked_again_at}
    clients.sqs().send_message(QueueUrl=SETTINGS.recognition_queue_url, MessageBody=json.dumps(body))


def postpone_recognition(notification: str) -> None:
    """Have a notification of uploads delivered anew in 5 to 60 s, so that the throttled do not all return."""
    delay = random.randint(5, 60)  # noqa: S311
    clients.sqs().send_message(QueueUrl=SETTINGS.recognition_queue_url, MessageBody=notification, DelaySeconds=delay)


def deliver_again(receipt_handle: str, seconds: int) -> None:
    """Have an upload's message delivered again after so many seconds, rather than after its visibility timeout."""
    clients.sqs().change_message_visibility(
        QueueUrl=SETTINGS.recognition_queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
    )
