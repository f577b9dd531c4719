"""Kinesis event source mappings inside the engine's process, in place of MiniStack's own.

MiniStack 1.5.33 delivers a batch that failed again and again, takes no notice of the records that a function names as
failed, and never gives one up; and it does so in the thread that serves all other sources. Here each shard has a thread
of its own while it has records. Where a mapping stands is in the engine's own state, and so in its snapshots: as the
sequence number of the last record that is done with.

Not heeded are how long to wait for a full batch, how old a record may be, and several batches of a shard at once:
everything is delivered, at once and in order.
"""

import base64
import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from samhost.settings import HOST, REGION
from samhost.stream_delivery import FunctionError, Record, RetryPolicy, deliver, given_up

LOGGER = logging.getLogger("samhost.engine")

UNREACHABLE_PAUSE_SECONDS = 1.0

_delivering: set[tuple[str, str]] = set()  # mapping and shard
_delivering_lock = threading.Lock()


def install() -> None:
    """Have the engine's poller call this module for Kinesis."""
    from ministack.services import lambda_svc

    lambda_svc._poll_kinesis = poll  # noqa: SLF001


def poll() -> bool:
    """Begin to deliver what waits in any shard; return whether there was something."""
    from ministack.core.concurrency import spawn_background
    from ministack.services import lambda_svc

    begun = False
    for account, region, mapping in lambda_svc._iter_all_esms():  # noqa: SLF001
        if ":kinesis:" not in mapping["EventSourceArn"] or not mapping.get("Enabled", True):
            continue
        with _in_scope(account, region):
            for shard_id, records in _waiting(mapping):
                with _delivering_lock:
                    _delivering.add((mapping["UUID"], shard_id))
                spawn_background(_deliver, mapping, shard_id, records, thread_name="samhost-stream")
                begun = True
    return begun


@contextmanager
def _in_scope(account: str, region: str) -> Iterator[None]:
    from ministack.services import lambda_svc

    tokens = lambda_svc._request_account_id.set(account), lambda_svc._request_region.set(region)  # noqa: SLF001
    try:
        yield
    finally:
        lambda_svc._request_account_id.reset(tokens[0])  # noqa: SLF001
        lambda_svc._request_region.reset(tokens[1])  # noqa: SLF001


def _waiting(mapping: dict[str, Any]) -> Iterator[tuple[str, list[Record]]]:
    """Yield the next batch of each shard that has one and is not being delivered."""
    from ministack.core.arn import parse_arn
    from ministack.services import kinesis, lambda_svc

    source = parse_arn(mapping["EventSourceArn"])
    name = source.resource.partition("/")[2]
    stream = kinesis._streams.get_scoped(source.account_id, source.region, name)  # noqa: SLF001
    if not stream or stream["StreamStatus"] != "ACTIVE":
        return
    positions = lambda_svc._kinesis_positions.setdefault(mapping["UUID"], {})  # noqa: SLF001
    if not positions and mapping.get("StartingPosition") == "LATEST":
        for shard_id, shard in stream["shards"].items():
            positions[shard_id] = shard["records"][-1]["SequenceNumber"] if shard["records"] else ""
    for shard_id, shard in list(stream["shards"].items()):
        done = positions.setdefault(shard_id, "")
        records = [record for record in shard["records"] if record["SequenceNumber"] > done]
        if records and (mapping["UUID"], shard_id) not in _delivering:
            batch = records[: mapping.get("BatchSize", 100)]
            yield shard_id, [_record(record, shard_id, mapping["EventSourceArn"], source.region) for record in batch]


def _record(record: dict[str, Any], shard_id: str, stream_arn: str, region: str) -> Record:
    """Return a stored record as functions get it; the engine has the data in base64, or as text that is none."""
    data = record["Data"]
    try:
        base64.b64decode(data, validate=True)
    except ValueError:
        data = base64.b64encode(data.encode()).decode()
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "data": data,
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{record['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "",
        "awsRegion": region,
        "eventSourceARN": stream_arn,
    }


class MappingGoneError(Exception):
    """The mapping was deleted or disabled while it delivered; what is not done stays where it is."""


def _deliver(mapping: dict[str, Any], shard_id: str, records: list[Record]) -> None:
    from ministack.services import lambda_svc

    def give_up(batch: list[Record], times: int) -> None:
        LOGGER.warning("%d records of %s are given up after %d invocations", len(batch), shard_id, times)
        destination = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        if destination:
            _tell(destination, given_up(batch, times, mapping["FunctionArn"], str(uuid.uuid4())))

    def pause(seconds: float) -> None:
        time.sleep(seconds)
        if not any(other is mapping and other.get("Enabled", True) for *_, other in lambda_svc._iter_all_esms()):  # noqa: SLF001
            raise MappingGoneError

    wanted = lambda_svc._apply_filter_criteria(records, mapping)  # noqa: SLF001
    try:
        deliver(wanted, RetryPolicy.of(mapping), lambda batch: _invoke(mapping, batch, pause), give_up, pause)
        positions = lambda_svc._kinesis_positions[mapping["UUID"]]  # noqa: SLF001
        positions[shard_id] = records[-1]["kinesis"]["sequenceNumber"]
    except MappingGoneError:
        LOGGER.info("The mapping of %s is gone or disabled", shard_id)
    finally:
        with _delivering_lock:
            _delivering.discard((mapping["UUID"], shard_id))
        lambda_svc._esm_wake.set()  # noqa: SLF001


def _invoke(mapping: dict[str, Any], batch: list[Record], pause: Callable[[float], None]) -> Any:
    """Return the function's answer. Where it cannot be invoked (throttled, say), that is tried again: no retry yet."""
    from botocore.exceptions import BotoCoreError, ClientError

    while True:
        try:
            answer = _client("lambda").invoke(
                FunctionName=mapping["FunctionArn"], Payload=json.dumps({"Records": batch})
            )
        except (BotoCoreError, ClientError) as error:
            LOGGER.warning("%s cannot be invoked: %s", mapping["FunctionArn"], error)
            pause(UNREACHABLE_PAUSE_SECONDS)
            continue
        payload = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise FunctionError
        return json.loads(payload or "null")


def _tell(destination: str, message: str) -> None:
    """Send a message to a queue or a topic. Where it does not take it, it is gone, as on AWS."""
    from botocore.exceptions import BotoCoreError, ClientError

    service, _, account, name = destination.split(":", 5)[2:]
    try:
        if service == "sns":
            _client("sns").publish(TopicArn=destination, Message=message)
        else:
            url = _client("sqs").get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
            _client("sqs").send_message(QueueUrl=url, MessageBody=message)
    except (BotoCoreError, ClientError):
        LOGGER.exception("%s could not be told", destination)


@cache
def _client(service: str) -> Any:
    """A client of the engine itself, as root; made on first use, for importing boto3 takes longer than the engine."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,
        endpoint_url=f"http://{HOST}:{os.environ['GATEWAY_PORT']}",
        region_name=REGION,
        config=Config(read_timeout=960, retries={"total_max_attempts": 1}),
    )
