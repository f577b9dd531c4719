"""The queues: projects to delete, and uploads to recognise later."""

import json
import random

from scanner.aws import clients
from scanner.ids import is_id
from scanner.settings import SETTINGS


def send_deletion(owner: str, project_id: str) -> None:
    """Ask durably for a project to be deleted with all that belongs to it."""
    body = json.dumps({"owner": owner, "projectId": project_id})
    clients.sqs().send_message(QueueUrl=SETTINGS.deletion_queue_url, MessageBody=body)


def parse_deletion(body: str) -> tuple[str, str]:
    """Return owner and project id of such a message. Raises ValueError or KeyError for any other."""
    message = json.loads(body)
    if not is_id(message["projectId"]):  # it becomes the prefix of the objects to delete
        raise ValueError("The message names no project.")
    return message["owner"], message["projectId"]


def postpone_recognition(notification: str) -> None:
    """Have a notification of uploads delivered anew in 5 to 60 s, so that the throttled do not all return."""
    delay = random.randint(5, 60)  # noqa: S311
    clients.sqs().send_message(QueueUrl=SETTINGS.recognition_queue_url, MessageBody=notification, DelaySeconds=delay)
