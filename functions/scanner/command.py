"""Commands: bulk work on the pages of a project, which waits in a queue until it is done.

Messages of a standard queue come at least once and in any order. So a command carries the moment at which it was sent,
and a page remembers the newest one that it has followed: what is older has been superseded, and what is the same has
been done.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from scanner import json_object
from scanner.errors import InvalidRequestError
from scanner.ids import is_id

MAX_PAGES = 100
"""Pages that one command can name; they take a few seconds."""


class Action(StrEnum):
    """What a command does with its pages."""

    RECOGNISE = "recognise-pages"
    MOVE = "move-pages"
    DELETE = "delete-pages"


_OPTIONS = {Action.RECOGNISE: {"discardCorrections"}, Action.MOVE: {"after"}, Action.DELETE: set()}


@dataclass(frozen=True, slots=True)
class Command:
    """A command of `owner` about pages of one project, sent at `sent_at` (milliseconds since the epoch).

    Moved pages come right `after` that page, in the order in which they are named; None is the front. Recognising again
    leaves corrected texts alone, unless it `discards_corrections`.
    """

    owner: str
    sent_at: int
    action: Action
    project_id: str
    page_ids: tuple[str, ...]
    after: str | None = None
    discards_corrections: bool = False

    @classmethod
    def parse(cls, owner: str, sent_at: int, body: str) -> Self:
        """Read a command as a client sent it. Raises InvalidRequestError, without a word of the body in it."""
        fields = json_object.parse(body, "A command is a JSON object.")
        if fields.get("command") not in list(Action):
            raise InvalidRequestError(f"`command` is one of {', '.join(Action)}.")
        action = Action(str(fields["command"]))
        if fields.keys() - {"command", "projectId", "pageIds"} - _OPTIONS[action]:
            raise InvalidRequestError(f"{action} has fields that it does not know.")
        project_id, page_ids = fields.get("projectId"), _page_ids(fields.get("pageIds"))
        if not is_id(project_id):
            raise InvalidRequestError("`projectId` names no project.")
        after = _after(fields, page_ids) if action is Action.MOVE else None
        discards = fields.get("discardCorrections", False)
        if not isinstance(discards, bool):
            raise InvalidRequestError("`discardCorrections` is true or false.")
        return cls(owner, sent_at, action, project_id, page_ids, after, discards)


def _page_ids(value: object) -> tuple[str, ...]:
    ids = tuple(item for item in value if is_id(item)) if isinstance(value, list) else ()
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_PAGES or len(set(ids)) != len(value):
        raise InvalidRequestError(f"`pageIds` are 1 to {MAX_PAGES} different ids of pages.")
    return ids


def _after(fields: dict[str, object], page_ids: tuple[str, ...]) -> str | None:
    value = fields.get("after", "")
    if value is not None and (not is_id(value) or value in page_ids):
        raise InvalidRequestError("`after` is the id of a page that does not move itself, or null for the front.")
    return value
