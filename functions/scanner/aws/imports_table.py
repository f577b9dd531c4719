"""The table of imports. Their pages are counted here in the very transactions that make them."""

import time
from dataclasses import replace
from typing import Any

from scanner import imports
from scanner.aws import clients, dynamodb, projects_table, usage_table
from scanner.aws.dynamodb import Item, from_item, to_item
from scanner.errors import QuotaExceededError, SupersededError
from scanner.ids import timestamp
from scanner.imports import Failure, Import, Status
from scanner.settings import SETTINGS

_KEPT_SECONDS = 30 * 24 * 3600
"""Less than Step Functions keeps an execution, 90 days, which tells whether an import that should be running is."""


def put(imported: Import) -> None:
    """Store a new import."""
    expiry = {"expiresAt": int(time.time()) + _KEPT_SECONDS}
    clients.dynamodb().put_item(
        TableName=SETTINGS.imports_table,
        Item=_item(imported) | to_item(expiry),
        ConditionExpression="attribute_not_exists(importId)",
    )


def get(import_id: str) -> Import | None:
    """Return an import, or None."""
    answer = clients.dynamodb().get_item(
        TableName=SETTINGS.imports_table, Key=to_item({"importId": import_id}), ConsistentRead=True
    )
    return _import(answer["Item"]) if "Item" in answer else None


def claim(imported: Import, version: str, execution: str) -> Import | None:
    """Let an execution take on an import with this version of its file; return it, or None if that is another's.

    An execution that has claimed it already, and was interrupted since, is told so again.
    """
    changes = {"status": Status.RUNNING, "version": version, "execution": execution, "updatedAt": timestamp()}
    try:
        dynamodb.transact({"Update": _update(imported, Status.AWAITING_UPLOAD, changes)})
    except SupersededError:
        now = get(imported.import_id)
        return now if now and now.status == Status.RUNNING and now.execution == execution else None
    return replace(imported, status=Status.RUNNING, version=version, execution=execution)


@dynamodb.retried("Too many pages are being added to this project at once. Try again.")
def open_(import_id: str, page_count: int) -> Import | None:
    """Store how many pages a file has, with positions at the project's end and the day's quota for all of them.

    Returns the import, also one that was opened before, or None where it does not run any more. Raises NotFoundError
    without the project, QuotaExceededError, ContendedError.
    """
    imported = get(import_id)
    if imported is None or imported.status != Status.RUNNING:
        return None
    if imported.page_count is not None:
        return imported
    left = usage_table.left(imported.owner)
    if page_count > left:
        raise QuotaExceededError(
            f"The file has {page_count:,} pages, and your quota allows {left:,} more today. "
            "Import it tomorrow (after midnight, UTC), or a part of it."
        )
    project = projects_table.get(imported.owner, imported.project_id)
    opened = replace(
        imported,
        page_count=page_count,
        first_position=project.next_position,
        made=(0,) * imports.part_count(page_count),
        updated_at=timestamp(),
    )
    changes = {
        "pageCount": page_count,
        "firstPosition": opened.first_position,
        "made": list(opened.made),
        "updatedAt": opened.updated_at,
    }
    dynamodb.transact(
        {"Update": _update(imported, Status.RUNNING, changes, "attribute_not_exists(pageCount)")},
        {"Update": projects_table.take_positions(project, page_count)},
        {"Update": usage_table.upload(imported.owner, page_count)},
    )
    return opened


def page_made(imported: Import, part: int, made: int, *, with_text: bool) -> dict[str, Any]:
    """Return the update that counts a page of a part, if the import is running and the part has made just `made`."""
    return {
        "TableName": SETTINGS.imports_table,
        "Key": to_item({"importId": imported.import_id}),
        "ConditionExpression": f"#status = :running AND #made[{part}] = :made",
        "UpdateExpression": f"SET #made[{part}] = :more, updatedAt = :now ADD pagesDone :one, pagesWithText :withText",
        "ExpressionAttributeNames": {"#status": "status", "#made": "made"},
        "ExpressionAttributeValues": to_item(
            {
                ":running": Status.RUNNING,
                ":made": made,
                ":more": made + 1,
                ":now": timestamp(),
                ":one": 1,
                ":withText": int(with_text),
            }
        ),
    }


def end(imported: Import, failure: Failure | None) -> bool:
    """Store that a running import is completed or, with a failure, has failed; return whether it was running."""
    changes = {"status": Status.FAILED if failure else Status.COMPLETED, "updatedAt": timestamp()}
    if failure:
        changes |= {"reason": failure.code, "reasonMessage": failure.message}
    try:
        dynamodb.transact({"Update": _update(imported, Status.RUNNING, changes)})
    except SupersededError:
        return False
    return True


def _update(imported: Import, expected: Status, changes: dict[str, Any], *conditions: str) -> dict[str, Any]:
    """Return the update that makes `changes` if the import has the expected status, and the other conditions hold."""
    return {
        "TableName": SETTINGS.imports_table,
        "Key": to_item({"importId": imported.import_id}),
        "ConditionExpression": " AND ".join(["#status = :expected", *conditions]),
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in changes),
        "ExpressionAttributeNames": {f"#{name}": name for name in {*changes, "status"}},
        "ExpressionAttributeValues": to_item({f":{name}": value for name, value in changes.items()})
        | to_item({":expected": expected}),
    }


def _item(imported: Import) -> Item:
    return to_item(
        {
            "importId": imported.import_id,
            "owner": imported.owner,
            "projectId": imported.project_id,
            "contentType": imported.content_type,
            "recogniseAnyway": imported.recognise_anyway,
            "status": imported.status,
            "createdAt": imported.created_at,
            "updatedAt": imported.updated_at,
            "pagesDone": imported.pages_done,
            "pagesWithText": imported.pages_with_text,
        }
    )


def _import(item: Item) -> Import:
    stored = from_item(item)
    opened = "pageCount" in stored
    return Import(
        import_id=stored["importId"],
        owner=stored["owner"],
        project_id=stored["projectId"],
        content_type=stored["contentType"],
        recognise_anyway=stored["recogniseAnyway"],
        status=Status(stored["status"]),
        created_at=stored["createdAt"],
        updated_at=stored["updatedAt"],
        version=stored.get("version", ""),
        execution=stored.get("execution"),
        page_count=int(stored["pageCount"]) if opened else None,
        first_position=int(stored["firstPosition"]) if opened else None,
        made=tuple(int(count) for count in stored.get("made", ())),
        pages_done=int(stored["pagesDone"]),
        pages_with_text=int(stored["pagesWithText"]),
        failure=Failure(stored["reason"], stored["reasonMessage"]) if "reason" in stored else None,
    )
