"""What a caller sends ends up in the one parameter that it is mapped to, whatever it is made of."""

import asyncio
import base64
import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samhost.gateway.engine import Reply
from samhost.gateway.integrations.services.call import RoleClient
from samhost.gateway.integrations.services.integration import OPERATIONS
from samhost.gateway.service_target import ServiceTarget
from samhost.gateway.signing import Credentials

from .exchanges import source

ROLE = "arn:aws:iam::000000000000:role/caller"
HOSTILE = [
    '"', "\\", "'", "{", "}", "${context.authorizer.claims.sub}", "$context.requestId", "&a=b", "%26", "\r\nx: y", "\0",
    '","Source":"ours', '"}]}', "\u202e", "é", "😀", "${", "]]>", "<x>", "+", " ", ";",
]  # fmt: skip
anything = st.text(st.characters(codec="utf-8"), min_size=1) | st.lists(st.sampled_from(HOSTILE), min_size=1).map(
    "".join
)
PARAMETERS = {
    "SQS-SendMessage": {"QueueUrl": "url", "MessageBody": "$request.body.a", "MessageGroupId": "g-${request.path.b}"},
    "Kinesis-PutRecord": {"StreamName": "s", "Data": "$request.body.a", "PartitionKey": "g-${request.path.b}"},
    "StepFunctions-StartExecution": {"StateMachineArn": "m", "Input": "$request.body.a", "Name": "g-${request.path.b}"},
    "EventBridge-PutEvents": {"DetailType": "t", "Detail": '{"a": 1}', "Source": "g-${request.path.b}"},
}


class Recorder:
    """An engine that keeps the last call's body."""

    async def call(self, service, method, target, body=b"", **options):
        self.body = body
        return Reply(200, {}, b"{}")


def sent(subtype, first, second):
    """What reaches the service of a body's member and a path parameter."""
    definition = {
        "integrationSubtype": subtype, "payloadFormatVersion": "1.0", "credentials": ROLE,
        "requestParameters": PARAMETERS[subtype],
    }  # fmt: skip
    target = ServiceTarget.load(definition, 30)
    read = source({"a": first}, parameters={"b": second}, claims={"sub": "user-1"})
    values = {name: expression.value(read) for name, expression in target.parameters.items()}
    engine = Recorder()
    client = RoleClient(engine, ROLE, Credentials("a", "s", "t"), "us-east-1", "000000000000")
    asyncio.run(OPERATIONS[subtype](values, client))
    return engine.body


@given(anything, anything)
def test_a_message(first, second):
    assert parse_qsl(sent("SQS-SendMessage", first, second).decode(), strict_parsing=True) == [
        ("Action", "SendMessage"), ("Version", "2012-11-05"),
        ("QueueUrl", "url"), ("MessageBody", first), ("MessageGroupId", f"g-{second}"),
    ]  # fmt: skip


@given(anything, anything)
def test_a_record(first, second):
    data = base64.b64encode(first.encode()).decode()
    expected = {"StreamName": "s", "Data": data, "PartitionKey": f"g-{second}"}
    assert json.loads(sent("Kinesis-PutRecord", first, second)) == expected


@given(anything, anything)
def test_an_execution(first, second):
    expected = {"stateMachineArn": "m", "input": first, "name": f"g-{second}"}
    assert json.loads(sent("StepFunctions-StartExecution", first, second)) == expected


@given(anything)
def test_an_event(second):
    entry = {"DetailType": "t", "Detail": '{"a": 1}', "Source": f"g-{second}"}
    assert json.loads(sent("EventBridge-PutEvents", "x", second)) == {"Entries": [entry]}


@pytest.mark.parametrize("claim", HOSTILE)
def test_a_claim(service, token, secured, claim):
    parameters = {"QueueUrl": "url", "MessageBody": "x", "MessageGroupId": "$context.authorizer.claims.name"}
    api = service("SQS-SendMessage", parameters, **secured)
    assert api.request("POST", "/calls", headers={"authorization": token(name=claim)}).status_code == 200
    assert api.call.form["MessageGroupId"] == claim
    assert len(api.call.form) == 5
