"""The plan of an export: the first task of workflows/exports.asl.yaml, done again while it waits for recognition."""

from datetime import datetime
from typing import Any

from scanner import edge
from scanner.services import export_plan


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Return the parts that are to be built, or for how many pages to wait, or `{"message", "code"}`."""
    return edge.perform(event, "export-plan", plan)


def plan(task: edge.Task) -> dict[str, Any]:
    """Plan the export that the execution is named after; its order is what the client has sent, as it came."""
    task.log["exportId"] = task.resource_id
    started_at = datetime.fromisoformat(task.input["startedAt"])
    attempt = export_plan.plan(task.user, task.resource_id, task.input["order"], started_at)
    if attempt is None:
        return {"ended": True}
    task.log.update(projectId=attempt.project_id, pageCount=attempt.page_count, waitingFor=attempt.waiting_for)
    if attempt.waiting_for:
        return {"waitingFor": attempt.waiting_for}
    return {"parts": [part.to_item() for part in attempt.planned], "round": 0}
