"""The routes of pages: create, list, count, read, words, edit, replace the image, delete."""

from typing import Any

from scanner import edge, position
from scanner.page import Page, Status
from scanner.services import page_texts, pages


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Answer an HTTP API event."""
    return edge.respond(event, ROUTES)


def create(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """POST /projects/{projectId}/pages: a page, and the form that uploads its image."""
    page, upload = pages.create(request.user, request.path("projectId"), request.body().get("contentType"))
    request.log["pageId"] = page.page_id
    return 201, _body(page) | {"upload": upload}


def list_(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """GET /projects/{projectId}/pages, in page order, without texts."""
    cursor = request.after(str, str)
    after = (position.from_text(cursor[0]), cursor[1]) if cursor else None
    found, more = pages.listing(request.user, request.path("projectId"), request.limit(), after)
    key = (position.to_text(found[-1].position), found[-1].page_id) if more else ()
    return 200, request.listing([_body(page) for page in found], *key)


def count(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """GET /projects/{projectId}/pages/count."""
    return 200, {"pageCount": pages.count(request.user, request.path("projectId"))}


def get(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """GET /projects/{projectId}/pages/{pageId}, with its text and a link to its image."""
    return 200, _whole(pages.get(request.user, request.path("projectId"), request.path("pageId")))


def words(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """GET /projects/{projectId}/pages/{pageId}/words: a link to what was recognised, with confidence and geometry."""
    url, expires_at = pages.words_link(request.user, request.path("projectId"), request.path("pageId"))
    return 200, {"url": url, "expiresAt": expires_at}


def edit(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """PATCH /projects/{projectId}/pages/{pageId}: correct the text, move, turn."""
    ids = request.path("projectId"), request.path("pageId")
    return 200, _whole(pages.edit(request.user, *ids, request.body()))


def replace_image(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """PUT /projects/{projectId}/pages/{pageId}/image: the page starts again, with a form that uploads a new image."""
    ids = request.path("projectId"), request.path("pageId")
    page, upload = pages.replace_image(request.user, *ids, request.body().get("contentType"))
    return 200, _body(page) | {"upload": upload}


def delete(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """DELETE /projects/{projectId}/pages/{pageId}: gone at once; its images follow."""
    pages.delete(request.user, request.path("projectId"), request.path("pageId"))
    return 202, {}


ROUTES = {
    "POST /projects/{projectId}/pages": create,
    "GET /projects/{projectId}/pages": list_,
    "GET /projects/{projectId}/pages/count": count,
    "GET /projects/{projectId}/pages/{pageId}": get,
    "PATCH /projects/{projectId}/pages/{pageId}": edit,
    "DELETE /projects/{projectId}/pages/{pageId}": delete,
    "PUT /projects/{projectId}/pages/{pageId}/image": replace_image,
    "GET /projects/{projectId}/pages/{pageId}/words": words,
}


def _whole(page: Page) -> dict[str, Any]:
    """Return a page with what only the answer about a single page has."""
    body = _body(page)
    if page.import_id:
        body["importId"] = page.import_id
    if page.status == Status.READY:
        body |= {
            "textSource": page.text_source,
            "text": page_texts.text_of(page),
            "imageUrl": pages.image_link(page),
        }
    return body


def _body(page: Page) -> dict[str, Any]:
    body: dict[str, Any] = {
        "pageId": page.page_id,
        "projectId": page.project_id,
        "position": position.to_number(page.position),
        "rotation": page.rotation,
        "status": page.status,
        "contentType": page.content_type,
        "createdAt": page.created_at,
        "updatedAt": page.updated_at,
    }
    if page.status == Status.READY:
        body |= {
            "corrected": page.corrected,
            "confidence": page.confidence,
            "wordCount": page.word_count,
            "thumbnailUrl": pages.thumbnail_link(page),
        }
    if page.failure:
        body["reason"] = {"code": page.failure.code, "message": page.failure.message}
    return body
