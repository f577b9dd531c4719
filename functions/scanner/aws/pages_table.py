"""The table of pages.

Every change of state is a transaction over the page and its project, so that the project's counters never drift: they
move with the page or not at all.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from scanner import position
from scanner.aws import clients, dynamodb, projects_table, usage_table
from scanner.aws.dynamodb import Item, from_item, to_item
from scanner.errors import (
    InvalidRequestError,
    NoRoomError,
    NotFoundError,
    QuotaExceededError,
    SupersededError,
    UnfinishedError,
)
from scanner.page import Failure, Page, Status
from scanner.project import Project
from scanner.settings import SETTINGS

MAX_TEXT_BYTES = 100_000
"""Longer texts are left to the words object in S3: an item holds 400 KB, and reading is paid by size. Corrected ones,
which are rare and bounded, are in no such object, and stay."""

_BATCH = 25  # BatchWriteItem's limit
_CONTENDED = "This page is being changed by too many others at once. Try again."


@dynamodb.retried("Too many pages are being added to this project at once. Try again.")
def create(owner: str, project_id: str, content_type: str) -> Page:
    """Add a page at the end of a project.

    Positions are unique, however many are created and moved at once: each is taken under the condition that it is still
    the next one. Raises NotFoundError without such a project, QuotaExceededError, ContendedError where others always
    came first.
    """
    project = projects_table.get(owner, project_id)
    page = Page.create(owner, project_id, Decimal(project.next_position), content_type)
    count = _take_next_position(project, {"pageCount": 1, page.status: 1})
    put = {
        "TableName": SETTINGS.pages_table,
        "Item": _page_item(page),
        "ConditionExpression": "attribute_not_exists(pageId)",
    }
    _transact_with_upload(owner, {"Update": count}, {"Put": put})
    return page


def get(project_id: str, page_id: str) -> Page | None:
    """Return a page with its text, or None."""
    answer = clients.dynamodb().get_item(
        TableName=SETTINGS.pages_table, Key=_key(project_id, page_id), ConsistentRead=True
    )
    return _page(answer["Item"]) if "Item" in answer else None


def listing(project_id: str, limit: int, after: tuple[Decimal, str] | None) -> tuple[list[Page], bool]:
    """Return up to `limit` pages without text in page order, after `(position, page_id)`; and if there are more."""
    start = {}
    if after:
        key = dict(zip(("position", "pageId"), after, strict=True))
        start = {"ExclusiveStartKey": to_item({"projectId": project_id} | key)}
    items, more = dynamodb.query(limit, **_in_page_order(project_id), **start)
    return [_page(item) for item in items], more


def all_of(project_id: str) -> Iterator[Page]:
    """Yield all pages of a project without text, in page order."""
    for answer in clients.dynamodb().get_paginator("query").paginate(**_in_page_order(project_id)):
        yield from (_page(item) for item in answer["Items"])


@dynamodb.retried(_CONTENDED)
def change(owner: str, project_id: str, page_id: str, step: Callable[[Page, Project], Page]) -> Page:
    """Store what `step` makes of a page of a project, and return that; where others come first, of what they have left.

    A page that moves takes a turn: of pages that are moved or created in a project at once, one comes first, and the
    others look for their place again. So no two take the same one.

    Raises NotFoundError, QuotaExceededError, ContendedError, and whatever `step` raises.
    """
    project = projects_table.get(owner, project_id)
    before = get(project_id, page_id)
    if before is None:
        raise NotFoundError("There is no such page.")
    after = step(before, project)
    if after.position != before.position:
        dynamodb.transact({"Update": _update(before, after)}, {"Update": _take_next_position(project)})
    elif after is not before:
        transition(before, after)
    return after


def transition(before: Page, after: Page) -> None:
    """Store what has become of a page, and move its project's counters and its owner's usage with it.

    Raises SupersededError, with nothing changed, where the page is no longer as `before` (deleted, another image,
    another version, another status, another recognition) or, if the status changes, its project is gone. Raises
    QuotaExceededError for a new image, or a new recognition, beyond the day's quota.
    """
    actions = [{"Update": _update(before, after)}]
    if after.status != before.status:
        actions.append({"Update": _count(before.owner, before.project_id, {before.status: -1, after.status: 1})})
    if (after.image_id, after.asked_again_at) != (before.image_id, before.asked_again_at):
        _transact_with_upload(before.owner, *actions)
    elif after.status != before.status and after.status == Status.READY:
        dynamodb.transact(*actions, {"Update": usage_table.recognition(before.owner)})
    else:
        dynamodb.transact(*actions)


def _transact_with_upload(owner: str, *actions: dict[str, Any]) -> None:
    """Write what has an image recognised, a new one or again, if the day's quota does. Raises QuotaExceededError."""
    try:
        dynamodb.transact(*actions, {"Update": usage_table.upload(owner)})
    except SupersededError as error:
        if len(actions) not in error.refused:
            raise
        quota = f"{SETTINGS.pages_per_day:,} pages"
        message = f"You have used up today's {quota}. What is uploaded stays; go on tomorrow (after midnight, UTC)."
        raise QuotaExceededError(message) from error


