"""Recognition of uploaded images: SQS messages that carry S3 event notifications."""

from typing import Any

from scanner import edge
from scanner.services import recognition
from scanner.settings import SETTINGS


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Recognise what has arrived; messages that failed are reported, for the queue to deliver them again."""
    return edge.consume(event, "recognition", recognise)


def recognise(message: dict[str, Any]) -> list[dict[str, str]]:
    """Recognise the uploads of one message.

    At its last delivery, a page that cannot be recognised is marked failed before the message goes to the dead letters,
    so that nobody waits for it.
    """
    last = int(message["attributes"]["ApproximateReceiveCount"]) >= SETTINGS.max_receives
    outcomes = []
    for arrival in recognition.arrivals(message["body"]):
        try:
            outcome = recognition.recognise(arrival)
        except Exception:
            if last:
                recognition.give_up(arrival)
            raise
        outcomes.append({"projectId": arrival.project_id, "pageId": arrival.page_id, "outcome": outcome})
    return outcomes
