"""Identifiers, names of executions, timestamps and days."""

import re
import secrets
import time
import uuid
from datetime import UTC, date, datetime
from typing import TypeGuard

_ID = re.compile(r"[A-Za-z0-9-]{1,36}")


def new_id() -> str:
    """Return a UUIDv7 (RFC 9562, section 5.7): its text sorts by the millisecond in which it was made."""
    bits = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
    bits = bits & ~(0xF << 76) | 0x7 << 76  # version
    bits = bits & ~(0x3 << 62) | 0x2 << 62  # variant
    return str(uuid.UUID(int=bits))


def derived_id(parent: str, name: str) -> str:
    """Return the id of what `name` says within `parent`, always the same UUIDv5 (RFC 9562, section 5.5)."""
    return str(uuid.uuid5(uuid.UUID(parent), name))


def is_id(value: object) -> TypeGuard[str]:
    """Tell whether `value` has the form of an id; it then is safe in object keys and log lines."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def parse_execution_name(name: str) -> tuple[str, str]:
    """Return the user's `sub` and the rest of an execution's name, `{sub}_{id}`, as the gateway composes it.

    A `sub` is a UUID, without an underscore; so nothing that a client writes behind the first one reaches into it.
    Raises ValueError for any other name.
    """
    user, underscore, rest = name.partition("_")
    if not (user and underscore):
        raise ValueError("The execution has another name than the gateway gives.")
    return user, rest


def timestamp(at: datetime | None = None) -> str:
    """Return `at`, or now, as ISO 8601 in UTC with milliseconds: `2026-11-21T09:30:00.000Z`."""
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_day(value: str) -> bool:
    """Tell whether `value` is a date as in `2026-11-21`, in just that form."""
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
