"""The joining of an export's parts, a volume at a time: the last task of workflows/exports.asl.yaml."""

from typing import Any

from scanner import edge
from scanner.errors import GivenUpError
from scanner.services import export_joining
from scanner.services.export_joining import Unfinished

ROUNDS = 2
"""How often parts that have gone meanwhile are built again."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Return what was made, or what is still to be done, or `{"message", "code"}`."""
    return edge.perform(event, "export-join", join)


def join(task: edge.Task) -> dict[str, Any]:
    """Join what was built of the export that the execution is named after."""
    task.log["exportId"] = task.resource_id
    made, rounds = export_joining.join(task.user, task.resource_id), task.input["round"]
    match made:
        case None:
            return {"ended": True}
        case Unfinished(parts=()):
            return {"round": rounds}
        case Unfinished(parts=parts):
            task.log["missing"] = len(parts)
            if rounds == ROUNDS:
                raise GivenUpError(f"{len(parts)} parts have gone again.")
            return {"parts": [part.to_item() for part in parts], "round": rounds + 1}
    task.log.update(projectId=made.project_id, pageCount=made.page_count, volumes=len(made.volumes))
    return made.to_output()
