"""The steps of an import: the tasks of workflows/imports.asl.yaml."""

from typing import Any

from scanner import edge
from scanner.services import importing
from scanner.services.importing import Part


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Take a step."""
    return edge.advance(event, "importing", STEPS)


def open_(event: dict[str, Any], log: dict[str, Any]) -> dict[str, Any]:
    """Open the file that has arrived. Without an answer there is nothing more to do."""
    uploaded = event["object"]
    opened = importing.open_(uploaded["key"], uploaded.get("version-id"), event["execution"])
    if opened is None:
        return {}
    imported, parts = opened
    log.update(sub=imported.owner, importId=imported.import_id, pageCount=imported.page_count)
    return {
        "importId": imported.import_id,
        "parts": [{"number": part.number, "places": part.places} for part in parts],
    }


def split(event: dict[str, Any], log: dict[str, Any]) -> dict[str, Any]:
    """Make the pages of a part."""
    log.update(importId=event["importId"], part=event["part"]["number"])
    log["made"] = importing.split(event["importId"], Part(**event["part"]))
    return {}


def finish(event: dict[str, Any], log: dict[str, Any]) -> dict[str, Any]:
    """End an import whose parts are made."""
    log["importId"] = event["importId"]
    importing.finish(event["importId"])
    return {}


def give_up(event: dict[str, Any], log: dict[str, Any]) -> dict[str, Any]:
    """End an import of which a part was tried in vain."""
    log.update(importId=event["importId"], part=event["part"]["number"])
    importing.give_up(event["importId"], Part(**event["part"]))
    return {}


def give_up_file(event: dict[str, Any], log: dict[str, Any]) -> dict[str, Any]:
    """End an import whose file was tried to be opened in vain."""
    log["importId"] = importing.give_up_file(event["object"]["key"])
    return {}


STEPS = {"open": open_, "split": split, "finish": finish, "give-up": give_up, "give-up-file": give_up_file}
