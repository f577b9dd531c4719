"""Batches of a Kinesis shard are delivered, halved, tried again and given up as Lambda does it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samhost.stream_delivery import FunctionError, RetryPolicy, deliver, given_up


def records(*numbers):
    return [
        {
            "kinesis": {"sequenceNumber": str(number), "approximateArrivalTimestamp": 1_795_253_400.5 + number},
            "eventID": f"shardId-000000000003:{number}",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/reports",
        }
        for number in numbers
    ]


def numbers(batch):
    return [int(record["kinesis"]["sequenceNumber"]) for record in batch]


class Function:
    """A function that cannot handle the records in `poison`; notes what it gets, and what is given up."""

    def __init__(self, *poison, names=True, recovers_after=None):
        self.poison, self.names, self.recovers_after = set(poison), names, recovers_after
        self.batches, self.handled, self.given_up, self.pauses = [], [], [], []

    def invoke(self, batch):
        self.batches.append(numbers(batch))
        failed = [number for number in numbers(batch) if number in self.poison]
        if self.recovers_after is not None and len(self.batches) > self.recovers_after:
            failed = []
        if failed and not self.names:
            raise FunctionError
        self.handled += [number for number in numbers(batch) if number not in failed]
        return {"batchItemFailures": [{"itemIdentifier": str(number)} for number in failed]}

    def give_up(self, batch, times):
        self.given_up.append((numbers(batch), times))

    def gets(self, batch, **policy):
        policy = {"bisects": True, "reports_items": self.names, "retries": 2} | policy
        deliver(records(*batch), RetryPolicy(**policy), self.invoke, self.give_up, self.pauses.append)
        return self


def test_a_batch_without_failures_is_delivered_once():
    function = Function().gets([1, 2, 3])

    assert function.batches == [[1, 2, 3]]
    assert function.given_up == []


def test_a_poison_record_is_cut_out_of_its_batch_tried_again_and_given_up():
    function = Function(3).gets(range(1, 7))

    assert function.given_up == [([3], 3)], "alone, and after one delivery and two retries"
    assert function.batches == [[1, 2, 3, 4, 5, 6], [3, 4, 5, 6], [3, 4], [3], [3], [3], [4], [5, 6]]
    assert set(function.handled) == {1, 2, 4, 5, 6}


def test_a_poison_record_is_found_by_halving_where_the_function_names_none():
    function = Function(3, names=False).gets(range(1, 7))

    assert function.given_up == [([3], 3)]
    assert sorted(function.handled) == [1, 2, 4, 5, 6]


def test_without_halving_the_rest_of_the_batch_is_given_up_with_the_record():
    function = Function(2).gets([1, 2, 3], bisects=False)

    assert function.given_up == [([2, 3], 3)]
    assert function.batches == [[1, 2, 3], [2, 3], [2, 3]]


def test_what_passes_is_tried_again_and_not_given_up():
    function = Function(1, recovers_after=2).gets([1])

    assert function.given_up == []
    assert function.handled == [1]
    assert function.pauses == [0.25, 0.5], "later and later"


def test_with_endless_retries_nothing_is_given_up():
    function = Function(1, recovers_after=40).gets([1], retries=None)

    assert function.given_up == []
    assert len(function.batches) == 41
    assert max(function.pauses) == 30


def test_names_of_records_are_not_heeded_where_the_mapping_does_not_say_so():
    function = Function(2).gets([1, 2, 3], reports_items=False)

    assert function.batches == [[1, 2, 3]]


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}, "done", []])
def test_an_answer_without_failures_is_success(answer):
    given_up = []
    policy = RetryPolicy(bisects=True, reports_items=True, retries=0)
    deliver(records(1, 2), policy, lambda _: answer, lambda *batch: given_up.append(batch), lambda _: None)

    assert given_up == []


@pytest.mark.parametrize("failure", [{"itemIdentifier": "99"}, {"itemIdentifier": ""}, {}])
def test_a_failure_of_a_record_that_is_not_there_is_one_of_the_whole_batch(failure):
    batches, given_up = [], []

    def invoke(batch):
        batches.append(numbers(batch))
        return {"batchItemFailures": [failure]}

    policy = RetryPolicy(bisects=False, reports_items=True, retries=0)
    deliver(records(1, 2), policy, invoke, lambda batch, _: given_up.append(numbers(batch)), lambda _: None)

    assert batches == given_up == [[1, 2]]


@given(
    count=st.integers(1, 40),
    poison=st.sets(st.integers(1, 40)),
    names=st.booleans(),
    retries=st.integers(0, 3),
)
def test_every_record_is_handled_in_order_or_given_up_alone(count, poison, names, retries):
    function = Function(*poison, names=names).gets(range(1, count + 1), retries=retries)

    there = {number for number in poison if number <= count}
    assert sorted(function.given_up) == [([number], retries + 1) for number in sorted(there)]
    firsts = list(dict.fromkeys(function.handled))
    assert set(firsts) == set(range(1, count + 1)) - there
    if not names:
        assert function.handled == sorted(function.handled), "and once"


def test_a_mapping_says_how_failures_are_dealt_with():
    described = {
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": 5,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }

    assert RetryPolicy.of(described) == RetryPolicy(bisects=True, reports_items=True, retries=5)
    assert RetryPolicy.of({}) == RetryPolicy(bisects=False, reports_items=False, retries=None)
    assert RetryPolicy.of({"MaximumRetryAttempts": -1}).retries is None
    assert RetryPolicy.of({"MaximumRetryAttempts": 0}).retries == 0


def test_the_destination_is_told_where_the_records_are_and_not_what_they_say():
    told = json.loads(given_up(records(7, 8), 3, "arn:aws:lambda:us-east-1:000000000000:function:f", "request"))

    assert told["requestContext"] == {
        "requestId": "request",
        "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 3,
    }
    assert told["KinesisBatchInfo"] == {
        "shardId": "shardId-000000000003",
        "startSequenceNumber": "7",
        "endSequenceNumber": "8",
        "approximateArrivalOfFirstRecord": "2026-11-21T09:30:07.500Z",
        "approximateArrivalOfLastRecord": "2026-11-21T09:30:08.500Z",
        "batchSize": 2,
        "streamArn": "arn:aws:kinesis:us-east-1:000000000000:stream/reports",
    }
