"""The audit log: what came over the event bus, kept for operators."""

import json
from datetime import UTC, datetime

from scanner.audit import AuditEntry
from scanner.aws import audit_table, bucket
from scanner.errors import InvalidRequestError

MAX_DETAIL_BYTES = 16 * 1024
"""Longer details go to the bucket: a hundred entries must fit into an answer, and each into an item."""


def record(delivery: str) -> AuditEntry:
    """Store an event as EventBridge delivers it, JSON; return its entry. Storing it again changes nothing.

    Raises KeyError or ValueError for what is no event.
    """
    entry = AuditEntry.parse(json.loads(delivery))
    small = len(entry.detail.encode()) <= MAX_DETAIL_BYTES
    if not small:
        bucket.write(bucket.audit_key(entry), entry.detail.encode(), "application/json")
    audit_table.put(entry, with_detail=small)
    return entry


def listing(
    day: str | None, limit: int, after: tuple[str, str] | None
) -> tuple[list[AuditEntry], tuple[str, str] | None]:
    """Return up to `limit` entries of a day, newest first, and the `(day, key)` to go on after, if there are more.

    The day is today in UTC unless it is given, by itself or by `after`. Raises InvalidRequestError if both are, and
    differ.
    """
    if after and day not in {None, after[0]}:
        raise InvalidRequestError(f"This cursor is of {after[0]}. Start again without a cursor.")
    day = after[0] if after else day or datetime.now(UTC).date().isoformat()
    found, more = audit_table.listing(day, limit, after[1] if after else None)
    return found, (day, audit_table.event_key(found[-1])) if more else None


def detail_link(entry: AuditEntry) -> str:
    """Return a link to the detail of an entry that was too long for the table."""
    return bucket.link(bucket.audit_key(entry))
