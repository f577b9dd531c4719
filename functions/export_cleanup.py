"""Cleaning up after exports that were stopped or have failed: SQS messages with Step Functions' own events."""

import json
from typing import Any

from scanner import edge
from scanner.ids import parse_execution_name
from scanner.services import export_cleanup

_RESERVE_MILLISECONDS = 10_000  # for what is under way, and the answer


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Clean up; what is left when time runs out follows with the next delivery."""

    def out_of_time() -> bool:
        return context.get_remaining_time_in_millis() < _RESERVE_MILLISECONDS

    def clean_up(message: dict[str, Any]) -> list[dict[str, Any]]:
        execution = json.loads(message["body"])["detail"]
        user, export_id = parse_execution_name(execution["name"])
        outcome = export_cleanup.clean_up(user, export_id, execution["status"] == "ABORTED", out_of_time)
        return [{"sub": user, "exportId": export_id} | outcome]

    return edge.consume(event, "export-cleanup", clean_up)
