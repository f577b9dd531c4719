"""The table of exports: what each attempt has planned, and how far it is.

The attributes that tasks write at the same time are each their own, so that no write needs to be tried again; and each
is under the condition that the attempt has not ended, so that what comes late changes nothing.
"""

import time
from dataclasses import asdict
from typing import Any

from scanner.aws import clients, dynamodb
from scanner.aws.dynamodb import Item, from_item, to_item
from scanner.errors import SupersededError
from scanner.export import Attempt, Format, Part, PlannedPart, Volume
from scanner.ids import timestamp
from scanner.settings import SETTINGS

_KEPT_SECONDS = 90 * 24 * 60 * 60
"""As long as Step Functions keeps executions."""

_RUNNING = "byRunningProject"
"""The index of the attempts that have not ended, by their project."""


def get(owner: str, export_id: str) -> Attempt | None:
    """Return an attempt as far as it is; None where nothing of it is known (yet)."""
    answer = clients.dynamodb().get_item(
        TableName=SETTINGS.exports_table, Key=_key(owner, export_id), ConsistentRead=True
    )
    return _attempt(answer.get("Item"))


def put(attempt: Attempt) -> bool:
    """Store what is planned, in place of an earlier plan; tell whether it is, for the attempt may have ended."""
    item = {
        "owner": attempt.owner,
        "exportId": attempt.export_id,
        "projectId": attempt.project_id,
        "runningProjectId": attempt.project_id,
        "format": attempt.format,
        "language": attempt.language,
        "name": attempt.name,
        "changedAt": attempt.changed_at,
        "planVersion": attempt.plan_version,
        "pageCount": attempt.page_count,
        "leftOutCount": attempt.left_out_count,
        "waitingFor": attempt.waiting_for or None,
        "planned": [[part.first, part.last] for part in attempt.planned],
        "parts": {},
        "volumes": [],
        "expiresAt": _expiry(),
    }
    parameters = {
        "TableName": SETTINGS.exports_table,
        "Item": to_item(item),
        "ConditionExpression": "attribute_not_exists(endedAt)",
    }
    try:
        dynamodb.persist(lambda: clients.dynamodb().put_item(**parameters))
    except SupersededError:
        return False
    return True


def add_part(attempt: Attempt, number: int, part: Part) -> bool:
    """Note that a part is built; twice is the same. Tell whether it is: the attempt may have ended, or another plan."""
    values = {":part": asdict(part), ":plan": attempt.plan_version}
    return _update(
        attempt,
        "SET parts.#number = :part",
        "attribute_not_exists(endedAt) AND planVersion = :plan",
        values,
        {"#number": str(number)},
    )


def forget_part(attempt: Attempt, number: int) -> bool:
    """Note that a part has to be built again."""
    return _update(attempt, "REMOVE parts.#number", "attribute_not_exists(endedAt)", {}, {"#number": str(number)})


def add_volume(attempt: Attempt, volume: Volume) -> bool:
    """Note the next volume; twice is the same. Tell whether it is: the attempt may have ended."""
    number = len(attempt.volumes)
    values = {":volume": asdict(volume)}
    return _update(attempt, f"SET volumes[{number}] = :volume", "attribute_not_exists(endedAt)", values)


def complete(attempt: Attempt) -> Attempt | None:
    """Note that all volumes are there, and return the attempt; None if it has ended otherwise meanwhile.

    Where the answer to the write is lost, the AWS SDK repeats it; the second one finds what the first has ended.
    """
    _update(
        attempt,
        "SET endedAt = :now, completedAt = :now REMOVE runningProjectId",
        "attribute_not_exists(endedAt)",
        {":now": timestamp()},
    )
    now = get(attempt.owner, attempt.export_id)
    return now if now and now.completed_at else None


def end(owner: str, export_id: str) -> Attempt | None:
    """Note that an attempt has ended, also one of which nothing is known; return what it was."""
    parameters = {
        "TableName": SETTINGS.exports_table,
        "Key": _key(owner, export_id),
        "UpdateExpression": "SET endedAt = if_not_exists(endedAt, :now), expiresAt = if_not_exists(expiresAt, :expiry)"
        " REMOVE runningProjectId",
        "ExpressionAttributeValues": to_item({":now": timestamp(), ":expiry": _expiry()}),
        "ReturnValues": "ALL_NEW",
    }
    return _attempt(dynamodb.persist(lambda: clients.dynamodb().update_item(**parameters))["Attributes"])


def running(owner: str, project_id: str) -> list[Attempt]:
    """Return the attempts of a project that have not ended."""
    pages = clients.dynamodb().get_paginator("query")
    answers = pages.paginate(
        TableName=SETTINGS.exports_table,
        IndexName=_RUNNING,
        ConsistentRead=True,
        KeyConditionExpression="#owner = :owner AND runningProjectId = :project",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues=to_item({":owner": owner, ":project": project_id}),
    )
    found = (get(owner, from_item(item)["exportId"]) for answer in answers for item in answer["Items"])
    return [attempt for attempt in found if attempt and not attempt.ended_at]


def _update(
    attempt: Attempt, expression: str, condition: str, values: dict[str, Any], names: dict[str, str] | None = None
) -> bool:
    parameters: dict[str, Any] = {
        "TableName": SETTINGS.exports_table,
        "Key": _key(attempt.owner, attempt.export_id),
        "UpdateExpression": expression,
        "ConditionExpression": f"attribute_exists(parts) AND {condition}",
    }
    if values:
        parameters["ExpressionAttributeValues"] = to_item(values)
    if names:
        parameters["ExpressionAttributeNames"] = names
    try:
        dynamodb.persist(lambda: clients.dynamodb().update_item(**parameters))
    except SupersededError:
        return False
    return True


def _key(owner: str, export_id: str) -> Item:
    return to_item({"owner": owner, "exportId": export_id})


def _expiry() -> int:
    return int(time.time()) + _KEPT_SECONDS


def _attempt(item: Item | None) -> Attempt | None:
    stored = from_item(item or {})
    if "projectId" not in stored:  # it ended before anything was planned
        return None
    return Attempt(
        owner=stored["owner"],
        export_id=stored["exportId"],
        project_id=stored["projectId"],
        format=Format(stored["format"]),
        language=stored.get("language"),
        name=stored["name"],
        changed_at=stored["changedAt"],
        plan_version=stored.get("planVersion"),
        page_count=int(stored["pageCount"]),
        left_out_count=int(stored["leftOutCount"]),
        waiting_for=int(stored.get("waitingFor", 0)),
        planned=tuple(PlannedPart(n, int(first), int(last)) for n, (first, last) in enumerate(stored["planned"])),
        parts={int(number): _part(part) for number, part in stored["parts"].items()},
        volumes=tuple(Volume(v["key"], int(v["size"]), int(v["page_count"])) for v in stored["volumes"]),
        ended_at=stored.get("endedAt"),
        completed_at=stored.get("completedAt"),
    )


def _part(stored: dict[str, Any]) -> Part:
    return Part(stored["digest"], int(stored["size"]), int(stored["page_count"]), int(stored["left_out_count"]))
