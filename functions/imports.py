"""The routes of imports. What an upload starts is a workflow, whose tasks are in importing.py."""

from typing import Any

from scanner import edge
from scanner.imports import Import
from scanner.services import imports


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Answer an HTTP API event."""
    return edge.respond(event, ROUTES)


def create(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """POST /projects/{projectId}/imports: an import, and the form that uploads its file."""
    imported, upload = imports.create(request.user, request.path("projectId"), request.body())
    request.log["importId"] = imported.import_id
    return 201, _body(imported) | {"upload": upload}


def get(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """GET /imports/{importId}: where it stands."""
    return 200, _body(imports.get(request.user, request.path("importId")))


ROUTES = {"POST /projects/{projectId}/imports": create, "GET /imports/{importId}": get}


def _body(imported: Import) -> dict[str, Any]:
    body: dict[str, Any] = {
        "importId": imported.import_id,
        "projectId": imported.project_id,
        "status": imported.status,
        "createdAt": imported.created_at,
        "updatedAt": imported.updated_at,
        "pagesDone": imported.pages_done,
        "pagesWithText": imported.pages_with_text,
    }
    if imported.page_count:
        body["pageCount"] = imported.page_count
    if imported.failure:
        body["reason"] = {"code": imported.failure.code, "message": imported.failure.message}
    return body
