"""The table of the audit log: a partition for each day, in it the events by time and id."""

from scanner.audit import AuditEntry
from scanner.aws import clients, dynamodb
from scanner.aws.dynamodb import Item, from_item, to_item
from scanner.settings import SETTINGS


def put(entry: AuditEntry, *, with_detail: bool) -> None:
    """Store an entry, without its detail where that is in the bucket. Storing it again is the same."""
    item = {
        "day": entry.day,
        "eventKey": event_key(entry),
        "eventId": entry.event_id,
        "at": entry.at,
        "source": entry.source,
        "detailType": entry.detail_type,
        "user": entry.user,
        "detail": entry.detail if with_detail else None,
        "expiresAt": entry.expires_at,
    }
    clients.dynamodb().put_item(TableName=SETTINGS.audit_table, Item=to_item(item))


def listing(day: str, limit: int, after: str | None) -> tuple[list[AuditEntry], bool]:
    """Return up to `limit` entries of a day, newest first, that follow the key `after`; and whether there are more.

    An entry whose detail is in the bucket has an empty one.
    """
    start = {"ExclusiveStartKey": to_item({"day": day, "eventKey": after})} if after else {}
    items, more = dynamodb.query(
        limit,
        TableName=SETTINGS.audit_table,
        KeyConditionExpression="#day = :day",
        ExpressionAttributeNames={"#day": "day"},
        ExpressionAttributeValues=to_item({":day": day}),
        ScanIndexForward=False,
        **start,
    )
    return [_entry(item) for item in items], more


def event_key(entry: AuditEntry) -> str:
    """Return the key of an entry within its day. The id tells events of the same second apart."""
    return f"{entry.at}#{entry.event_id}"


def _entry(item: Item) -> AuditEntry:
    stored = from_item(item)
    return AuditEntry(
        event_id=stored["eventId"],
        at=stored["at"],
        source=stored["source"],
        detail_type=stored["detailType"],
        user=stored.get("user"),
        detail=stored.get("detail", ""),
    )
