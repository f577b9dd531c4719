"""Writing of the audit log: SQS messages that carry events of the bus."""

from typing import Any

from scanner import edge
from scanner.services import audit


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Store what has come over the bus; messages that failed are reported, for the queue to deliver them again."""
    return edge.consume(event, "auditing", record)


def record(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Store the event of one message."""
    entry = audit.record(message["body"])
    return [{"eventId": entry.event_id, "detailType": entry.detail_type, "sub": entry.user}]
