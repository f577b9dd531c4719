"""SQS integrations: what reaches the query protocol, and its XML that comes back."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samhost.gateway.engine import Reply

URL = "http://127.0.0.1:4566/000000000000/queue"
SEND = {"QueueUrl": URL, "MessageBody": "$request.body"}
XML = b'<?xml version="1.0"?><SendMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">\xc3\xa9</x>'


def test_a_message_is_the_body_as_it_was_sent(service):
    api = service("SQS-SendMessage", SEND)
    assert api.request("POST", "/calls", content='{"a": "é&=+ "}\n'.encode()).status_code == 200
    assert (api.call.service, api.call.method, api.call.target) == ("sqs", "POST", "/")
    assert api.call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert api.call.form == {
        "Action": "SendMessage", "Version": "2012-11-05", "QueueUrl": URL, "MessageBody": '{"a": "é&=+ "}\n',
    }  # fmt: skip


def test_the_answer_is_the_services_xml(service, engine):
    engine.reply = Reply(200, {"content-type": "text/xml", "x-amzn-requestid": "r-1", "server": "x"}, XML)
    answer = service("SQS-SendMessage", SEND).request("POST", "/calls", content="x")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, XML, "text/xml")
    assert answer.headers["x-amzn-requestid"] == "r-1"
    assert "server" not in answer.headers


@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_the_services_own_refusal_reaches_the_client(service, engine, status):
    engine.reply = Reply(status, {"content-type": "text/xml"}, b"<ErrorResponse/>")
    api = service("SQS-SendMessage", SEND)
    answer = api.request("POST", "/calls", content="x")
    assert (answer.status_code, answer.content) == (status, b"<ErrorResponse/>")
    assert api.last_log["integrationStatus"] == status


def test_the_user_is_the_message_group_and_nothing_in_the_body_changes_it(service, token, secured):
    parameters = SEND | {"MessageGroupId": "$context.authorizer.claims.sub"}
    api = service("SQS-SendMessage", parameters, **secured)
    body = 'x&MessageGroupId=other&Action=PurgeQueue","MessageGroupId":"other'
    headers = {"authorization": f"Bearer {token(sub='user-1')}"}
    assert api.request("POST", "/calls?MessageGroupId=other", content=body, headers=headers).status_code == 200
    assert api.call.form["MessageGroupId"] == "user-1"
    assert api.call.form["Action"] == "SendMessage"
    assert api.call.form["MessageBody"] == body


def test_message_attributes_are_json_with_expressions_in_it(service):
    attributes = (
        '{"kind": {"DataType": "String", "StringValue": "${request.header.x-kind}"},'
        ' "data": {"DataType": "Binary", "BinaryValue": "eA=="}}'
    )
    api = service("SQS-SendMessage", SEND | {"MessageAttributes": attributes})
    api.request("POST", "/calls", content="x", headers={"x-kind": "cat"})
    assert {name: text for name, text in api.call.form.items() if name.startswith("MessageAttribute")} == {
        "MessageAttribute.1.Name": "kind",
        "MessageAttribute.1.Value.DataType": "String",
        "MessageAttribute.1.Value.StringValue": "cat",
        "MessageAttribute.2.Name": "data",
        "MessageAttribute.2.Value.DataType": "Binary",
        "MessageAttribute.2.Value.BinaryValue": "eA==",
    }


@pytest.mark.parametrize(
    "attributes", ["no json", "[]", '{"a": "b"}', '{"a": {"Other": "x"}}', '{"a": {"DataType": 1}}']
)
def test_message_attributes_that_are_none_are_400(service, attributes):
    api = service("SQS-SendMessage", SEND | {"MessageAttributes": "$request.header.x"})
    answer = api.request("POST", "/calls", content="x", headers={"x": attributes})
    assert (answer.status_code, answer.json()) == (400, {"message": "Bad Request"})
    assert api.engine.calls == []


def test_system_attributes_have_a_name_of_their_own(service):
    trace = '{"AWSTraceHeader": {"DataType": "String", "StringValue": "${request.header.x}"}}'
    api = service("SQS-SendMessage", SEND | {"MessageSystemAttributes": trace})
    api.request("POST", "/calls", content="x", headers={"x": "Root=1"})
    assert api.call.form["MessageSystemAttribute.1.Name"] == "AWSTraceHeader"
    assert api.call.form["MessageSystemAttribute.1.Value.StringValue"] == "Root=1"


@pytest.mark.parametrize(
    ("query", "names"),
    [("name=a", ["a"]), ("name=a,b", ["a", "b"]), ("name=a&name=b", ["a", "b"]), ('name=["a,c","b"]', ["a,c", "b"])],
)
def test_a_list_is_json_or_has_commas(service, query, names):
    parameters = {"QueueUrl": URL, "AttributeNames": "$request.querystring.name", "MaxNumberOfMessages": "10"}
    api = service("SQS-ReceiveMessage", parameters, "GET /calls")
    api.get(f"/calls?{query}")
    expected = {f"AttributeName.{number}": name for number, name in enumerate(names, 1)}
    assert api.call.form == expected | {
        "Action": "ReceiveMessage", "Version": "2012-11-05", "QueueUrl": URL, "MaxNumberOfMessages": "10",
    }  # fmt: skip


@pytest.mark.parametrize("value", ["[1]", "[", '[{"a": 1}]'])
def test_a_list_that_is_none_is_400(service, value):
    parameters = {"QueueUrl": URL, "MessageAttributeNames": "$request.querystring.name"}
    api = service("SQS-ReceiveMessage", parameters, "GET /calls")
    assert api.get("/calls", params={"name": value}).status_code == 400


def test_a_message_is_deleted_by_its_receipt_handle(service):
    parameters = {"QueueUrl": URL, "ReceiptHandle": "$request.header.x-receipt-handle"}
    api = service("SQS-DeleteMessage", parameters, "DELETE /calls")
    api.request("DELETE", "/calls", headers={"x-receipt-handle": "a+b/c=="})
    assert (api.call.form["Action"], api.call.form["ReceiptHandle"]) == ("DeleteMessage", "a+b/c==")


def test_a_queue_is_purged(service):
    api = service("SQS-PurgeQueue", {"QueueUrl": URL}, "DELETE /calls")
    api.request("DELETE", "/calls")
    assert api.call.form == {"Action": "PurgeQueue", "Version": "2012-11-05", "QueueUrl": URL}


@given(st.text(st.characters(codec="utf-8"), min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_no_body_reaches_another_parameter(service, body):
    api = service("SQS-SendMessage", SEND)
    api.request("POST", "/calls", content=body.encode())
    assert api.call.form == {
        "Action": "SendMessage", "Version": "2012-11-05", "QueueUrl": URL, "MessageBody": body,
    }  # fmt: skip
