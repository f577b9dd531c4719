"""Amazon SQS, by its query protocol: API Gateway hands on its XML [obs for SendMessage, inf for the others].

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html
"""

from collections.abc import Iterator
from typing import Any

from samhost.gateway.engine import Reply
from samhost.gateway.errors import BadRequestError
from samhost.gateway.integrations.services.call import Operation, Parameters, RoleClient, json_value, text_list

_VERSION = "2012-11-05"
_LISTS = {"AttributeNames": "AttributeName", "MessageAttributeNames": "MessageAttributeName"}
_ATTRIBUTES = {"MessageAttributes": "MessageAttribute", "MessageSystemAttributes": "MessageSystemAttribute"}
_VALUES = ("DataType", "StringValue", "BinaryValue")


def _action(name: str) -> Operation:
    async def call(parameters: Parameters, client: RoleClient) -> Reply:
        pairs = [("Action", name), ("Version", _VERSION)]
        for parameter, value in parameters.items():
            pairs += _query_parameters(parameter, value)
        return await client.query("sqs", pairs)

    return call


def _query_parameters(name: str, value: str) -> Iterator[tuple[str, str]]:
    """A parameter as the query protocol writes it: `AttributeName.1=…`, `MessageAttribute.1.Value.StringValue=…`."""
    if name in _LISTS:
        for number, item in enumerate(text_list(name, value), 1):
            yield f"{_LISTS[name]}.{number}", item
    elif name in _ATTRIBUTES:
        for number, (attribute, fields) in enumerate(_attributes(name, value), 1):
            key = f"{_ATTRIBUTES[name]}.{number}"
            yield f"{key}.Name", attribute
            for field, text in fields.items():
                yield f"{key}.Value.{field}", text
    else:
        yield name, value


def _attributes(name: str, value: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Message attributes as the JSON protocol writes them: `{"kind": {"DataType": "String", "StringValue": "cat"}}`."""
    attributes = json_value(name, value)
    if not isinstance(attributes, dict):
        raise BadRequestError(f"{name} is not an object")
    for attribute, fields in attributes.items():
        yield attribute, _checked(name, fields)


def _checked(name: str, fields: Any) -> dict[str, str]:
    if isinstance(fields, dict) and all(key in _VALUES and isinstance(text, str) for key, text in fields.items()):
        return fields
    raise BadRequestError(f"{name} has an attribute with more than {', '.join(_VALUES)}, as text")


OPERATIONS: dict[str, Operation] = {
    f"SQS-{name}": _action(name) for name in ("SendMessage", "ReceiveMessage", "DeleteMessage", "PurgeQueue")
}
