"""Pages: one image each, and what has become of it.

    awaiting-upload → recognising → ready | failed      and back to awaiting-upload with a new image,
                                                        or to recognising with the same one

A page expects one image (`image_id`) and pins the version of it that arrives first (`image_version`); what comes of any
other image or version changes nothing. The methods return the page as it is after a transition; storing it under the
condition that it still was as before is the table's part.
"""

import time
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from scanner.errors import InvalidRequestError, PagesNotReadyError, SupersededError
from scanner.ids import new_id, timestamp

if TYPE_CHECKING:
    from scanner.edit import Edit
    from scanner.imports import Import
    from scanner.text import RecognisedText

CONTENT_TYPES = ("image/jpeg", "image/png", "image/tiff")
MAX_IMAGE_BYTES = 10 * 1024 * 1024
"""What Textract takes at once: https://docs.aws.amazon.com/textract/latest/dg/limits-document.html."""


class Status(StrEnum):
    """Where a page stands; each is also the name of a counter on the project."""

    AWAITING_UPLOAD = "awaiting-upload"
    RECOGNISING = "recognising"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a page failed: `code` for programs, `message` for the person who can do something about it."""

    code: str
    message: str


class TextSource(StrEnum):
    """Where a page's text comes from: its image was read, or the document that it was imported from had it."""

    RECOGNITION = "recognition"
    DOCUMENT = "document"


RECOGNITION_FAILED = Failure(
    "recognition-failed", "The text could not be recognised, although it was tried several times. Add the page again."
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page; or its summary, as lists have it, which has neither `text` nor `import_id` nor `text_source`.

    `position` orders the pages of a project. `rotation` is how many degrees clockwise the upright image is turned where
    it is shown, by the user's wish. `width` and `height` are pixels of the upright image, `confidence`
    is the mean over the words in per cent. `text` is None until the page is ready, and where it is too large for the
    table: then it is in the words object only. Where it is `corrected`, it is what the user wrote, while confidence and
    number of words, and the words object, stay what was recognised.

    `import_id` is the import that its image came from. `text_source` is None until the page is ready; but one that is
    imported with its text has DOCUMENT from the beginning, which tells recognition to leave its image alone.

    `asked_again_at` tells recognitions of the same image version apart: it is when the one that counts was asked for,
    None for the one that followed the upload. `moved_at` is when the page's place was last asked for. Both are
    milliseconds since the epoch.
    """

    project_id: str
    page_id: str
    owner: str
    position: Decimal
    status: Status
    image_id: str
    content_type: str
    created_at: str
    updated_at: str
    image_version: str | None = None
    text: str | None = None
    confidence: float | None = None
    word_count: int | None = None
    width: int | None = None
    height: int | None = None
    failure: Failure | None = None
    rotation: int = 0
    corrected: bool = False
    asked_again_at: int | None = None
    moved_at: int | None = None
    import_id: str | None = None
    text_source: TextSource | None = None

    @classmethod
    def create(cls, owner: str, project_id: str, position: Decimal, content_type: str) -> Self:
        """Make a new page, which awaits the upload of its image."""
        now = timestamp()
        return cls(
            project_id=project_id,
            page_id=new_id(),
            owner=owner,
            position=position,
            status=Status.AWAITING_UPLOAD,
            image_id=new_id(),
            content_type=content_type,
            created_at=now,
            updated_at=now,
        )

    def arrived(self, image_version: str) -> Self:
        """The expected image has arrived, in this version."""
        return self._after(Status.AWAITING_UPLOAD, status=Status.RECOGNISING, image_version=image_version)

    def recognised(self, text: "RecognisedText") -> Self:
        """Recognition has finished."""
        return self._after(
            Status.RECOGNISING,
            status=Status.READY,
            text_source=TextSource.RECOGNITION,
            text=text.text,
            confidence=text.confidence,
            word_count=text.word_count,
            width=text.width,
            height=text.height,
        )

    @classmethod
    def of_import(cls, imported: "Import", number: int, content_type: str, rotation: int, *, with_text: bool) -> Self:
        """Make the page of that number of an import; its image, and its text, are about to be stored."""
        page = cls.create(imported.owner, imported.project_id, imported.position(number), content_type)
        return replace(
            page,
            page_id=imported.page_id(number),
            image_id=imported.image_id(number),
            rotation=rotation,
            import_id=imported.import_id,
            text_source=TextSource.DOCUMENT if with_text else None,
        )

    def imported(self, image_version: str, text: "RecognisedText") -> Self:
        """The image is stored in this version, and with it the text that the document had."""
        return replace(self.arrived(image_version).recognised(text), text_source=TextSource.DOCUMENT)

    def failed(self, failure: Failure) -> Self:
        """Recognition has failed for good."""
        return self._after(Status.RECOGNISING, status=Status.FAILED, failure=failure)

    def replaced(self, content_type: str) -> Self:
        """The page starts again with a new image, whatever has become of the old one."""
        new = type(self).create(self.owner, self.project_id, self.position, content_type)
        return replace(new, page_id=self.page_id, created_at=self.created_at, moved_at=self.moved_at)

    def asked_again(self, at: int) -> Self:
        """Its image is to be recognised anew, and so it has no text until it is. Raises PagesNotReadyError."""
        if self.status not in {Status.READY, Status.FAILED}:
            raise PagesNotReadyError(f"This page is {self.status}: there is nothing to recognise again.")
        return replace(
            self,
            updated_at=timestamp(),
            status=Status.RECOGNISING,
            asked_again_at=at,
            text=None,
            text_source=None,
            corrected=False,
            confidence=None,
            word_count=None,
            width=None,
            height=None,
            failure=None,
        )

    def moved(self, position: Decimal, at: int) -> Self:
        """The user has asked `at` that moment for its place to be `position`."""
        return replace(self, updated_at=timestamp(), position=position, moved_at=at)

    def edited(self, edit: "Edit", position: Decimal) -> Self:
        """The user has changed it, and its place is now `position`. Raises PagesNotReadyError for the text of none."""
        changes: dict[str, Any] = {}
        if edit.moves:
            changes |= {"position": position, "moved_at": time.time_ns() // 1_000_000}
        if edit.rotation is not None:
            changes |= {"rotation": edit.rotation}
        if edit.text is not None:
            if self.status != Status.READY:
                raise PagesNotReadyError(
                    f"This page is {self.status}: only the text of a page that is ready can change."
                )
            changes |= {"text": edit.text, "corrected": True}
        return replace(self, updated_at=timestamp(), **changes)

    def _after(self, expected: Status, **changes: Any) -> Self:
        if self.status != expected:
            raise SupersededError(f"The page is {self.status}, not {expected}.")
        return replace(self, updated_at=timestamp(), **changes)


def content_type(value: object) -> str:
    """Return `value` if pages can be of that content type; raise InvalidRequestError otherwise."""
    if value not in CONTENT_TYPES or not isinstance(value, str):
        raise InvalidRequestError(f'Send the image\'s type, one of {", ".join(CONTENT_TYPES)}: {{"contentType": "…"}}.')
    return value