def _count(owner: str, project_id: str, amounts: dict[str, int]) -> dict[str, Any]:
    """Return the update that adds amounts to attributes of a project, by their names, if it is still there."""
    return {
        "TableName": SETTINGS.projects_table,
        "Key": projects_table.key(owner, project_id),
        "ConditionExpression": "attribute_exists(projectId)",
        "UpdateExpression": "ADD " + ", ".join(f"#n{n} :n{n}" for n in range(len(amounts))),
        "ExpressionAttributeNames": {f"#n{n}": name for n, name in enumerate(amounts)},
        "ExpressionAttributeValues": to_item({f":n{n}": amount for n, amount in enumerate(amounts.values())}),
    }


def _take_next_position(project: Project, amounts: dict[str, int] | None = None) -> dict[str, Any]:
    """Return the update that takes the next position, if nobody has since the project was read; it counts as well."""
    update = _count(project.owner, project.project_id, {"nextPosition": 1} | (amounts or {}))
    taken = to_item({":taken": project.next_position})
    return update | {
        "ConditionExpression": "nextPosition = :taken",
        "ExpressionAttributeValues": update["ExpressionAttributeValues"] | taken,
    }


def _update(before: Page, after: Page) -> dict[str, Any]:
    """Return the update that makes `after` of a page, if it has the status, image and recognition of `before`."""
    old, new = _page_item(before), _page_item(after)
    changes = {name: value for name, value in new.items() if old.get(name) != value or name == "updatedAt"}
    removed = old.keys() - new.keys()
    conditions = {name: old.get(name) for name in ("status", "imageId", "imageVersion", "askedAgainAt")}
    if "movedAt" in changes:  # of two that move a page, the second looks again; nobody else minds
        conditions["movedAt"] = old.get("movedAt")
    names = {f"#{name}": name for name in changes.keys() | conditions.keys() | removed}
    values = {f":{name}": value for name, value in changes.items()}
    values |= {f":was_{name}": value for name, value in conditions.items() if value}
    return {
        "TableName": SETTINGS.pages_table,
        "Key": _key(before.project_id, before.page_id),
        "ConditionExpression": " AND ".join(
            f"#{name} = :was_{name}" if value else f"attribute_not_exists(#{name})"
            for name, value in conditions.items()
        ),
        "UpdateExpression": "SET "
        + ", ".join(f"#{name} = :{name}" for name in changes)
        + (" REMOVE " + ", ".join(f"#{name}" for name in removed) if removed else ""),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def place(page: Page, project: Project, after: str | None) -> Decimal:
    """Return a position for `page` right after the page `after` or, for None, before all others.

    Three items are read at most, however many pages there are. Raises InvalidRequestError without that page,
    NoRoomError where too many pages were moved to this very place.
    """
    lower = None
    if after is not None:
        neighbour = get(page.project_id, after)
        if neighbour is None:
            raise InvalidRequestError("The page that this one is to come after is not in this project.")
        lower = neighbour.position
    query = _in_page_order(page.project_id)
    if lower is not None:
        query["KeyConditionExpression"] += " AND #position > :lower"
        query["ExpressionAttributeNames"] = {"#position": "position"}
        query["ExpressionAttributeValues"] |= to_item({":lower": lower})
    following = [_page(item) for item in dynamodb.query(1, **query)[0]]
    if not following:
        return Decimal(project.next_position)
    upper = following[0]
    if upper.page_id == page.page_id:  # it is there already
        return page.position
    if lower is None:
        return position.before(upper.position)
    between = position.between(lower, upper.position)
    if between is None:
        raise NoRoomError("Too many pages were moved to this very place. Move the page that follows it away and back.")
    return between


@dynamodb.retried(_CONTENDED)
def delete(owner: str, project_id: str, page_id: str) -> None:
    """Delete a page, and count it out of its project in the same moment; deleting it twice is the same.

    Raises NotFoundError without such a project, ContendedError where others always came first.
    """
    projects_table.get(owner, project_id)
    page = get(project_id, page_id)
    if page is None:
        return
    delete_page = {
        "TableName": SETTINGS.pages_table,
        "Key": _key(project_id, page_id),
        "ConditionExpression": "#status = :status",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": to_item({":status": page.status}),
    }
    count = _count(owner, project_id, {"pageCount": -1, page.status: -1})
    dynamodb.transact({"Delete": delete_page}, {"Update": count})


def delete_all(project_id: str, out_of_time: Callable[[], bool]) -> int:
    """Delete the pages of a deleted project, and return how many. Raises UnfinishedError when time is up."""
    client, table = clients.dynamodb(), SETTINGS.pages_table
    deleted = 0
    answers = client.get_paginator("query").paginate(
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="projectId = :projectId",
        ExpressionAttributeValues=to_item({":projectId": project_id}),
        ProjectionExpression="projectId, pageId",
    )
    for answer in answers:
        requests = [{"DeleteRequest": {"Key": key}} for key in answer["Items"]]
        while requests:
            if out_of_time():
                raise UnfinishedError(f"{deleted} pages were deleted before time was up.")
            batch, requests = requests[:_BATCH], requests[_BATCH:]
            refused = client.batch_write_item(RequestItems={table: batch})["UnprocessedItems"].get(table, [])
            deleted += len(batch) - len(refused)
            if refused:
                requests = refused + requests
                dynamodb.pause(0)
    return deleted


def _in_page_order(project_id: str) -> dict[str, Any]:
    return {
        "TableName": SETTINGS.pages_table,
        "IndexName": "byPosition",
        "KeyConditionExpression": "projectId = :projectId",
        "ExpressionAttributeValues": to_item({":projectId": project_id}),
        "ConsistentRead": True,
    }


def _key(project_id: str, page_id: str) -> Item:
    return to_item({"projectId": project_id, "pageId": page_id})


def _page_item(page: Page) -> Item:
    return to_item(
        {
            "projectId": page.project_id,
            "pageId": page.page_id,
            "owner": page.owner,
            "position": page.position,
            "rotation": page.rotation,
            "status": page.status,
            "imageId": page.image_id,
            "contentType": page.content_type,
            "createdAt": page.created_at,
            "updatedAt": page.updated_at,
            "imageVersion": page.image_version,
            "text": page.text if page.corrected or len((page.text or "").encode()) <= MAX_TEXT_BYTES else None,
            "corrected": page.corrected or None,
            "confidence": page.confidence,
            "wordCount": page.word_count,
            "width": page.width,
            "height": page.height,
            "reason": page.failure and page.failure.code,
            "reasonMessage": page.failure and page.failure.message,
            "askedAgainAt": page.asked_again_at,
            "movedAt": page.moved_at,
        }
    )


def _page(item: Item) -> Page:
    stored = from_item(item)
    page = Page(
        project_id=stored["projectId"],
        page_id=stored["pageId"],
        owner=stored["owner"],
        position=stored["position"],
        rotation=int(stored.get("rotation", 0)),
        status=Status(stored["status"]),
        image_id=stored["imageId"],
        content_type=stored["contentType"],
        created_at=stored["createdAt"],
        updated_at=stored["updatedAt"],
        image_version=stored.get("imageVersion"),
        text=stored.get("text"),
        corrected=stored.get("corrected", False),
        asked_again_at=_whole(stored.get("askedAgainAt")),
        moved_at=_whole(stored.get("movedAt")),
    )
    if page.status == Status.FAILED:
        return replace(page, failure=Failure(stored["reason"], stored["reasonMessage"]))
    if page.status == Status.READY:
        return replace(
            page,
            confidence=float(stored["confidence"]),
            word_count=int(stored["wordCount"]),
            width=int(stored["width"]),
            height=int(stored["height"]),
        )
    return page


def _whole(number: Decimal | None) -> int | None:
    return None if number is None else int(number)
