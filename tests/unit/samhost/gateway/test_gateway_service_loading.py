"""Service integrations when an API is loaded: the ten subtypes with their parameters, and what is refused by name.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
"""

import botocore.session
import pytest

from samhost.gateway.document import load
from samhost.gateway.service_target import SUBTYPES

ROLE = "arn:aws:iam::000000000000:role/caller"
RECEIVE = (
    "AttributeNames MaxNumberOfMessages MessageAttributeNames ReceiveRequestAttemptId VisibilityTimeout "
    "WaitTimeSeconds Region"
)
DOCUMENTED = {
    "EventBridge-PutEvents": ("Detail DetailType Source", "Time EventBusName Resources TraceHeader Region"),
    "SQS-SendMessage": (
        "QueueUrl MessageBody",
        "DelaySeconds MessageAttributes MessageDeduplicationId MessageGroupId MessageSystemAttributes Region",
    ),
    "SQS-ReceiveMessage": (
        "QueueUrl",
        RECEIVE,
    ),
    "SQS-DeleteMessage": ("ReceiptHandle QueueUrl", "Region"),
    "SQS-PurgeQueue": ("QueueUrl", "Region"),
    "AppConfig-GetConfiguration": (
        "Application Environment Configuration ClientId", "ClientConfigurationVersion Region",
    ),
    "Kinesis-PutRecord": ("StreamName Data PartitionKey", "SequenceNumberForOrdering ExplicitHashKey Region"),
    "StepFunctions-StartExecution": ("StateMachineArn", "Name Input Region"),
    "StepFunctions-StartSyncExecution": ("StateMachineArn", "Name Input Region TraceHeader"),
    "StepFunctions-StopExecution": ("ExecutionArn", "Cause Error Region"),
}  # fmt: skip
REQUIRED = [(subtype, name) for subtype, (required, _) in DOCUMENTED.items() for name in required.split()]
OPTIONAL = [(subtype, name) for subtype, (_, optional) in DOCUMENTED.items() for name in optional.split()]


def parameters(subtype):
    return {name: f"$request.querystring.{name}" for name in DOCUMENTED[subtype][0].split()}


@pytest.fixture
def why(definition, service_operation):
    """Why a route is refused; None where it is served."""

    def load_one(subtype, given, **changes):
        paths = {"/calls": {"post": service_operation(subtype, given, **changes)}}
        refused = load(definition(paths), "us-east-1", "000000000000").refused
        assert all(key == "POST /calls" for key, _ in refused)
        return refused[0][1] if refused else None

    return load_one


def test_there_are_ten_subtypes():
    assert SUBTYPES.keys() == DOCUMENTED.keys()
    assert len(DOCUMENTED) == 10


@pytest.mark.parametrize("subtype", DOCUMENTED)
def test_required_parameters_are_enough(why, subtype):
    assert why(subtype, parameters(subtype)) is None


@pytest.mark.parametrize(("subtype", "name"), REQUIRED)
def test_a_required_parameter_must_be_there(why, subtype, name):
    given = parameters(subtype)
    del given[name]
    assert why(subtype, given) == f"{subtype} without the required parameter {name}"


@pytest.mark.parametrize(("subtype", "name"), OPTIONAL)
def test_an_optional_parameter_may_be_there(why, subtype, name):
    assert why(subtype, parameters(subtype) | {name: "$request.header.x"}) is None


@pytest.mark.parametrize("subtype", DOCUMENTED)
@pytest.mark.parametrize("name", ["Other", "append:header.x", "queueUrl"])
def test_no_other_parameter_may_be_there(why, subtype, name):
    assert f"{subtype} with the parameter {name}" in why(subtype, parameters(subtype) | {name: "1"})


def test_an_expression_that_is_none_is_refused_with_the_name_of_its_parameter(why):
    given = parameters("SQS-PurgeQueue") | {"QueueUrl": "$request.cookie.a"}
    assert "SQS-PurgeQueue: QueueUrl: the mapping expression $request.cookie.a" in why("SQS-PurgeQueue", given)


def test_static_message_attributes_are_refused_and_such_with_an_expression_are_not(why):
    given = parameters("SQS-SendMessage")
    static = '{"kind": {"DataType": "String", "StringValue": "cat"}}'
    assert "static MessageAttributes" in why("SQS-SendMessage", given | {"MessageAttributes": static})
    mapped = static.replace("cat", "${request.header.x}")
    assert why("SQS-SendMessage", given | {"MessageAttributes": mapped}) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"payloadFormatVersion": "2.0"}, "payloadFormatVersion that is not 1.0"),
        ({"payloadFormatVersion": None}, "payloadFormatVersion that is not 1.0"),
        ({"credentials": None}, "without credentials"),
        ({"credentials": "arn:aws:iam::*:user/*"}, "no role's ARN"),
        ({"type": "http_proxy"}, "http_proxy"),
        ({"integrationSubtype": "SQS-SendMessage-1.0"}, "the integration subtype SQS-SendMessage-1.0"),
        ({"timeoutInMillis": 30_001}, "timeoutInMillis 30001"),
    ],
)
def test_what_else_must_be_there(why, changes, reason):
    assert reason in why("SQS-PurgeQueue", parameters("SQS-PurgeQueue"), **changes)


def test_a_number_is_text(why):
    assert why("SQS-SendMessage", parameters("SQS-SendMessage") | {"DelaySeconds": 5}) is None
    assert "DelaySeconds" in why("SQS-SendMessage", parameters("SQS-SendMessage") | {"DelaySeconds": [5]})


SHAPES = {
    "EventBridge-PutEvents": ("events", "PutEventsRequestEntry"),
    "SQS-SendMessage": ("sqs", "SendMessageRequest"),
    "SQS-ReceiveMessage": ("sqs", "ReceiveMessageRequest"),
    "SQS-DeleteMessage": ("sqs", "DeleteMessageRequest"),
    "SQS-PurgeQueue": ("sqs", "PurgeQueueRequest"),
    "AppConfig-GetConfiguration": ("appconfig", "GetConfigurationRequest"),
    "Kinesis-PutRecord": ("kinesis", "PutRecordInput"),
    "StepFunctions-StartExecution": ("stepfunctions", "StartExecutionInput"),
    "StepFunctions-StartSyncExecution": ("stepfunctions", "StartSyncExecutionInput"),
    "StepFunctions-StopExecution": ("stepfunctions", "StopExecutionInput"),
}


@pytest.mark.parametrize("subtype", DOCUMENTED)
def test_every_parameter_is_one_that_the_service_itself_has(subtype):
    service, shape = SHAPES[subtype]
    members = botocore.session.get_session().get_service_model(service).shape_for(shape)
    names = {name[0].upper() + name[1:] for name in members.members}
    required, optional = SUBTYPES[subtype]
    assert {*required, *optional} <= names
    assert {name[0].upper() + name[1:] for name in members.required_members} <= set(required)
