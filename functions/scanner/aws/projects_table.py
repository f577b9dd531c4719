"""The table of projects."""

from typing import Any

from scanner.aws import clients, dynamodb
from scanner.aws.dynamodb import Item, from_item, to_item
from scanner.errors import NotFoundError, SupersededError
from scanner.page import Status
from scanner.project import Project
from scanner.settings import SETTINGS


def put(project: Project) -> None:
    """Store a new project."""
    item = {
        "owner": project.owner,
        "projectId": project.project_id,
        "name": project.name,
        "createdAt": project.created_at,
        "pageCount": project.page_count,
        "nextPosition": project.next_position,
    }
    clients.dynamodb().put_item(
        TableName=SETTINGS.projects_table,
        Item=to_item(item | dict(project.pages_by_status)),
        ConditionExpression="attribute_not_exists(projectId)",
    )


def get(owner: str, project_id: str) -> Project:
    """Return a project. Raises NotFoundError where there is none of this owner's."""
    answer = clients.dynamodb().get_item(
        TableName=SETTINGS.projects_table, Key=key(owner, project_id), ConsistentRead=True
    )
    if "Item" not in answer:
        raise NotFoundError("There is no such project.")
    return _project(answer["Item"])


def listing(owner: str, limit: int, after: str | None) -> tuple[list[Project], bool]:
    """Return up to `limit` projects, newest first, from after the id `after`; and whether there are more."""
    start = {"ExclusiveStartKey": key(owner, after)} if after else {}
    items, more = dynamodb.query(
        limit,
        TableName=SETTINGS.projects_table,
        KeyConditionExpression="#owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues=to_item({":owner": owner}),
        ScanIndexForward=False,
        **start,
    )
    return [_project(item) for item in items], more


def rename(owner: str, project_id: str, name: str) -> Project:
    """Give a project another name, and return it. Raises NotFoundError, also where it goes in this moment."""
    parameters = {
        "TableName": SETTINGS.projects_table,
        "Key": key(owner, project_id),
        "ConditionExpression": "attribute_exists(projectId)",
        "UpdateExpression": "SET #name = :name",
        "ExpressionAttributeNames": {"#name": "name"},
        "ExpressionAttributeValues": to_item({":name": name}),
        "ReturnValues": "ALL_NEW",
    }
    try:
        answer = dynamodb.persist(lambda: clients.dynamodb().update_item(**parameters))
    except SupersededError as error:
        raise NotFoundError("There is no such project.") from error
    return _project(answer["Attributes"])


def delete(owner: str, project_id: str) -> None:
    """Delete a project's item; from then on none of its pages can be created or changed. Deleting twice is the same."""
    parameters = {"TableName": SETTINGS.projects_table, "Key": key(owner, project_id)}
    dynamodb.persist(lambda: clients.dynamodb().delete_item(**parameters))


def take_positions(project: Project, count: int = 1) -> dict[str, Any]:
    """Return the update that takes the next positions, if nobody has since the project was read."""
    taken = project.next_position
    return {
        "TableName": SETTINGS.projects_table,
        "Key": key(project.owner, project.project_id),
        "ConditionExpression": "nextPosition = :taken",
        "UpdateExpression": "SET nextPosition = :next",
        "ExpressionAttributeValues": to_item({":taken": taken, ":next": taken + count}),
    }


def key(owner: str, project_id: str) -> Item:
    """Return the key of a project's item."""
    return to_item({"owner": owner, "projectId": project_id})


def _project(item: Item) -> Project:
    stored = from_item(item)
    return Project(
        owner=stored["owner"],
        project_id=stored["projectId"],
        name=stored["name"],
        created_at=stored["createdAt"],
        page_count=int(stored["pageCount"]),
        next_position=int(stored["nextPosition"]),
        pages_by_status={status: int(stored[status]) for status in Status},
    )
