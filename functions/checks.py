"""The check of a project before it is exported: the one task of workflows/checks.asl.yaml."""

from typing import Any

from scanner import edge
from scanner.services import checks


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Return what is found, or `{"message", "code"}`."""
    return edge.perform(event, "checks", check)


def check(task: edge.Task) -> dict[str, Any]:
    """Check the project that the execution is named after."""
    task.log["projectId"] = task.resource_id
    found = checks.check(task.user, task.resource_id)
    return {
        "ready": found.ready,
        "pageCount": found.page_count,
        "pagesByStatus": found.pages_by_status,
        "findingCount": found.finding_count,
        "findings": [
            {"pageId": finding.page_id, "number": finding.number, "code": finding.code, "message": finding.message}
            for finding in found.findings
        ],
        "export": {"pages": found.pages_by_status["ready"], "seconds": found.export_seconds},
    }
