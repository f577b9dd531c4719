"""Telemetry, from the gateway through the stream to the sums, with IAM enforced."""

import json
import time

import httpx


def report(user, data):
    """Report as a client does; return the record's sequence number."""
    answer = user.api.post("/telemetry", content=data)
    assert answer.status_code == 200, answer.text
    return answer.json()["SequenceNumber"]


def report_poison(user):
    """Report what is no report, past the client that holds requests against the document."""
    url, headers = user.api.base_url.join("/telemetry"), user.api.headers
    answer = httpx.post(url, content=b"poison", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["SequenceNumber"]


def uploads(milliseconds):
    return json.dumps({"measurements": [{"activity": "page-upload", "milliseconds": milliseconds}]}).encode()


def sums(system, user):
    """Number and milliseconds of a user's uploads, over all days."""
    answer = system.client("dynamodb").query(
        TableName=system.output("TelemetryTableName"),
        KeyConditionExpression="#owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":owner": {"S": user.sub}},
    )
    names = ("page-upload.count", "page-upload.milliseconds")
    return tuple(sum(int(item[name]["N"]) for item in answer["Items"]) for name in names)


def until_equal(actual, expected, seconds=120):
    deadline = time.monotonic() + seconds
    while (found := actual()) != expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def test_what_clients_measure_is_added_up_for_each_user(system, sign_up):
    alice, bob = sign_up(), sign_up()
    for number in range(1, 41):
        report(alice if number % 4 else bob, uploads(number))

    until_equal(lambda: sums(system, alice), (30, sum(n for n in range(1, 41) if n % 4)))
    until_equal(lambda: sums(system, bob), (10, sum(range(4, 41, 4))))


def test_poison_is_cut_out_of_its_batch_and_named_among_the_dead_letters(system, sign_up):
    user, neighbour, stranger = sign_up(), sign_up(), sign_up()
    sqs, dead = system.client("sqs"), system.output("DeadLetterQueueUrl")
    for number in range(1, 11):
        report(user, uploads(number))
        report(neighbour, uploads(number))
        if number == 5:
            poison = report_poison(stranger)

    until_equal(lambda: sums(system, user), (10, 55))
    until_equal(lambda: sums(system, neighbour), (10, 55))
    assert sums(system, stranger) == (0, 0)

    told = {}

    def batch_size_of_the_poison():
        for found in sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages", []):
            about = json.loads(found["Body"]).get("KinesisBatchInfo", {})
            told[about.get("startSequenceNumber")] = about.get("batchSize")
        return told.get(poison)

    until_equal(batch_size_of_the_poison, 1)
    report(stranger, uploads(7))
    until_equal(lambda: sums(system, stranger), (1, 7))
    sqs.purge_queue(QueueUrl=dead)
