"""Telemetry: sums that are exact however records are delivered, and records that nothing can be done with."""

import base64
import json
import logging
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import telemetry
from scanner.aws import clients, dynamodb, telemetry_table
from scanner.telemetry import MAX_MILLISECONDS, parse

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC).timestamp()


def report(milliseconds=100, activity="page-upload", **more):
    return json.dumps({"measurements": [{"activity": activity, "milliseconds": milliseconds} | more]}).encode()


def record(sequence, data=None, user="alice", shard=0, arrived_at=NOON):
    kinesis = {
        "partitionKey": user,
        "sequenceNumber": str(sequence),
        "data": base64.b64encode(report() if data is None else data).decode(),
        "approximateArrivalTimestamp": arrived_at,
    }
    return {"kinesis": kinesis, "eventID": f"shardId-{shard:012d}:{sequence}"}


def deliver(*records):
    """Deliver a batch; return the sequence numbers that are reported as failed."""
    answer = telemetry.handler({"Records": list(records)}, None)
    return [int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def sums(stack):
    """Return number and milliseconds of uploads by user and day."""
    return {
        (item["owner"], item["day"]): (int(item["page-upload.count"]), int(item["page-upload.milliseconds"]))
        for item in stack.items("telemetry")
    }


def failing(monkeypatch, fails):
    """Let the table fail for the records of which `fails` is true, by sequence number."""
    add = telemetry_table.add

    def add_or_fail(owner, day, shard, sequence, *rest):
        return 1 / 0 if fails(int(sequence)) else add(owner, day, shard, sequence, *rest)

    monkeypatch.setattr(telemetry_table, "add", add_or_fail)


# ---------------------------------------------------------------- Sums


def test_measurements_are_added_up_for_each_user_and_day(stack):
    both = json.dumps(
        {
            "measurements": [
                {"activity": "page-upload", "milliseconds": 40},
                {"activity": "page-upload", "milliseconds": 2, "failed": True},
                {"activity": "document", "milliseconds": 7},
            ]
        }
    ).encode()
    assert deliver(record(1, both), record(2), record(3, user="bob"), record(4, arrived_at=MIDNIGHT)) == []

    assert sums(stack) == {
        ("alice", "2026-11-21"): (3, 142),
        ("alice", "2026-11-22"): (1, 100),
        ("bob", "2026-11-21"): (1, 100),
    }
    first = next(item for item in stack.items("telemetry") if item["page-upload.count"] == 3)
    assert (first["page-upload.failures"], first["document.count"], first["document.milliseconds"]) == (1, 1, 7)


def test_sums_expire_ninety_days_after_their_day(stack):
    deliver(record(1))
    (item,) = stack.items("telemetry")
    assert datetime.fromtimestamp(int(item["expiresAt"]), UTC).date().isoformat() == "2027-02-19"


def test_the_day_is_that_of_the_arrival_however_late_a_record_is_delivered(stack):
    deliver(record(2, arrived_at=MIDNIGHT))
    deliver(record(1, arrived_at=MIDNIGHT - 0.001))
    assert {day for _, day in sums(stack)} == {"2026-11-21", "2026-11-22"}


# ---------------------------------------------------------------- Exactly once


def test_a_redelivered_batch_adds_nothing(stack):
    batch = [record(number) for number in range(1, 6)]
    deliver(*batch)
    before = stack.items("telemetry")
    assert deliver(*batch) == []
    assert stack.items("telemetry") == before


def test_a_batch_that_goes_on_where_another_stopped_adds_only_the_rest(stack):
    deliver(record(1), record(2))
    deliver(record(2), record(3))
    deliver(record(1), record(2), record(3), record(4))
    assert sums(stack) == {("alice", "2026-11-21"): (4, 400)}


@pytest.mark.parametrize(("earlier", "later"), [(9, 10), (10**55, 10**55 + 1), (10**55, 10**56), (1, 10**128)])
def test_sequence_numbers_are_compared_as_numbers_of_any_length(stack, earlier, later):
    deliver(record(earlier), record(later))
    deliver(record(earlier), record(later))
    assert sums(stack) == {("alice", "2026-11-21"): (2, 200)}


def test_after_resharding_a_user_s_records_count_on(stack):
    """Sequence numbers of different shards are not comparable."""
    deliver(record(900, shard=0), record(901, shard=0))
    deliver(record(5, shard=1), record(6, shard=1))
    deliver(record(901, shard=0))
    deliver(record(6, shard=1), record(7, shard=1))
    assert sums(stack) == {("alice", "2026-11-21"): (5, 500)}


def test_a_write_whose_answer_was_lost_is_not_done_twice(stack, monkeypatch):
    client = clients.dynamodb()
    update = client.update_item

    def update_and_die(**parameters):
        update(**parameters)
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(client, "update_item", update_and_die)
        assert deliver(record(1)) == [1]
    assert deliver(record(1)) == []
    assert sums(stack) == {("alice", "2026-11-21"): (1, 100)}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_sums_are_exact_whatever_becomes_of_the_deliveries(stack, data):
    """Lambda's poller over two shards: batches of any size, failures anywhere, halves, retries, whole shards again."""
    for item in stack.items("telemetry"):
        key = dynamodb.to_item({"owner": item["owner"], "day": item["day"]})
        clients.dynamodb().delete_item(TableName="telemetry", Key=key)
    users = st.sampled_from(["alice", "bob", "carol"])
    shards = [
        [record(number, report(number), user, shard) for number, user in enumerate(chosen, 1)]
        for shard, chosen in enumerate(data.draw(st.lists(st.lists(users, max_size=8), min_size=2, max_size=2)))
    ]
    expected = Counter()
    for item in [item for shard in shards for item in shard]:
        expected[item["kinesis"]["partitionKey"]] += int(item["kinesis"]["sequenceNumber"])

    with pytest.MonkeyPatch.context() as patch:
        may_fail = [True]
        failing(patch, lambda _: may_fail[0] and data.draw(st.booleans()))
        for shard in shards:
            position = 0
            for _ in range(data.draw(st.integers(0, 6))):  # deliveries while the table fails
                batch = shard[position : position + data.draw(st.integers(1, 8))]
                if not batch:
                    break
                failed = deliver(*batch)
                checkpoint = min(failed) - 1 if failed else position + len(batch)
                position = data.draw(st.integers(0, checkpoint))  # a checkpoint may be lost, too
            may_fail[0] = False
            assert deliver(*shard[position:]) == []
            may_fail[0] = True

    counted = Counter({owner: total for (owner, _), (_, total) in sums(stack).items()})
    assert counted == expected


# ---------------------------------------------------------------- Failures


def test_after_a_failure_a_user_s_later_records_wait_and_others_do_not(stack, monkeypatch):
    batch = [record(1), record(2), record(3, user="bob"), record(4)]
    with monkeypatch.context() as patch:
        failing(patch, lambda sequence: sequence == 2)
        assert deliver(*batch) == [2]
    assert sums(stack) == {("alice", "2026-11-21"): (1, 100), ("bob", "2026-11-21"): (1, 100)}

    assert deliver(*batch[1:]) == []
    assert sums(stack) == {("alice", "2026-11-21"): (3, 300), ("bob", "2026-11-21"): (1, 100)}


def test_a_poison_record_is_reported_and_holds_up_nobody(stack):
    assert deliver(record(1), record(2, b"poison"), record(3), record(4, user="bob")) == [2]
    assert sums(stack) == {("alice", "2026-11-21"): (2, 200), ("bob", "2026-11-21"): (1, 100)}


WELL_FORMED = {"activity": "document", "milliseconds": 1}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"poison",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[]",
        b"null",
        b"{}",
        *(
            json.dumps(document).encode()
            for document in [
                {"measurements": []},
                {"measurements": {}},
                {"measurements": [WELL_FORMED] * 51},
                {"measurements": [WELL_FORMED], "owner": "bob"},
                {"measurements": [1]},
                {"measurements": [WELL_FORMED | {"activity": "last.shardId-000000000000"}]},
                {"measurements": [WELL_FORMED | {"activity": []}]},
                {"measurements": [WELL_FORMED | {"milliseconds": -1}]},
                {"measurements": [WELL_FORMED | {"milliseconds": MAX_MILLISECONDS + 1}]},
                {"measurements": [WELL_FORMED | {"milliseconds": 1.5}]},
                {"measurements": [WELL_FORMED | {"milliseconds": True}]},
                {"measurements": [WELL_FORMED | {"milliseconds": "1"}]},
                {"measurements": [WELL_FORMED | {"failed": 1}]},
                {"measurements": [WELL_FORMED | {"user": "bob"}]},
            ]
        ),
    ],
)
def test_what_is_no_report_is_reported_as_failed_and_counts_for_nothing(stack, data):
    assert deliver(record(1, data)) == [1]
    assert stack.items("telemetry") == []


def test_a_batch_writes_one_line_to_the_log_and_no_word_of_a_report(stack, caplog):
    caplog.set_level(logging.INFO, "docscan")
    deliver(record(1), record(1), record(2, b"Confidential"), record(3, report(activity="Confidential")))
    (line,) = [found for found in caplog.records if found.levelno == logging.INFO]
    assert (line.received, line.failed, line.outcomes) == (4, 2, {"added": 1, "known": 1})
    assert "onfidential" not in caplog.text + str([vars(found) for found in caplog.records])


def test_a_report_takes_failed_for_granted_where_it_is_left_out():
    assert [measured.failed for measured in parse(report())] == [False]
