"""The routes of a catalog: the list, each entry by its number, and a health check below the same path.

The load balancer in front has a rule for `/api/books` and one for `/api/books/*`, so everything of a service is there.
"""

import json
from pathlib import Path

from serving import application, health
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

KINDS = ("authors", "books")


class AbsentError(Exception):
    """There is no such entry."""

    def __init__(self) -> None:
        super().__init__("Not found")


def create(kind: str) -> Starlette:
    """Return the application that lists a kind of entries, one of `KINDS`."""
    entries = json.loads(Path(__file__).with_name(f"{kind}.json").read_text())
    by_id = {str(entry["id"]): entry for entry in entries}  # as written: neither "01" nor "1abc" is 1

    async def listing(_: Request) -> JSONResponse:
        return JSONResponse(entries)

    async def get(request: Request) -> JSONResponse:
        entry = by_id.get(request.path_params["id"])
        if entry is None:
            raise AbsentError
        return JSONResponse(entry)

    path = f"/api/{kind}"
    return application(
        Route(path, listing),
        Route(f"{path}/health", health),
        Route(f"{path}/{{id}}", get),
        refusals={AbsentError: 404},
    )
