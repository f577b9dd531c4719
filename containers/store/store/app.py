"""The routes of a store: GET, PUT and DELETE of an item, and the list of all.

Items have ETags (RFC 9110): with `If-Match` a change takes place only where nobody else has changed the item meanwhile,
with `If-None-Match: *` only where there is none yet.
"""

import base64
import json
import re
from collections.abc import Callable

from anyio import to_thread
from serving import application
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from store.collection import Collection
from store.item import MAX_BYTES, InvalidItemError, parse, plain
from store.table import AbsentError, ChangedError, Condition, Stored, Table

_ID = re.compile(r"[\w.~ -]{1,100}")
_ETAGS = re.compile(r'"([0-9a-f]{32})"')
_LIMIT = re.compile(r"[1-9][0-9]?|100")
_DEFAULT_LIMIT = 50
_MOST_ETAGS = 20


class InvalidRequestError(Exception):
    """A request that makes no sense; its text says what to send instead."""


class TooLargeError(Exception):
    """An item that is larger than a store keeps."""


_REFUSALS = {InvalidItemError: 400, InvalidRequestError: 400, AbsentError: 404, ChangedError: 412, TooLargeError: 413}


def create(collection: Collection, table: Table) -> Starlette:
    """Return the application that keeps a collection in a table."""

    async def get(request: Request) -> Response:
        stored = await _wait(table.get, _id(request))
        if stored.version in _ETAGS.findall(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers={"etag": _etag(stored)})
        return _answer(stored)

    async def put(request: Request) -> Response:
        item_id, condition = _id(request), _condition(request)
        item = parse(await _body(request), collection.id_name, item_id)
        return _answer(await _wait(table.put, item_id, item, condition))

    async def delete(request: Request) -> Response:
        await _wait(table.delete, _id(request), _condition(request))
        return Response(status_code=204)

    async def listing(request: Request) -> Response:
        found, last = await _wait(table.listing, _limit(request), _after(request))
        items = [plain(stored.item) for stored in found]
        return JSONResponse({"items": items} | ({"cursor": _cursor(last)} if last else {}))

    item = f"{collection.path}/{{id}}"
    return application(
        Route(collection.path, listing),
        Route(item, get),
        Route(item, put, methods=["PUT"]),
        Route(item, delete, methods=["DELETE"]),
        refusals=_REFUSALS,
    )


async def _wait[*A, T](call: Callable[[*A], T], *arguments: *A) -> T:
    """Return what a call gives that waits for DynamoDB; it has a thread of its own, so that nobody else waits."""
    return await to_thread.run_sync(call, *arguments)


def _answer(stored: Stored) -> Response:
    return JSONResponse(plain(stored.item), headers={"etag": _etag(stored)})


def _etag(stored: Stored) -> str:
    return f'"{stored.version}"'


def _id(request: Request) -> str:
    item_id = request.path_params["id"]
    if not _ID.fullmatch(item_id):
        raise InvalidRequestError("An id has 1 to 100 letters, digits, spaces or . _ ~ -")
    return item_id


def _condition(request: Request) -> Condition:
    if_match, if_none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
    if if_none_match is not None:
        if if_none_match.strip() != "*" or if_match is not None:
            raise InvalidRequestError("Of If-None-Match, only * can be used with changes, and not with If-Match")
        return Condition(exists=False)
    if if_match is None:
        return Condition()
    if if_match.strip() == "*":
        return Condition(exists=True)
    versions = tuple(_ETAGS.findall(if_match))
    if len(versions) > _MOST_ETAGS:
        raise InvalidRequestError(f"Send at most {_MOST_ETAGS} ETags in If-Match")
    return Condition(versions or ("",))  # an ETag that was never given matches nothing


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            raise TooLargeError(f"Send at most {MAX_BYTES} bytes")
    return bytes(body)


def _limit(request: Request) -> int:
    limit = request.query_params.get("limit", str(_DEFAULT_LIMIT))
    if not _LIMIT.fullmatch(limit):
        raise InvalidRequestError("`limit` is a number from 1 to 100")
    return int(limit)


def _cursor(item_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(item_id).encode()).decode()


def _after(request: Request) -> str | None:
    cursor = request.query_params.get("cursor")
    if cursor is None:
        return None
    try:
        item_id = json.loads(base64.urlsafe_b64decode(cursor))
    except ValueError:
        item_id = None
    if not isinstance(item_id, str) or not _ID.fullmatch(item_id):
        raise InvalidRequestError("Send the cursor as the list before has given it")
    return item_id
