"""Exports: what is asked for, how far it is, and what comes out.

An export is an execution of a workflow: its pages are planned, built in parts, and joined to volumes.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from scanner.errors import InvalidRequestError
from scanner.ids import is_id

MAX_PAGES = 5_000
"""Of an export. As many ids are 200 KB, and what starts a workflow has at most 256."""

PART_PAGES = 50
"""Of a part, at most: its pages are built one after another, and its parts side by side."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_MAX_LANGUAGE = 35
"""Characters; RFC 5646, section 4.4.1, asks programs to take as many."""


class Format(StrEnum):
    """What an export is: the images under invisible text; the text, typeset; the text; the text with its geometry."""

    PDF = "pdf"
    TEXT_PDF = "text-pdf"
    TXT = "txt"
    JSON = "json"

    @property
    def extension(self) -> str:
        """What names of files of the format end with."""
        return "pdf" if self is Format.TEXT_PDF else self.value

    @property
    def content_type(self) -> str:
        """The media type."""
        return {"pdf": "application/pdf", "txt": "text/plain; charset=utf-8", "json": "application/json"}[
            self.extension
        ]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be exported, and how: all pages, or those in `page_ids`; `language` is a BCP 47 tag."""

    project_id: str
    format: Format
    page_ids: Collection[str] | None = None
    language: str | None = None

    @classmethod
    def parse(cls, body: object) -> Self:
        """Read what was sent to start an export. Raises InvalidRequestError."""
        if not isinstance(body, dict) or not is_id(body.get("projectId")):
            raise InvalidRequestError('Send the id of the project to export: {"projectId": "…"}.')
        wanted = body.get("format", Format.PDF)
        if wanted not in list(Format):
            raise InvalidRequestError(f"`format` is one of {', '.join(Format)}.")
        return cls(body["projectId"], Format(wanted), _page_ids(body.get("pages")), _language(body.get("language")))


def _page_ids(value: object) -> Collection[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_PAGES or not all(is_id(page) for page in value):
        raise InvalidRequestError(f"`pages` are the ids of 1 to {MAX_PAGES:,} pages; leave it out to export all.")
    if len(found := frozenset(value)) < len(value):
        raise InvalidRequestError("`pages` names a page twice.")
    return found


def _language(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _MAX_LANGUAGE or not _LANGUAGE.fullmatch(value):
        raise InvalidRequestError("`language` is a BCP 47 tag such as de or pt-BR.")
    return value


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A part of an export, not built yet: its number, from 0, and those of its first and last page in the project."""

    number: int
    first: int
    last: int

    def to_item(self) -> dict[str, Any]:
        """Return what the workflow has of it."""
        pages = f"page {self.first}" if self.first == self.last else f"pages {self.first} to {self.last}"
        return {"number": self.number, "pages": pages}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an export that is built: `digest` says all that determines it, and is empty where no page is left.

    `left_out_count` of its planned pages were deleted meanwhile, or are not ready any more; `size` is in bytes.
    """

    digest: str
    size: int
    page_count: int
    left_out_count: int


@dataclass(frozen=True, slots=True)
class Volume:
    """A document of an export: `key` is its object's, `size` in bytes, `page_count` that of the project's pages."""

    key: str
    size: int
    page_count: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """An export on its way: its plan and what is done of it.

    `name` is the project's, `changed_at` when the newest of the planned pages was last changed, `plan_version` the
    version of the object that lists the pages, None while it waits for the recognition of `waiting_for` pages. `parts`
    are those that are built of the `planned` ones, by their numbers. What has ended, completed or not, changes no more.
    """

    owner: str
    export_id: str
    project_id: str
    format: Format
    language: str | None
    name: str
    changed_at: str
    plan_version: str | None
    page_count: int
    left_out_count: int
    waiting_for: int = 0
    planned: tuple[PlannedPart, ...] = ()
    parts: Mapping[int, Part] = field(default_factory=dict)
    volumes: tuple[Volume, ...] = ()
    ended_at: str | None = None
    completed_at: str | None = None

    @property
    def pages_done(self) -> int:
        """How many of the planned pages are in parts that are built, or were left out of them."""
        return sum(part.page_count + part.left_out_count for part in self.parts.values())

    @property
    def all_left_out(self) -> int:
        """How many of the pages that were asked for are left out so far, by the plan and by parts that are built."""
        return self.left_out_count + sum(part.left_out_count for part in self.parts.values())


@dataclass(frozen=True, slots=True)
class Product:
    """What an export has made; `name` is the project's, `volumes` are in order.

    `left_out_count` pages that were asked for were not ready, or went meanwhile, and are not among the `page_count`.
    """

    export_id: str
    project_id: str
    owner: str
    format: Format
    name: str
    volumes: tuple[Volume, ...]
    page_count: int
    left_out_count: int
    completed_at: str

    def to_output(self) -> dict[str, Any]:
        """Return it as the output of the workflow."""
        return {
            "projectId": self.project_id,
            "format": self.format,
            "name": self.name,
            "volumes": [{"key": v.key, "size": v.size, "pageCount": v.page_count} for v in self.volumes],
            "pageCount": self.page_count,
            "leftOutCount": self.left_out_count,
            "completedAt": self.completed_at,
        }

    @classmethod
    def from_output(cls, owner: str, export_id: str, output: dict[str, Any]) -> Self:
        """Read what `to_output` has given."""
        return cls(
            export_id=export_id,
            project_id=output["projectId"],
            owner=owner,
            format=Format(output["format"]),
            name=output["name"],
            volumes=tuple(Volume(v["key"], v["size"], v["pageCount"]) for v in output["volumes"]),
            page_count=output["pageCount"],
            left_out_count=output["leftOutCount"],
            completed_at=output["completedAt"],
        )
