"""Telemetry: reports become sums for each user and day."""

from datetime import UTC, datetime, timedelta

from scanner import telemetry
from scanner.aws import telemetry_table

KEPT = timedelta(days=90)


def add(owner: str, report: bytes, arrived_at: float, shard: str, sequence: str) -> str:
    """Add a user's report, a record of a shard that arrived at that time (seconds since the epoch), to the day's sums.

    Returns `added`, or `known` where it had been. Raises InvalidRequestError for a report that can never be added.
    """
    sums = telemetry.totals(telemetry.parse(report))
    arrival = datetime.fromtimestamp(arrived_at, UTC)
    expires_at = int((arrival + KEPT).timestamp())
    added = telemetry_table.add(owner, arrival.date().isoformat(), shard, sequence, sums, expires_at)
    return "added" if added else "known"
