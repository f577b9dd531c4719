"""Telemetry: Kinesis records. A client wrote the data; the partition key, which the gateway sets, is the user."""

import base64
from typing import Any

from scanner import edge
from scanner.services import telemetry


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Add up what clients report; the records that failed are named, for Lambda to deliver them again."""
    return edge.consume_stream(event, "telemetry", add)


def add(record: dict[str, Any]) -> str:
    """Add up the report of one record; return what became of it."""
    kinesis = record["kinesis"]
    shard, _, sequence = record["eventID"].partition(":")
    report = base64.b64decode(kinesis["data"])
    return telemetry.add(kinesis["partitionKey"], report, kinesis["approximateArrivalTimestamp"], shard, sequence)
