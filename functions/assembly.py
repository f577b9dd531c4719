"""The making of an export's document: a task of workflows/exports.asl.yaml."""

from typing import Any

from scanner import edge
from scanner.services import exports


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Return what was made, or `{"message", "code"}`."""
    return edge.perform(event, "assembly", build)


def build(task: edge.Task) -> dict[str, Any]:
    """Make the document of the export that the execution is named after."""
    task.log["exportId"] = task.resource_id
    product = exports.build(task.user, task.resource_id, task.input)
    task.log.update(projectId=product.project_id, pageCount=product.page_count)
    return product.to_output()
