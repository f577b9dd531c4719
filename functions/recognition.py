"""Recognition of uploaded images: SQS messages that carry S3 event notifications."""

from typing import Any

from scanner import edge
from scanner.errors import GivenUpError, ThrottledError
from scanner.services import recognition
from scanner.settings import SETTINGS


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Recognise what has arrived; messages that failed are reported, for the queue to deliver them again."""
    return edge.consume(event, "recognition", recognise)


def recognise(message: dict[str, Any]) -> list[dict[str, str]]:
    """Recognise the uploads of one message.

    What failed is delivered again, soon at first, then later and later. A page that cannot be recognised is marked
    failed at the last attempt, before the message goes to the dead letters, so that nobody waits for it. The queue
    delivers once more than there are attempts: an attempt that ran out of time or memory could not mark anything.
    Throttling uses up no attempt, for the message starts anew.
    """
    receives = int(message["attributes"]["ApproximateReceiveCount"])
    arrivals, outcomes = list(recognition.arrivals(message["body"])), []
    if receives > SETTINGS.max_attempts:
        for arrival in arrivals:
            recognition.give_up(arrival)
        raise GivenUpError(f"{SETTINGS.max_attempts} attempts ended without a result.")
    for arrival in arrivals:
        try:
            outcome = recognition.recognise(arrival)
        except ThrottledError:
            recognition.postpone(message["body"])
            return [*outcomes, {"outcome": "postponed"}]
        except Exception:
            if receives >= SETTINGS.max_attempts:
                recognition.give_up(arrival)
            else:
                recognition.try_again(message["receiptHandle"], receives)
            raise
        outcomes.append({"projectId": arrival.project_id, "pageId": arrival.page_id, "outcome": outcome})
    return outcomes
