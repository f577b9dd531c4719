"""The route of a project's PDF."""

from typing import Any

from scanner import edge
from scanner.services import documents


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Answer an HTTP API event."""
    return edge.respond(event, ROUTES)


def get(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """GET /projects/{projectId}/pdf: a link to the PDF of the ready pages, and which pages are not in it.

    `layout=scan`, the default, is the images under invisible text; `layout=text` is the text, typeset.
    """
    layout = documents.Layout(request.choice("layout", *documents.Layout))
    pdf = documents.document(request.user, request.path("projectId"), layout)
    left_out = [{"pageId": page.page_id, "status": page.status} for page in pdf.left_out]
    return 200, {"url": pdf.url, "expiresAt": pdf.expires_at, "pageCount": pdf.page_count, "leftOut": left_out}


ROUTES = {"GET /projects/{projectId}/pdf": get}
