"""The route of the audit log, for operators."""

import json
from typing import Any

from scanner import edge
from scanner.audit import AuditEntry
from scanner.services import audit


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Answer an HTTP API event."""
    return edge.respond(event, ROUTES)


def list_(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """GET /operations/audit: the events of a day, newest first; of today where none is named."""
    found, last = audit.listing(request.day(), request.limit(), request.after(str, str))
    return 200, request.listing([_body(entry) for entry in found], *last or ())


ROUTES = {"GET /operations/audit": list_}


def _body(entry: AuditEntry) -> dict[str, Any]:
    body: dict[str, Any] = {
        "eventId": entry.event_id,
        "at": entry.at,
        "source": entry.source,
        "detailType": entry.detail_type,
    }
    if entry.user is not None:
        body["user"] = entry.user
    return body | ({"detail": json.loads(entry.detail)} if entry.detail else {"detailUrl": audit.detail_link(entry)})
