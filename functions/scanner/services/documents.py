"""A small project's PDF, searchable or typeset, built once for each state of the project."""

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import IO

from scanner import correction, text
from scanner.aws import bucket, pages_table, projects_table
from scanner.errors import ContendedError, NothingToExportError, PagesNotReadyError, ProjectTooLargeError
from scanner.page import Page, Status
from scanner.project import Project


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a project may be for a PDF. They bound time and, twice the images' bytes, temporary files.

    Pixels are packed where an image is neither a JPEG nor a plain PNG: 100 million take two seconds.
    """

    pages: int
    image_bytes: int
    packed_pixels: int
    characters: int

    def __str__(self) -> str:
        """Say it to a person."""
        return (
            f"{self.pages:,} pages, {self.image_bytes >> 20:,} MB of images, {self.characters:,} characters of text, "
            f"{self.packed_pixels // 1_000_000:,} megapixels of images other than JPEG and plain PNG"
        )


AT_ONCE = Limits(pages=100, image_bytes=150 << 20, packed_pixels=400_000_000, characters=400_000)
EXPORTED = Limits(pages=1_000, image_bytes=1_500 << 20, packed_pixels=4_000_000_000, characters=4_000_000)
"""An export has more time than a request, and more room."""

_VERSION = 2
"""To be raised when the same pages come to give another PDF than before."""

_MAX_FILENAME = 100


class Layout(StrEnum):
    """What is seen of a page: its image, or its text, typeset. The text is found and copied in both."""

    SCAN = "scan"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Document:
    """A link to a PDF, when it expires, how many pages are in it, and the pages that are not."""

    url: str
    expires_at: str
    page_count: int
    left_out: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a PDF of a project would be made of: the pages that are ready, by their numbers; and the others."""

    project: Project
    ready: dict[int, Page]
    left_out: tuple[Page, ...]
    limits: Limits


def document(owner: str, project_id: str, layout: Layout) -> Document:
    """Return a link to the PDF of a project's ready pages, in page order; build it if nobody did before.

    Raises NotFoundError, PagesNotReadyError, NothingToExportError, ProjectTooLargeError, ContendedError.
    """
    try:
        found = contents(owner, project_id, AT_ONCE)
        key = bucket.document_key(project_id, _digest(found.project, found.ready, layout))
        store(found, layout, key)
    except ProjectTooLargeError as error:
        message = f"This project is too large for a PDF at once ({error.message}). Use exports for it."
        raise ProjectTooLargeError(message) from error
    expires_at = bucket.link_expiry()
    url = bucket.link(key, filename=filename(found.project.name))
    return Document(url, expires_at, len(found.ready), found.left_out)


def contents(owner: str, project_id: str, limits: Limits) -> Contents:
    """Return what a PDF of a project would be made of now.

    Raises NotFoundError, PagesNotReadyError, NothingToExportError, ProjectTooLargeError with the limits as its message.
    """
    project = projects_table.get(owner, project_id)
    _check(project.pages_by_status[Status.RECOGNISING], project.pages_by_status[Status.READY], limits)
    pages = list(pages_table.all_of(project_id))
    ready = {number: page for number, page in enumerate(pages, 1) if page.status == Status.READY}
    _check(sum(page.status == Status.RECOGNISING for page in pages), len(ready), limits)
    return Contents(project, ready, tuple(page for page in pages if page.status != Status.READY), limits)


def store(made_of: Contents, layout: Layout, key: str) -> str | None:
    """Build the PDF and store it under `key`, if there is none yet; return the version that was written.

    Raises ProjectTooLargeError with the limits as its message, ContendedError.
    """
    if bucket.exists(key):
        return None
    with tempfile.TemporaryFile() as file:
        _build(made_of, layout, file)
        file.seek(0)
        return bucket.write(key, file, "application/pdf")


def filename(name: str) -> str:
    """Return what the PDF of a project of that name is called where it is saved."""
    return f"{name[:_MAX_FILENAME]}.pdf"


def _check(recognising: int, ready: int, limits: Limits) -> None:
    """Refuse what cannot become a PDF now: by the project's counters first, then by the pages themselves."""
    if recognising:
        raise PagesNotReadyError(f"Pages that are still being recognised: {recognising}. Try again when they are done.")
    if not ready:
        raise NothingToExportError("No page of this project is ready. Upload pages first.")
    if ready > limits.pages:
        raise ProjectTooLargeError(str(limits))


def _digest(project: Project, pages: dict[int, Page], layout: Layout) -> str:
    """Return what identifies the PDF: a hash over all that determines it."""
    parts = [[n, page.page_id, page.image_id, page.image_version, page.updated_at] for n, page in pages.items()]
    return hashlib.sha256(json.dumps([_VERSION, layout, project.name, parts]).encode()).hexdigest()


def _build(made_of: Contents, layout: Layout, file: IO[bytes]) -> None:
    newest = datetime.fromisoformat(max(page.updated_at for page in made_of.ready.values()))
    build = {Layout.SCAN: _build_searchable, Layout.TEXT: _build_typeset}[layout]
    build(made_of, newest, file)


def _build_searchable(made_of: Contents, created: datetime, file: IO[bytes]) -> None:
    from scanner import pdf  # takes fpdf2 and a third of a second, which a PDF that exists already does not need

    limits = made_of.limits
    count_bytes, count_pixels = _counter(limits.image_bytes, limits), _counter(limits.packed_pixels, limits)

    def read_image(page: Page) -> bytes:
        data = bucket.read(bucket.image_key(page), page.image_version)
        count_bytes(len(data))
        return data

    scanned = [
        pdf.ScannedPage(_text_with_geometry(page), partial(read_image, page), page.rotation)
        for page in made_of.ready.values()
    ]
    pdf.build(made_of.project.name, created, scanned, count_pixels, file)


def _build_typeset(made_of: Contents, created: datetime, file: IO[bytes]) -> None:
    from scanner import typeset_pdf  # takes HarfBuzz, too

    count_characters, typeset = _counter(made_of.limits.characters, made_of.limits), []
    for number, page in made_of.ready.items():
        content = _text(page)
        count_characters(len(content))
        typeset.append(typeset_pdf.TypesetPage(number, content))
    typeset_pdf.build(made_of.project.name, created, typeset, file)


def _counter(most: int, limits: Limits) -> Callable[[int], None]:
    """Return what is told of amounts, and raises ProjectTooLargeError once they come to more than `most`."""
    total = 0

    def count(amount: int) -> None:
        nonlocal total
        total += amount
        if total > most:
            raise ProjectTooLargeError(str(limits))

    return count


def _text(listed: Page) -> str:
    """Return a page's text, which lists of pages do not have."""
    page = _as_listed(listed)
    return text.from_json(bucket.read(bucket.words_key(page))).text if page.text is None else page.text


def _text_with_geometry(listed: Page) -> text.RecognisedText:
    """Return the text of a page, recognised or corrected, with the place of each word."""
    recognised = text.from_json(bucket.read(bucket.words_key(listed)))
    return correction.apply(_text(listed), recognised) if listed.corrected else recognised


def _as_listed(listed: Page) -> Page:
    """Return a listed page with its text. Raises ContendedError if it has changed since."""
    page = pages_table.get(listed.project_id, listed.page_id)
    if page is None or page.updated_at != listed.updated_at:
        raise ContendedError("The project has changed while its PDF was made. Try again.")
    return page
