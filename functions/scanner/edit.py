"""What a user changes of a page: its text, its place, its rotation."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from scanner.errors import InvalidRequestError
from scanner.ids import is_id

MAX_TEXT_LENGTH = 100_000
"""Characters. In UTF-8 they are 400,000 bytes at most, so that a corrected text always fits into an item."""

ROTATIONS = (0, 90, 180, 270)


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a page; None leaves as it is.

    `rotation` is in degrees, clockwise, on top of the upright image. If the page `moves`, it comes right after the page
    `after`, or to the front where that is None.
    """

    text: str | None
    rotation: int | None
    moves: bool
    after: str | None

    @classmethod
    def parse(cls, page_id: str, body: Mapping[str, object]) -> Self:
        """Read an edit of that page from a request. Raises InvalidRequestError."""
        if not body.keys() & {"text", "rotation", "after"}:
            raise InvalidRequestError('Send what to change, one or more of "text", "rotation" and "after".')
        return cls(
            text=_text(body["text"]) if "text" in body else None,
            rotation=_rotation(body["rotation"]) if "rotation" in body else None,
            moves="after" in body,
            after=_after(body["after"], page_id) if "after" in body else None,
        )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidRequestError('Send the corrected text as text: {"text": "…"}.')
    if len(value) > MAX_TEXT_LENGTH:
        raise InvalidRequestError(f"A page's text has at most {MAX_TEXT_LENGTH:,} characters; this has {len(value):,}.")
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t" for character in lines):
        raise InvalidRequestError(
            "A page's text has line feeds and tabs, but no other control characters: remove them."
        )
    return lines


def _rotation(value: object) -> int:
    if type(value) is not int or value not in ROTATIONS:  # True is no number of degrees
        raise InvalidRequestError('A page is turned clockwise by 0, 90, 180 or 270 degrees: {"rotation": 90}.')
    return value


def _after(value: object, page_id: str) -> str | None:
    if value is not None and not is_id(value):
        raise InvalidRequestError('Name the page that this one comes after: {"after": pageId}; null is the front.')
    if value == page_id:
        raise InvalidRequestError("A page cannot come after itself.")
    return value
