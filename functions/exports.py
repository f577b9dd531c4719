"""The route of an export. Exports are started and stopped by the gateway itself, at Step Functions."""

from typing import Any

from scanner import edge
from scanner.export import Attempt
from scanner.services import exports


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Answer an HTTP API event."""
    return edge.respond(event, ROUTES)


def get(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """GET /exports/{exportId}: where it stands, and links to the documents or why there are none."""
    return 200, _body(exports.get(request.user, request.path("exportId")))


ROUTES = {"GET /exports/{exportId}": get}


def _body(export: exports.Export) -> dict[str, Any]:
    body: dict[str, Any] = {"exportId": export.export_id, "status": export.status, "startedAt": export.started_at}
    if export.stopped_at:
        body["stoppedAt"] = export.stopped_at
    if product := export.product:
        body |= {
            "projectId": product.project_id,
            "format": product.format,
            "pageCount": product.page_count,
            "leftOutCount": product.left_out_count,
        }
    elif attempt := export.attempt:
        body |= _progress(attempt, running=export.status == exports.Status.RUNNING)
    if export.links:
        body["documents"] = [
            {"url": link.url, "filename": link.filename, "size": link.volume.size, "pageCount": link.volume.page_count}
            for link in export.links
        ]
        body["expiresAt"] = export.links_expire_at
    if export.reason:
        body["reason"] = {"code": export.reason.code, "message": export.reason.message}
    return body


def _progress(attempt: Attempt, *, running: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"projectId": attempt.project_id, "format": attempt.format}
    if attempt.waiting_for:
        return body | ({"waitingFor": attempt.waiting_for} if running else {})
    body |= {"pageCount": attempt.page_count, "leftOutCount": attempt.all_left_out}
    return body | ({"pagesDone": attempt.pages_done} if running else {})
