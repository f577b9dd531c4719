"""The table of usage: an item for each user and day, counted in the very transactions that use something.

So the counts are exact however often a message is delivered, and a quota holds however many requests come at once.
"""

import time
from typing import Any

from scanner.aws import dynamodb
from scanner.aws.dynamodb import from_item, to_item
from scanner.errors import QuotaExceededError
from scanner.settings import SETTINGS
from scanner.usage import Day, today

_KEPT_SECONDS = 400 * 24 * 3600
"""More than a year; DynamoDB deletes the items after that."""


def upload(owner: str, count: int = 1) -> dict[str, Any]:
    """Return the update that counts images to upload, or to recognise again, if the day's quota allows all of them.

    More than the whole quota is not for this update to refuse: of a day without uploads it knows no number to compare.
    """
    update = _count(owner, "uploaded", count)
    return update | {
        "ConditionExpression": "attribute_not_exists(uploaded) OR uploaded <= :most",
        "ExpressionAttributeValues": update["ExpressionAttributeValues"]
        | to_item({":most": SETTINGS.pages_per_day - count}),
    }


def left(owner: str) -> int:
    """Return how many images the user's quota of today still allows."""
    return max(SETTINGS.pages_per_day - sum(day.uploaded for day in days(owner, today())), 0)


def exceeded() -> QuotaExceededError:
    """Return the error that says so."""
    quota = f"{SETTINGS.pages_per_day:,} pages"
    return QuotaExceededError(
        f"You have used up today's {quota}. What is uploaded stays; go on tomorrow (after midnight, UTC)."
    )


def recognition(owner: str) -> dict[str, Any]:
    """Return the update that counts a recognised page."""
    return _count(owner, "recognised")


def days(owner: str, since: str) -> list[Day]:
    """Return the days from `since` on in which something was used, newest first."""
    items, _ = dynamodb.query(
        366,
        TableName=SETTINGS.usage_table,
        KeyConditionExpression="#owner = :owner AND #day >= :since",
        ExpressionAttributeNames={"#owner": "owner", "#day": "day"},
        ExpressionAttributeValues=to_item({":owner": owner, ":since": since}),
        ScanIndexForward=False,
    )
    stored = [from_item(item) for item in items]
    return [Day(day["day"], int(day.get("uploaded", 0)), int(day.get("recognised", 0))) for day in stored]


def _count(owner: str, what: str, count: int = 1) -> dict[str, Any]:
    return {
        "TableName": SETTINGS.usage_table,
        "Key": to_item({"owner": owner, "day": today()}),
        "UpdateExpression": f"SET expiresAt = if_not_exists(expiresAt, :expiry) ADD {what} :count",
        "ExpressionAttributeValues": to_item({":expiry": int(time.time()) + _KEPT_SECONDS, ":count": count}),
    }
