"""The table of telemetry: sums for each user and day."""

from collections.abc import Mapping

from scanner.aws import clients, dynamodb
from scanner.aws.dynamodb import to_item
from scanner.errors import SupersededError
from scanner.settings import SETTINGS

_SEQUENCE_DIGITS = 129
"""The most that a sequence number has: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Record.html."""


def add(owner: str, day: str, shard: str, sequence: str, sums: Mapping[str, int], expires_at: int) -> bool:
    """Add a record's `sums` to those of its user and day, once; return whether that had not been done before.

    The item remembers, for each shard, the last record that was added to it, in the very write that adds it. A user's
    records are in order within a shard, and a record is of the same day however often it is delivered; so whatever is
    not behind the last one has been added. After resharding the user's records come from another shard, which has a
    mark of its own. DynamoDB deletes the item some time after `expires_at`, seconds since the epoch.
    """
    names = {f"#{number}": name for number, name in enumerate(sums)}
    update = {
        "TableName": SETTINGS.telemetry_table,
        "Key": to_item({"owner": owner, "day": day}),
        "ConditionExpression": "attribute_not_exists(#last) OR #last < :this",
        "UpdateExpression": "SET #last = :this, expiresAt = :expiresAt ADD "
        + ", ".join(f"{name} :{name[1:]}" for name in names),
        "ExpressionAttributeNames": names | {"#last": f"last.{shard}"},
        "ExpressionAttributeValues": to_item(
            {f":{name[1:]}": sums[attribute] for name, attribute in names.items()}
            | {":this": sequence.zfill(_SEQUENCE_DIGITS), ":expiresAt": expires_at}
        ),
    }
    try:
        dynamodb.persist(lambda: clients.dynamodb().update_item(**update))
    except SupersededError:
        return False
    return True
