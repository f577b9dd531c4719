"""Exports: what is asked for, and what comes out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from scanner.errors import InvalidRequestError
from scanner.ids import is_id


class Format(StrEnum):
    """What an export is: the images under invisible text, or the text, typeset."""

    PDF = "pdf"
    TEXT_PDF = "text-pdf"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be exported, and how."""

    project_id: str
    format: Format

    @classmethod
    def parse(cls, body: object) -> Self:
        """Read what was sent to start an export. Raises InvalidRequestError."""
        if not isinstance(body, dict) or not is_id(body.get("projectId")):
            raise InvalidRequestError('Send the id of the project to export: {"projectId": "…"}.')
        wanted = body.get("format", Format.PDF)
        if wanted not in list(Format):
            raise InvalidRequestError(f"`format` is one of {', '.join(Format)}.")
        return cls(body["projectId"], Format(wanted))


@dataclass(frozen=True, slots=True)
class Product:
    """What an export has made; `name` is the project's, `key` the document's in the bucket.

    `left_out_count` pages of the project were not ready, and are not among the `page_count`.
    """

    export_id: str
    project_id: str
    owner: str
    format: Format
    name: str
    key: str
    page_count: int
    left_out_count: int
    completed_at: str

    def to_output(self) -> dict[str, Any]:
        """Return it as the output of the workflow."""
        return {
            "projectId": self.project_id,
            "format": self.format,
            "name": self.name,
            "key": self.key,
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
            key=output["key"],
            page_count=output["pageCount"],
            left_out_count=output["leftOutCount"],
            completed_at=output["completedAt"],
        )
