"""Cursors: where a list goes on, opaque to clients.

A cursor carries the sort key of the last item and nothing else: the partition comes from the caller's identity and the
path, so that no cursor reaches into another user's items. A checksum over the list it belongs to (not a secret; nothing
depends on it) tells a cursor that was damaged or taken from another list.
"""

import base64
import hashlib
import json
from typing import Any

from scanner.errors import InvalidRequestError

_CHECK_BYTES = 6


def encode(listing: str, key: tuple[str | int, ...]) -> str:
    """Return the cursor after `key` in the list that `listing` names."""
    payload = json.dumps(key, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_check(listing, payload) + payload).rstrip(b"=").decode()


def decode(listing: str, cursor: str, *types: type) -> tuple[Any, ...]:
    """Return the key in `cursor`, its parts of `types`. Raises InvalidRequestError for what `encode` did not make."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = tuple(json.loads(raw[_CHECK_BYTES:]))
    except (ValueError, TypeError, RecursionError) as error:
        raise _not_ours() from error
    if tuple(type(part) for part in key) != types or "" in key or encode(listing, key) != cursor:
        raise _not_ours()
    return key


def _check(listing: str, payload: bytes) -> bytes:
    return hashlib.sha256(listing.encode() + b"\0" + payload).digest()[:_CHECK_BYTES]


def _not_ours() -> InvalidRequestError:
    return InvalidRequestError("This cursor belongs to no such list. Start again without a cursor.")
