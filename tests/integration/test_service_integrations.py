"""Every service integration against the running engine, IAM enforced: what a 200 says is really there."""

import base64
import json
import re
import secrets
import time

import httpx
import pytest
from local_system import access_token

NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"


@pytest.fixture(scope="module")
def api(hosted):
    with httpx.Client(base_url=hosted.addresses["apis"]["Api"], timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def messages(hosted):
    """Takes what is in the queue."""
    return lambda: received(hosted, "MessagesUrl")


@pytest.fixture
def something():
    """Text that is sent once."""
    return f"{secrets.token_hex(8)} é & <x>"


def received(hosted, output):
    """The messages of a queue, deleted as they are read."""
    sqs, url, found = hosted.client("sqs"), hosted.output(output), []
    while batch := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
    ).get("Messages"):
        found += batch
        for message in batch:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def eventually(found, seconds=20):
    """What `found` comes to, once it is something."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)
    return result


def element(answer, name):
    assert answer.headers["content-type"] in {"text/xml", "application/xml"}
    assert NAMESPACE in answer.text
    return re.search(f"<{name}>([^<]*)</{name}>", answer.text)[1]


def test_a_message_is_in_the_queue_as_it_was_sent(api, messages, something):
    answer = api.post("/messages", content=something.encode(), headers={"x-kind": "cät".encode()})
    assert answer.status_code == 200
    [message] = [message for message in messages() if message["Body"] == something]
    assert message["MessageId"] == element(answer, "MessageId")
    assert message["MD5OfBody"] == element(answer, "MD5OfMessageBody")
    assert message["MessageAttributes"]["kind"]["StringValue"] == "cät"


def test_a_message_is_received_and_deleted_by_its_handle(api, messages, something):
    messages()
    api.post("/messages", content=something.encode(), headers={"x-kind": "cat"})
    answer = api.get("/messages", params={"attribute": "All"})
    assert answer.status_code == 200
    assert element(answer, "Body") == something.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert element(answer, "StringValue") == "cat"
    handle = element(answer, "ReceiptHandle")
    deleted = api.delete("/messages/one", headers={"x-receipt-handle": handle})
    assert deleted.status_code == 200
    assert "DeleteMessageResponse" in deleted.text
    assert api.get("/messages", params={"attribute": "All"}).text.count("<Message>") == 0
    assert messages() == []


def test_a_queue_is_purged(api, messages, something):
    api.post("/messages", content=something.encode(), headers={"x-kind": "cat"})
    assert "PurgeQueueResponse" in api.delete("/messages").text
    assert messages() == []


def test_the_user_of_the_token_is_the_message_group(hosted, api, messages, something):
    token = access_token(hosted, hosted.output("ClientId"))
    sub = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["sub"]
    assert api.post("/secured/messages", content=something.encode()).status_code == 401
    sent = api.post("/secured/messages", content=something.encode(), headers={"authorization": token})
    assert sent.status_code == 200
    [message] = [message for message in messages() if message["Body"] == something]
    assert message["Attributes"]["MessageGroupId"] == sub


def test_a_role_may_do_what_its_policy_says_and_no_more(hosted, api, something):
    answer = api.post("/forbidden/messages", content=something.encode())
    assert answer.status_code == 403
    assert element(answer, "Code") == "AccessDenied"
    assert received(hosted, "ForbiddenUrl") == []


def test_a_role_that_trusts_another_service_is_not_assumed(api, messages, something):
    answer = api.post("/untrusted/messages", content=something.encode())
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
    assert something not in [message["Body"] for message in messages()]


def test_an_event_reaches_the_rules_target(hosted, api, something):
    detail = {"text": something}
    answer = api.post("/events/shop", params={"resource": ["arn:a", "arn:b"]}, json=detail)
    assert (answer.status_code, answer.json()["FailedEntryCount"]) == (200, 0)

    def arrived():
        events = [json.loads(message["Body"]) for message in received(hosted, "EventsUrl")]
        return [event for event in events if event["detail"] == detail]

    [event] = eventually(arrived)
    assert (event["source"], event["detail-type"]) == ("test.shop", "Noticed")
    assert event["resources"] == ["arn:a", "arn:b"]
    assert event["id"] == answer.json()["Entries"][0]["EventId"]


def test_a_malformed_event_is_told_with_status_200(api):
    answer = api.post("/events/shop", params={"resource": "arn:a"}, content=b"no json")
    assert (answer.status_code, answer.json()["FailedEntryCount"]) == (200, 1)


@pytest.mark.parametrize("data", [b"plain text", b"\xff\x00 bytes", "é".encode()])
def test_a_record_is_in_the_stream_byte_for_byte(hosted, api, data):
    answer = api.post("/records", content=data)
    assert answer.status_code == 200
    kinesis, stream = hosted.client("kinesis"), hosted.output("StreamName")
    iterator = kinesis.get_shard_iterator(
        StreamName=stream,
        ShardId=answer.json()["ShardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        StartingSequenceNumber=answer.json()["SequenceNumber"],
    )["ShardIterator"]
    record = kinesis.get_records(ShardIterator=iterator)["Records"][0]
    assert record["Data"] == data
    assert record["PartitionKey"] == "telemetry"


def test_an_execution_is_started_by_its_name_and_stopped(hosted, api):
    states, name = hosted.client("stepfunctions"), secrets.token_hex(8)
    answer = api.put(f"/executions/{name}", json={"a": 1})
    assert answer.status_code == 200
    arn = answer.json()["executionArn"]
    assert arn.endswith(f":{name}")
    execution = states.describe_execution(executionArn=arn)
    assert (execution["status"], json.loads(execution["input"])) == ("RUNNING", {"a": 1})
    assert api.put(f"/executions/{name}", json={"a": 1}).json() == answer.json()  # once more is the same
    assert "ExecutionAlreadyExists" in api.put(f"/executions/{name}", json={"a": 2}).json()["__type"]
    stopped = api.delete(f"/executions/{name}")
    assert stopped.status_code == 200
    assert stopped.json()["stopDate"]
    execution = states.describe_execution(executionArn=arn)
    assert (execution["status"], execution["error"], execution["cause"]) == ("ABORTED", "Stopped", "on demand")


def test_an_execution_that_does_not_exist_is_the_services_400(api):
    answer = api.delete("/executions/none")
    assert answer.status_code == 400
    assert "ExecutionDoesNotExist" in answer.json()["__type"]


@pytest.mark.parametrize(("fail", "status"), [(False, "SUCCEEDED"), (True, "FAILED")])
def test_an_express_execution_is_waited_for_and_is_200_however_it_ends(api, fail, status):
    answer = api.post("/checks", json={"fail": fail})
    assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert answer.headers["x-status"] == status  # mapped from the answer's body
    assert json.loads(answer.json()["input"]) == {"fail": fail}
    assert answer.json().get("error") == ("Told" if fail else None)


def test_the_configuration_is_what_is_deployed(api):
    answer = api.get("/config", params={"client": "me"})
    assert (answer.status_code, answer.json()) == (200, {"pagesPerDay": 1000})
    assert answer.headers["content-type"] == "application/json"
    version = answer.headers["configuration-version"]
    assert api.get(f"/config/since/{version}").status_code == 204
    assert api.get("/config/since/0").json() == {"pagesPerDay": 1000}


def test_a_parameter_without_a_value_is_400(api):
    assert api.get("/config").json() == {"message": "Bad Request"}
    assert api.post("/messages", content=b"x").status_code == 400
