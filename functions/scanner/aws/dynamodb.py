"""DynamoDB: items, queries, and writes that hold their ground against others.

Everything is read by key and consistently; nothing is scanned.
"""

import random
import time
from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from scanner.aws import clients
from scanner.errors import ContendedError, SupersededError

ATTEMPTS = 12
"""How often to try against others' changes of the same items; with the pauses between, about 3 s."""

_REFUSED = {"ConditionalCheckFailed", "ConditionalCheckFailedException"}
"""A condition does not hold: as a transaction says it, and as a single write does."""

_RETRIED = {
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
}

type Item = dict[str, dict[str, Any]]

_serialise = TypeSerializer().serialize
_deserialise = TypeDeserializer().deserialize


def to_item(values: dict[str, Any]) -> Item:
    """Return values as DynamoDB has them, without those that are None."""
    return {
        name: _serialise(Decimal(str(value)) if isinstance(value, float) else value)
        for name, value in values.items()
        if value is not None
    }


def from_item(item: Item) -> dict[str, Any]:
    """Return an item's values; numbers are Decimal."""
    return {name: _deserialise(value) for name, value in item.items()}


def query(limit: int, **parameters: Any) -> tuple[list[Item], bool]:
    """Return up to `limit` items and whether there are more, in as many requests as answers of 1 MB take."""
    items: list[Item] = []
    parameters |= {"ConsistentRead": True}
    while True:
        answer = clients.dynamodb().query(**parameters, Limit=limit + 1 - len(items))
        items += answer["Items"]
        if len(items) > limit or "LastEvaluatedKey" not in answer:
            return items[:limit], len(items) > limit
        parameters["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def transact(*actions: dict[str, Any]) -> None:
    """Write all or nothing. Raises SupersededError where a condition does not hold."""
    match actions:
        case [{"Update": update}]:  # which costs half of a transaction
            persist(lambda: clients.dynamodb().update_item(**update))
        case _:
            persist(lambda: clients.dynamodb().transact_write_items(TransactItems=list(actions)))


def persist[T](write: Callable[[], T]) -> T:
    """Write, again and again while others are writing the same items; return the answer.

    Raises SupersededError where a condition does not hold, ContendedError where others never let go.
    """
    for attempt in range(ATTEMPTS):
        try:
            return write()
        except ClientError as error:
            reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
            codes = {*reasons, error.response["Error"]["Code"]}
            if codes & _REFUSED:
                refused = [place for place, reason in enumerate(reasons) if reason in _REFUSED]
                raise SupersededError("The stored state is not the expected one.", refused) from error
            if not codes & _RETRIED:
                raise
            pause(attempt)
    raise ContendedError("This project is being changed by too many others at once. Try again.")


def retried[**P, T](refusal: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function that reads, and writes on condition that what it read still holds: else it starts again.

    That is, at SupersededError. Raises ContendedError, with `refusal` as its message, where others always came first.
    """

    def decorate(change: Callable[P, T]) -> Callable[P, T]:
        @wraps(change)
        def change_at_last(*args: P.args, **kwargs: P.kwargs) -> T:
            for attempt in range(ATTEMPTS):
                try:
                    return change(*args, **kwargs)
                except SupersededError:
                    pause(attempt)
            raise ContendedError(refusal)

        return change_at_last

    return decorate


def pause(attempt: int) -> None:
    """Wait up to 20 ms at first and 640 ms at last, at random, so that those who collided do not meet again."""
    time.sleep(random.uniform(0.005, 0.02 * 2 ** min(attempt, 5)))  # noqa: S311
