"""What stands in for the engine's own Kinesis event source mappings, on the engine's own state."""

import base64
import io
import json
import time
from types import SimpleNamespace

import pytest
from ministack.core import concurrency
from ministack.services import kinesis, lambda_svc

from samhost import engine_streams

STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/reports"
DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"


class Engine:
    """The engine's clients, and its state: a stream, and a mapping of it to a function that fails for `poison`."""

    def __init__(self):
        self.shards = {"shardId-000000000000": {"records": []}}
        self.mapping = {
            "UUID": "mapping",
            "EventSourceArn": STREAM,
            "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
            "Enabled": True,
            "BatchSize": 3,
            "StartingPosition": "TRIM_HORIZON",
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "BisectBatchOnFunctionError": True,
            "MaximumRetryAttempts": 1,
            "DestinationConfig": {"OnFailure": {"Destination": DEAD}},
        }
        self.mappings = [self.mapping]
        self.batches, self.told, self.positions = [], [], {}
        self.before_answer = lambda: None

    def put(self, sequence, data="e30=", shard="shardId-000000000000"):
        record = {"SequenceNumber": sequence, "Data": data, "PartitionKey": "alice", "ApproximateArrivalTimestamp": 1.0}
        self.shards.setdefault(shard, {"records": []})["records"].append(record)

    def invoke(self, FunctionName, Payload):  # noqa: N803 - AWS's names
        assert FunctionName == self.mapping["FunctionArn"]
        events = json.loads(Payload)["Records"]
        self.batches.append([event["kinesis"]["sequenceNumber"] for event in events])
        self.before_answer()
        failures = [
            {"itemIdentifier": event["kinesis"]["sequenceNumber"]}
            for event in events
            if base64.b64decode(event["kinesis"]["data"]) == b"poison"
        ]
        return {"Payload": io.BytesIO(json.dumps({"batchItemFailures": failures}).encode())}

    def get_queue_url(self, QueueName, QueueOwnerAWSAccountId):  # noqa: N803 - AWS's names
        return {"QueueUrl": f"{QueueOwnerAWSAccountId}/{QueueName}"}

    def send_message(self, QueueUrl, MessageBody):  # noqa: N803 - AWS's names
        self.told.append((QueueUrl, json.loads(MessageBody)["KinesisBatchInfo"]["startSequenceNumber"]))

    def poll(self):
        """Poll until nothing waits; what a shard's thread does is done at once."""
        while engine_streams.poll():
            pass


@pytest.fixture
def engine(monkeypatch):
    engine = Engine()
    stream = {"StreamStatus": "ACTIVE", "shards": engine.shards}
    streams = SimpleNamespace(get_scoped=lambda account, region, name: stream if name == "reports" else None)
    monkeypatch.setattr(kinesis, "_streams", streams)
    monkeypatch.setattr(
        lambda_svc, "_iter_all_esms", lambda: [("000000000000", "us-east-1", mapping) for mapping in engine.mappings]
    )
    monkeypatch.setattr(lambda_svc, "_kinesis_positions", engine.positions)
    monkeypatch.setattr(engine_streams, "_client", lambda service: engine)
    monkeypatch.setattr(concurrency, "spawn_background", lambda run, *arguments, **_: run(*arguments))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    return engine


def test_records_are_delivered_in_batches_and_once(engine):
    for number in "1234":
        engine.put(number)
    engine.poll()
    engine.put("5")
    engine.poll()

    assert engine.batches == [["1", "2", "3"], ["4"], ["5"]]


def test_data_reaches_the_function_in_base64_however_it_is_stored(engine, monkeypatch):
    seen = []
    monkeypatch.setattr(engine_streams, "_invoke", lambda mapping, batch, pause: seen.extend(batch))
    engine.put("1", data=base64.b64encode(b"stored").decode())
    engine.put("2", data="not base64!")
    engine.poll()

    assert [base64.b64decode(record["kinesis"]["data"]) for record in seen] == [b"stored", b"not base64!"]
    assert seen[0]["eventID"] == "shardId-000000000000:1"


def test_poison_is_told_to_the_destination_and_its_shard_goes_on(engine):
    engine.put("1")
    engine.put("2", data=base64.b64encode(b"poison").decode())
    engine.put("3")
    engine.put("4")
    engine.poll()

    assert engine.told == [("000000000000/dead", "2")]
    assert engine.batches[-1] == ["4"]
    assert engine.positions == {"mapping": {"shardId-000000000000": "4"}}


def test_where_a_mapping_stands_outlasts_records_that_expire(engine):
    for number in "123":
        engine.put(number)
    engine.poll()
    del engine.shards["shardId-000000000000"]["records"][:2]
    engine.put("4")
    engine.poll()

    assert engine.batches == [["1", "2", "3"], ["4"]]


def test_a_new_shard_is_delivered_from_its_beginning(engine):
    engine.mapping["StartingPosition"] = "LATEST"
    engine.put("1")
    engine.poll()
    engine.put("2", shard="shardId-000000000001")
    engine.put("3")
    engine.poll()

    assert sorted(engine.batches) == [["2"], ["3"]]


def test_a_shard_has_one_batch_at_a_time(engine):
    engine.put("1")
    engine.before_answer = lambda: engine.put("2") if engine.poll() else None
    engine.poll()

    assert engine.batches == [["1"]]


def test_what_the_filter_does_not_want_is_passed_over(engine):
    engine.mapping["FilterCriteria"] = {"Filters": [{"Pattern": json.dumps({"partitionKey": ["bob"]})}]}
    engine.put("1")
    engine.poll()

    assert engine.batches == []
    assert engine.positions["mapping"] == {"shardId-000000000000": "1"}


@pytest.mark.parametrize("end", ["disabled", "deleted"])
def test_a_mapping_that_ends_while_it_tries_again_leaves_its_records_where_they_are(engine, end):
    engine.mapping |= {"MaximumRetryAttempts": -1, "BisectBatchOnFunctionError": False}
    engine.put("1", data=base64.b64encode(b"poison").decode())

    def stop():
        if len(engine.batches) == 3:
            engine.mapping["Enabled"] = end != "disabled"
            engine.mappings = [] if end == "deleted" else engine.mappings

    engine.before_answer = stop
    engine.poll()

    assert len(engine.batches) == 3
    assert engine.positions["mapping"] == {"shardId-000000000000": ""}
    engine.mapping |= {"Enabled": True, "MaximumRetryAttempts": 0}
    engine.mappings = [engine.mapping]
    engine.poll()
    assert engine.told == [("000000000000/dead", "1")]


def test_the_engine_s_poller_calls_it(monkeypatch):
    monkeypatch.setattr(lambda_svc, "_poll_kinesis", None)
    engine_streams.install()

    assert vars(lambda_svc)["_poll_kinesis"] is engine_streams.poll
