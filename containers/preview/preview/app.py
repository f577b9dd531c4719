"""The route of previews: a page's picture at a width, for its owner and nobody else."""

import hashlib
import re

from anyio import CapacityLimiter, to_thread
from serving import USER_HEADER, application
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from preview.cache import Cache
from preview.rendering import MAX_WIDTH, Kind, render
from scanner.aws import bucket
from scanner.errors import (
    ImageRefusedError,
    InvalidRequestError,
    MissingObjectError,
    NotFoundError,
    UnauthenticatedError,
)
from scanner.ids import is_id
from scanner.page import Page
from scanner.services import pages

_DEFAULT_WIDTH = 800
_WIDTH = re.compile(r"[1-9][0-9]{0,3}")
_TAKES_WEBP = re.compile(r"image/webp\s*(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)
_REFUSALS = {
    InvalidRequestError: 400,
    UnauthenticatedError: 401,
    NotFoundError: 404,
    MissingObjectError: 404,  # deleted, or replaced by another image, since the page was read
    ImageRefusedError: 422,
}


def create(cache_bytes: int) -> Starlette:
    """Return the application, which keeps up to so many bytes of pictures."""
    cache = Cache(cache_bytes)
    # Decoding takes all of a task's share of a core, and for the largest images 900 MB: one after another.
    decoding = CapacityLimiter(1)

    async def show(request: Request) -> Response:
        width, kind = _width(request), _kind(request)
        page = await to_thread.run_sync(_page, request)
        etag = _etag(page, width, kind)
        headers = {"etag": etag, "cache-control": "private, no-cache", "vary": "Accept"}
        if etag in re.findall(r'"[^"]*"', request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)

        async def make() -> bytes:
            return await to_thread.run_sync(_render, page, width, kind, limiter=decoding)

        picture = await cache.get(etag, make)
        return Response(picture, media_type=kind, headers=headers | {"x-content-type-options": "nosniff"})

    return application(Route("/previews/{projectId}/{pageId}", show), refusals=_REFUSALS)


def _page(request: Request) -> Page:
    """Return the page, if it is the caller's and has an image. Raises UnauthenticatedError, NotFoundError."""
    user = request.headers.get(USER_HEADER)
    if not user:
        raise UnauthenticatedError("Sign in, and send the access token.")
    project_id, page_id = request.path_params["projectId"], request.path_params["pageId"]
    if not is_id(project_id) or not is_id(page_id):
        raise NotFoundError("There is no such page.")
    page = pages.get(user, project_id, page_id)
    if page.image_version is None:
        raise NotFoundError("This page has no image yet.")
    return page


def _render(page: Page, width: int, kind: Kind) -> bytes:
    return render(bucket.read(bucket.image_key(page), page.image_version), width, page.rotation, kind)


def _width(request: Request) -> int:
    width = request.query_params.get("width", str(_DEFAULT_WIDTH))
    if not _WIDTH.fullmatch(width) or int(width) > MAX_WIDTH:
        raise InvalidRequestError(f"`width` is a number of pixels from 1 to {MAX_WIDTH}.")
    return int(width)


def _kind(request: Request) -> Kind:
    """WebP for who names it: it is smaller by a third, and `*/*` is said also by those who cannot read it."""
    return Kind.WEBP if _TAKES_WEBP.search(request.headers.get("accept", "")) else Kind.JPEG


def _etag(page: Page, width: int, kind: Kind) -> str:
    """Identify a picture by all that determines it."""
    parts = page.page_id, page.image_id, page.image_version, page.rotation, width, kind
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'
