"""What each site answers, all of it known beforehand."""

from collections.abc import Callable
from pathlib import Path

from serving import application
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

_HEADERS = {
    "cache-control": "public, max-age=60",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}


def create(name: str) -> Starlette:
    """Return the application of a site: `helloworld`, `blog` or `webpage`."""
    path, respond = _SITES[name]

    async def show(_: Request) -> Response:
        return respond()

    return application(Route(path, show))


def _greet() -> Response:
    return JSONResponse({"hello": "world"})


def _page(name: str) -> Callable[[], Response]:
    html = Path(__file__).with_name(f"{name}.html").read_text()
    return lambda: HTMLResponse(html, headers=_HEADERS)


_SITES: dict[str, tuple[str, Callable[[], Response]]] = {
    "helloworld": ("/", _greet),
    "blog": ("/blog", _page("blog")),
    "webpage": ("/", _page("webpage")),
}
