"""Deletion of what belongs to deleted projects and pages: SQS messages that name the owner and what was deleted."""

from typing import Any

from scanner import edge
from scanner.services import deletion

_RESERVE_MILLISECONDS = 10_000  # for the batch that is under way, and the answer


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Delete what the messages name; what is left when time runs out follows with the next delivery."""

    def out_of_time() -> bool:
        return context.get_remaining_time_in_millis() < _RESERVE_MILLISECONDS

    return edge.consume(event, "deletion", lambda message: [deletion.delete(message["body"], out_of_time)])
