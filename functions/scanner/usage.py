"""What a user has used of the scanner, by day (UTC)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Day:
    """A user's day, `2026-11-21`: how many images it was agreed to take, and how many were recognised."""

    day: str
    uploaded: int = 0
    recognised: int = 0


def today(days_ago: int = 0) -> str:
    """Return the day it is in UTC, or was so many days ago."""
    return (datetime.now(UTC) - timedelta(days=days_ago)).date().isoformat()
