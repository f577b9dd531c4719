"""The audit log's entries: each is an event of the bus, a client's or our own, as EventBridge delivered it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from scanner.ids import is_id

RETENTION_DAYS = 90
"""How long entries stay; template.yaml says the same of the details in the bucket."""

_CLIENT = "docscan.client."
"""What the source of a client's event begins with; the rest is the user's `sub`, which the gateway has put there."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event of the bus. `at` is in UTC to the second, `detail` is JSON.

    `user` is the `sub` of who sent it or, of our own events, of whose document it is about.
    """

    event_id: str
    at: str
    source: str
    detail_type: str
    user: str | None
    detail: str

    @classmethod
    def parse(cls, event: dict[str, Any]) -> Self:
        """Read an event as EventBridge delivers it. Raises KeyError or ValueError for what is none.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
        """
        if not is_id(event["id"]):
            raise ValueError("The event's id is none.")
        datetime.fromisoformat(event["time"])
        return cls(
            event_id=event["id"],
            at=event["time"],
            source=event["source"],
            detail_type=event["detail-type"],
            user=_user(event["source"], event["detail"]),
            detail=_text(event["detail"]),
        )

    @property
    def day(self) -> str:
        """The day in UTC, `2026-11-21`."""
        return self.at[:10]

    @property
    def expires_at(self) -> int:
        """When the entry goes, in seconds since 1970."""
        return int(datetime.fromisoformat(self.at).timestamp()) + RETENTION_DAYS * 24 * 60 * 60


def _user(source: str, detail: object) -> str | None:
    """Return whose event it is. What a client wrote into the detail of its own event says nothing about that."""
    if source.startswith(_CLIENT):
        return source.removeprefix(_CLIENT)
    owner = detail.get("owner") if isinstance(detail, dict) else None
    return owner if isinstance(owner, str) else None


def _text(detail: object) -> str:
    """Return JSON; halves of surrogate pairs, which JSON can spell and UTF-8 cannot, become question marks."""
    return json.dumps(detail, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()
