"""What a service integration's document says: the AWS service's action, its parameters, and the role that calls it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from samhost.gateway.errors import UnsupportedError
from samhost.gateway.mapping.expressions import Expression, request_expression

PAYLOAD_FORMAT = "1.0"  # the only one that service integrations have [doc]
REGION = "Region"  # optional for every subtype [doc]
_ROLE = re.compile(r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+")


class Parameters(NamedTuple):
    """The parameters that a subtype takes."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


SUBTYPES = {
    "EventBridge-PutEvents": Parameters(
        ("Detail", "DetailType", "Source"), ("Time", "EventBusName", "Resources", "TraceHeader")
    ),
    "SQS-SendMessage": Parameters(
        ("QueueUrl", "MessageBody"),
        ("DelaySeconds", "MessageAttributes", "MessageDeduplicationId", "MessageGroupId", "MessageSystemAttributes"),
    ),
    "SQS-ReceiveMessage": Parameters(
        ("QueueUrl",),
        (
            "AttributeNames", "MaxNumberOfMessages", "MessageAttributeNames", "ReceiveRequestAttemptId",
            "VisibilityTimeout", "WaitTimeSeconds",
        ),
    ),
    "SQS-DeleteMessage": Parameters(("ReceiptHandle", "QueueUrl")),
    "SQS-PurgeQueue": Parameters(("QueueUrl",)),
    "AppConfig-GetConfiguration": Parameters(
        ("Application", "Environment", "Configuration", "ClientId"), ("ClientConfigurationVersion",)
    ),
    "Kinesis-PutRecord": Parameters(
        ("StreamName", "Data", "PartitionKey"), ("SequenceNumberForOrdering", "ExplicitHashKey")
    ),
    "StepFunctions-StartExecution": Parameters(("StateMachineArn",), ("Name", "Input")),
    "StepFunctions-StartSyncExecution": Parameters(("StateMachineArn",), ("Name", "Input", "TraceHeader")),
    "StepFunctions-StopExecution": Parameters(("ExecutionArn",), ("Cause", "Error")),
}  # fmt: skip
_NEVER_STATIC = "MessageAttributes"  # as static JSON it is refused, with an expression in it it is not [obs]


@dataclass(frozen=True)
class ServiceTarget:
    """The action behind a route, the expressions of its parameters, its role, and how many seconds it may take."""

    subtype: str
    parameters: Mapping[str, Expression]
    role: str  # an ARN
    timeout: float
    type = "aws_service"

    @classmethod
    def load(cls, definition: Mapping[str, Any], timeout: float) -> "ServiceTarget":
        """Read an integration with an `integrationSubtype`; raises UnsupportedError, which names the parameter."""
        subtype = str(definition["integrationSubtype"])
        if subtype not in SUBTYPES:
            raise UnsupportedError(f"the integration subtype {subtype} (one of {', '.join(SUBTYPES)} is taken)")
        if str(definition.get("payloadFormatVersion")) != PAYLOAD_FORMAT:
            raise UnsupportedError(f"{subtype} with a payloadFormatVersion that is not {PAYLOAD_FORMAT}")
        given = definition.get("requestParameters") or {}
        required, optional = SUBTYPES[subtype]
        for name in required:
            if name not in given:
                raise UnsupportedError(f"{subtype} without the required parameter {name}")
        for name in given:
            if name not in (*required, *optional, REGION):
                raise UnsupportedError(
                    f"{subtype} with the parameter {name}, which it does not have (it has "
                    f"{', '.join((*required, *optional, REGION))})"
                )
        parameters = {name: _expression(subtype, name, text) for name, text in given.items()}
        return cls(subtype, parameters, _role(subtype, definition.get("credentials")), timeout)

    @property
    def reads_body(self) -> bool:
        """Whether the request's body must be there."""
        return any(expression.reads_body for expression in self.parameters.values())


def _expression(subtype: str, name: str, text: Any) -> Expression:
    if not isinstance(text, str | int | float) or isinstance(text, bool):
        raise UnsupportedError(f"{subtype} with a parameter {name} that is neither text nor a number")
    try:
        expression = request_expression(str(text))
    except UnsupportedError as error:
        raise UnsupportedError(f"{subtype}: {name}: {error}") from error
    if name == _NEVER_STATIC and expression.is_static:
        raise UnsupportedError(f"{subtype} with static {name}, which API Gateway refuses")
    return expression


def is_role_arn(text: Any) -> bool:
    """Whether a document names a role, as which something is to be called."""
    return _ROLE.fullmatch(str(text)) is not None


def _role(subtype: str, credentials: Any) -> str:
    if not credentials:
        raise UnsupportedError(f"{subtype} without credentials, the role that calls the service")
    if not is_role_arn(credentials):
        raise UnsupportedError(f"{subtype} with the credentials {credentials}, which are no role's ARN")
    return str(credentials)
