"""Delivers a batch of a Kinesis shard to a function, as Lambda's event source mappings do.

The rules, and what the record of a batch that was given up looks like, are those of
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html and
https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

FIRST_PAUSE_SECONDS = 0.25  # AWS does not say how long it waits; it backs off, too
LONGEST_PAUSE_SECONDS = 30.0

type Record = dict[str, Any]
"""A record as the function gets it."""


@dataclass(frozen=True)
class RetryPolicy:
    """What a mapping says about failures. `retries` is None where there is no end to them."""

    bisects: bool
    reports_items: bool
    retries: int | None

    @classmethod
    def of(cls, mapping: dict[str, Any]) -> Self:
        """Read it from an event source mapping as Lambda describes it."""
        retries = mapping.get("MaximumRetryAttempts", -1)
        return cls(
            bool(mapping.get("BisectBatchOnFunctionError")),
            "ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or []),
            None if retries == -1 else retries,
        )


def deliver(
    records: list[Record],
    policy: RetryPolicy,
    invoke: Callable[[list[Record]], Any],
    give_up: Callable[[list[Record], int], None],
    pause: Callable[[float], None],
) -> None:
    """Deliver the records in order, until each was handled or given up.

    `invoke` returns the function's answer, and raises FunctionError where it has failed. From the first record that
    failed on, all are delivered again: at first in halves, which is no retry, then alone, then as often as the policy
    says. `give_up` gets the records and how often the function was invoked with them in vain.
    """
    batches = [(records, 0)] if records else []
    while batches:
        batch, tries = batches.pop()
        try:
            first = _first_failed(batch, invoke(batch)) if policy.reports_items else _ignored(invoke(batch))
        except FunctionError:
            first = 0
        if first is None:
            continue
        rest = batch[first:]
        if policy.bisects and first > 0:
            batches.append((rest, tries))
        elif policy.bisects and len(rest) > 1:
            middle = len(rest) // 2
            batches += [(rest[middle:], tries), (rest[:middle], tries)]
        elif tries == policy.retries:
            give_up(rest, tries + 1)
        else:
            pause(min(FIRST_PAUSE_SECONDS * 2**tries, LONGEST_PAUSE_SECONDS))
            batches.append((rest, tries + 1))


class FunctionError(Exception):
    """The function has failed, and said nothing of single records."""


def given_up(records: list[Record], times: int, function_arn: str, request_id: str) -> str:
    """Return what the on-failure destination is told: where the records are, for they themselves are not in it."""
    first, last = records[0], records[-1]
    return json.dumps(
        {
            "requestContext": {
                "requestId": request_id,
                "functionArn": function_arn,
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": times,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": _timestamp(datetime.now(UTC).timestamp()),
            "KinesisBatchInfo": {
                "shardId": first["eventID"].partition(":")[0],
                "startSequenceNumber": first["kinesis"]["sequenceNumber"],
                "endSequenceNumber": last["kinesis"]["sequenceNumber"],
                "approximateArrivalOfFirstRecord": _timestamp(first["kinesis"]["approximateArrivalTimestamp"]),
                "approximateArrivalOfLastRecord": _timestamp(last["kinesis"]["approximateArrivalTimestamp"]),
                "batchSize": len(records),
                "streamArn": first["eventSourceARN"],
            },
        }
    )


def _first_failed(batch: list[Record], answer: Any) -> int | None:
    """Return the index of the first record that is named as failed; 0 where the answer names what is not there."""
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not failures:
        return None
    places = {record["kinesis"]["sequenceNumber"]: place for place, record in enumerate(batch)}
    return min(places.get(failure.get("itemIdentifier"), 0) for failure in failures)


def _ignored(_: Any) -> None:
    return None


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
