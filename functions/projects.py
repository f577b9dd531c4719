"""The routes of projects: create, list, read, rename, delete."""

from typing import Any

from scanner import edge
from scanner.project import Project
from scanner.services import projects


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Answer an HTTP API event."""
    return edge.respond(event, ROUTES)


def create(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """POST /projects."""
    project = projects.create(request.user, request.body().get("name"))
    request.log["projectId"] = project.project_id
    return 201, _body(project)


def list_(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """GET /projects, newest first."""
    after = request.after(str)
    found, more = projects.listing(request.user, request.limit(), after[0] if after else None)
    key = (found[-1].project_id,) if more else ()
    return 200, request.listing([_body(project) for project in found], *key)


def get(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """GET /projects/{projectId}."""
    return 200, _body(projects.get(request.user, request.path("projectId")))


def rename(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """PATCH /projects/{projectId}."""
    return 200, _body(projects.rename(request.user, request.path("projectId"), request.body().get("name")))


def delete(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """DELETE /projects/{projectId}: gone from every list at once; pages and images follow."""
    projects.delete(request.user, request.path("projectId"))
    return 202, {}


ROUTES = {
    "POST /projects": create,
    "GET /projects": list_,
    "GET /projects/{projectId}": get,
    "PATCH /projects/{projectId}": rename,
    "DELETE /projects/{projectId}": delete,
}


def _body(project: Project) -> dict[str, Any]:
    return {
        "projectId": project.project_id,
        "name": project.name,
        "createdAt": project.created_at,
        "pageCount": project.page_count,
        "pagesByStatus": project.pages_by_status,
    }
