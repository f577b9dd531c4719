"""The building of a part of an export: a task of workflows/exports.asl.yaml, done for several parts at once."""

from typing import Any

from scanner import edge
from scanner.errors import PagesNotReadyError, UnfinishedError
from scanner.services import export_parts

RETRIES = 4
"""How often the workflow tries again."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Return how many pages are in the part, or `{"message", "code"}`."""
    return edge.perform(event, "export-part", build, give_up)


def build(task: edge.Task) -> dict[str, Any]:
    """Build the part of that number of the export that the execution is named after."""
    number = task.input["number"]
    task.log.update(exportId=task.resource_id, part=number, page=None)
    try:
        part = export_parts.build(task.user, task.resource_id, number, lambda page: task.log.update(page=page))
    except UnfinishedError as error:
        if task.input["retries"] < RETRIES:
            raise
        raise PagesNotReadyError(f"{error.message} Export again when it is done, or without it.") from error
    del task.log["page"]  # which is for what fails
    return {"pageCount": part.page_count} if part else {"ended": True}


def give_up(task: edge.Task) -> dict[str, Any] | None:
    """Return why the export fails if this was the last try and the page is known with which it has failed."""
    if task.input["retries"] < RETRIES or not task.log.get("page"):
        return None
    message = (
        f"Page {task.log['page']} could not be put into the export, although it was tried several times. "
        "Replace its image or delete it, or export the others."
    )
    return {"code": "page-failed", "message": message}
