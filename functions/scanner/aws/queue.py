"""The queues: what is to be deleted, and uploads to recognise later."""

import json
import random
from dataclasses import dataclass

from scanner.aws import clients
from scanner.ids import is_id
from scanner.settings import SETTINGS


@dataclass(frozen=True, slots=True)
class Deletion:
    """What is to be deleted: a project with all that belongs to it, or one page of it."""

    owner: str
    project_id: str
    page_id: str | None = None


def send_deletion(deletion: Deletion) -> None:
    """Ask durably for a deletion."""
    body = {"owner": deletion.owner, "projectId": deletion.project_id}
    if deletion.page_id:
        body["pageId"] = deletion.page_id
    clients.sqs().send_message(QueueUrl=SETTINGS.deletion_queue_url, MessageBody=json.dumps(body))


def parse_deletion(body: str) -> Deletion:
    """Return what such a message asks for. Raises ValueError or KeyError for any other message."""
    message = json.loads(body)
    deletion = Deletion(message["owner"], message["projectId"], message.get("pageId"))
    # The ids become prefixes of the objects to delete. A page id that is none must not pass for none at all.
    if not is_id(deletion.project_id) or not ("pageId" not in message or is_id(deletion.page_id)):
        raise ValueError("The message names no project, or no page.")
    return deletion


def postpone_recognition(notification: str) -> None:
    """Have a notification of uploads delivered anew in 5 to 60 s, so that the throttled do not all return."""
    delay = random.randint(5, 60)  # noqa: S311
    clients.sqs().send_message(QueueUrl=SETTINGS.recognition_queue_url, MessageBody=notification, DelaySeconds=delay)
