"""The table: an item under each id, with a version that changes whenever the item does."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

_serialize, _deserialize = TypeSerializer().serialize, TypeDeserializer().deserialize


class AbsentError(Exception):
    """There is no such item."""

    def __init__(self) -> None:
        super().__init__("Not found")


class ChangedError(Exception):
    """The item is not, or no longer, what the condition says."""

    def __init__(self) -> None:
        super().__init__("The item is not what the condition says it is. Read it again, and change what you get then")


@dataclass(frozen=True, slots=True)
class Condition:
    """What an item has to be for a change to take place: of one of these versions, there at all, or absent."""

    versions: tuple[str, ...] = ()
    exists: bool | None = None

    def to_parameters(self) -> dict[str, Any]:
        """Return it as parameters of PutItem and DeleteItem."""
        if self.versions:
            values = {f":version{number}": _serialize(version) for number, version in enumerate(self.versions)}
            return {
                "ConditionExpression": f"version IN ({', '.join(values)})",
                "ExpressionAttributeValues": values,
            }
        if self.exists is None:
            return {}
        return {"ConditionExpression": f"attribute_{'' if self.exists else 'not_'}exists(id)"}


@dataclass(frozen=True, slots=True)
class Stored:
    """An item with its version."""

    item: Mapping[str, Any]
    version: str


class Table:
    """Items by id. Its methods wait for DynamoDB, and are safe to call from several threads."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self._name = client, name

    def get(self, item_id: str) -> Stored:
        """Return an item as it was last stored. Raises AbsentError."""
        answer = self._client.get_item(TableName=self._name, Key=_key(item_id), ConsistentRead=True)
        if "Item" not in answer:
            raise AbsentError
        return _stored(answer["Item"])

    def put(self, item_id: str, item: Mapping[str, Any], condition: Condition) -> Stored:
        """Store an item, in place of the one that is there. Raises ChangedError."""
        version = uuid.uuid4().hex
        attributes = {"id": item_id, "version": version, "item": item}
        self._change(
            self._client.put_item,
            Item={name: _serialize(value) for name, value in attributes.items()},
            **condition.to_parameters(),
        )
        return Stored(item, version)

    def delete(self, item_id: str, condition: Condition) -> None:
        """Delete an item. Raises AbsentError, ChangedError."""
        answer = self._change(
            self._client.delete_item, Key=_key(item_id), ReturnValues="ALL_OLD", **condition.to_parameters()
        )
        if "Attributes" not in answer:
            raise AbsentError

    def listing(self, limit: int, after: str | None) -> tuple[list[Stored], str | None]:
        """Return up to `limit` items in no particular order, and the id after which to go on where there are more.

        A Scan with a limit reads just that many: all that is in the table is listed. An index that could be queried
        would have every item in one partition.
        """
        start = {"ExclusiveStartKey": _key(after)} if after else {}
        answer = self._client.scan(TableName=self._name, Limit=limit, **start)
        last = answer.get("LastEvaluatedKey")
        return [_stored(item) for item in answer["Items"]], _deserialize(last["id"]) if last else None

    def _change(self, call: Any, **parameters: Any) -> dict[str, Any]:
        try:
            return call(TableName=self._name, **parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise ChangedError from error
            raise


def _key(item_id: str) -> dict[str, Any]:
    return {"id": _serialize(item_id)}


def _stored(attributes: Mapping[str, Any]) -> Stored:
    return Stored(_deserialize(attributes["item"]), _deserialize(attributes["version"]))
