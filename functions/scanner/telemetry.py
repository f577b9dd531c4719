"""Telemetry: how long things take their users, as clients measure it. Usage is never metered by it."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from scanner import json_object
from scanner.errors import InvalidRequestError

MAX_MEASUREMENTS = 50
"""How many measurements a report can have."""

MAX_MILLISECONDS = 86_400_000
"""A day; what seems to take longer was measured by a clock that was set in between."""


class Activity(StrEnum):
    """What is measured."""

    START = "start"
    PAGE_UPLOAD = "page-upload"
    PAGE_RECOGNITION = "page-recognition"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Measurement:
    """How long something took, in milliseconds, and whether it failed."""

    activity: Activity
    milliseconds: int
    failed: bool = False


def parse(report: bytes) -> list[Measurement]:
    """Read a client's report. Raises InvalidRequestError, without a word of the report in it."""
    document = json_object.parse(report, "A report is a JSON object.")
    measurements = document.get("measurements")
    if not isinstance(measurements, list) or not 1 <= len(measurements) <= MAX_MEASUREMENTS or len(document) > 1:
        raise InvalidRequestError(f"A report has 1 to {MAX_MEASUREMENTS} `measurements`, and nothing else.")
    return [_measurement(value) for value in measurements]


def totals(measurements: list[Measurement]) -> dict[str, int]:
    """Return the sums over measurements, by activity: `start.count`, `start.milliseconds`, `start.failures`."""
    sums: Counter[str] = Counter()
    for measured in measurements:
        sums[f"{measured.activity}.count"] += 1
        sums[f"{measured.activity}.milliseconds"] += measured.milliseconds
        sums[f"{measured.activity}.failures"] += measured.failed
    return dict(sums)


def _measurement(value: object) -> Measurement:
    fields = value if isinstance(value, dict) else {}
    activity, milliseconds = fields.get("activity"), fields.get("milliseconds")
    failed = fields.get("failed", False)
    if activity not in list(Activity) or fields.keys() - {"activity", "milliseconds", "failed"}:
        raise InvalidRequestError(f"A measurement has an `activity`, one of {', '.join(Activity)}.")
    if type(milliseconds) is not int or not 0 <= milliseconds <= MAX_MILLISECONDS:
        raise InvalidRequestError(f"`milliseconds` is a whole number from 0 to {MAX_MILLISECONDS}.")
    if not isinstance(failed, bool):
        raise InvalidRequestError("`failed` is true or false.")
    return Measurement(Activity(str(activity)), milliseconds, failed)
