"""Projects: what a user collects pages in."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from scanner.errors import InvalidRequestError
from scanner.ids import new_id, timestamp
from scanner.page import Status

MAX_NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Project:
    """A project and the counts that are kept of its pages."""

    owner: str
    project_id: str
    name: str
    created_at: str
    page_count: int = 0
    next_position: int = 1  # whole, and above those of all pages
    pages_by_status: Mapping[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))

    @classmethod
    def create(cls, owner: str, name: object) -> Self:
        """Make a new, empty project. Raises InvalidRequestError for a name that is none."""
        return cls(owner=owner, project_id=new_id(), name=project_name(name), created_at=timestamp())


def project_name(value: object) -> str:
    """Return `value`, unchanged, if it can name a project; raise InvalidRequestError otherwise.

    A name is anything a person types on one line. Control characters are refused, because names end up in headers and
    document titles, and names of nothing but white space and invisible characters, because nobody could see them.
    """
    if not isinstance(value, str):
        raise InvalidRequestError('Send the project\'s name as text: {"name": "…"}.')
    if not 1 <= len(value) <= MAX_NAME_LENGTH:
        raise InvalidRequestError(f"A project's name has 1 to {MAX_NAME_LENGTH} characters; this one has {len(value)}.")
    categories = {unicodedata.category(character) for character in value}
    if categories & {"Cc", "Cs", "Zl", "Zp"}:
        raise InvalidRequestError("A project's name is one line of text: remove line breaks and control characters.")
    if categories <= {"Zs", "Cf"}:
        raise InvalidRequestError("A project's name needs at least one visible character.")
    return value
