"""The parts of exports: some pages each, built side by side, and kept by content, so that another attempt finds them.

A page is exported as it is when its part is built: its item is read once, and what that names is what is shown. Where
its image is replaced in that moment, and is gone before it is read, the part begins anew; so a page is wholly old or
wholly new.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import IO

from scanner import exported_text
from scanner.aws import bucket, exports_table, pages_table, projects_table
from scanner.errors import MissingObjectError, NotFoundError, UnfinishedError
from scanner.export import Attempt, Format, Part
from scanner.page import Page, Status
from scanner.services import export_cleanup, export_plan, page_texts
from scanner.sheets import Sheets

_VERSION = 1
"""To be raised when the same pages come to give other parts than before."""

_BEGINNINGS = 3
"""How often a part is begun while images of its pages are being replaced; then it is a fault, to be tried later."""

SHEETS = "sheets"
"""The note beside a part that is a PDF: which pages it shows on how many sheets each."""

_TITLE = "Part of an export"

type Pages = Mapping[int, Page]
"""Pages that are ready, with their texts, by their numbers in the project."""

type Watch = Callable[[int | None], None]
"""Is told the number of each page before it is read, and None before what is about no page or about all of them."""

type Build = Callable[[Pages, Watch, IO[bytes]], Mapping[str, str]]
"""Writes a part, and returns what to note beside it."""


def build(owner: str, export_id: str, number: int, watch: Watch) -> Part | None:
    """Build a part of an export, or find it built, and note it; doing it again is the same.

    Returns None if the export has ended meanwhile: then nothing of it stays. Raises NotFoundError where the project is
    gone; and faults, after which it is to be tried again, UnfinishedError among them where a page is being recognised.
    """
    attempt = exports_table.get(owner, export_id)
    if attempt is None or attempt.ended_at or number >= len(attempt.planned):
        return None
    if number in attempt.parts:
        return attempt.parts[number]
    projects_table.get(owner, attempt.project_id)
    part = _begun(attempt, export_plan.pages_of(attempt, number), watch, _BEGINNINGS)
    if exports_table.add_part(attempt, number, part):
        return part
    export_cleanup.discard(attempt, [part])
    return None


def _begun(attempt: Attempt, planned: list[tuple[int, str]], watch: Watch, beginnings: int) -> Part:
    """Build a part of the pages as they are now; begin again, up to so often in all, where one changes meanwhile."""
    try:
        return _built(attempt, planned, watch)
    except MissingObjectError:
        if beginnings == 1:
            raise
    return _begun(attempt, planned, watch, beginnings - 1)


def _built(attempt: Attempt, planned: list[tuple[int, str]], watch: Watch) -> Part:
    pages = _ready(attempt.project_id, planned, watch)
    left_out = len(planned) - len(pages)
    if not pages:
        return Part("", 0, 0, left_out)
    digest = _digest(attempt.format, pages)
    key = bucket.part_key(attempt.project_id, digest, attempt.format.extension)
    size = bucket.sizes_below(key).get(key)
    if size is None:
        with tempfile.TemporaryFile() as file:
            notes = _BUILDS[attempt.format](pages, watch, file)
            watch(None)
            size = file.tell()
            file.seek(0)
            version = bucket.write(key, file, attempt.format.content_type, notes)
        try:
            projects_table.get(attempt.owner, attempt.project_id)
        except NotFoundError:  # and whatever deletes the project may have been here before
            bucket.delete_version(key, version)
            raise
    return Part(digest, size, len(pages), left_out)


def _ready(project_id: str, planned: list[tuple[int, str]], watch: Watch) -> dict[int, Page]:
    """Return the planned pages as they are now, without those that are not ready any more. Raises UnfinishedError."""
    pages = {}
    for number, page_id in planned:
        watch(number)
        page = pages_table.get(project_id, page_id)
        if page and page.status == Status.RECOGNISING:
            raise UnfinishedError(f"Page {number} is being recognised.")
        if page and page.status == Status.READY:
            pages[number] = page
    watch(None)
    return pages


def _digest(format_: Format, pages: Pages) -> str:
    """Return what identifies the part: a hash over all that determines it."""
    parts = [
        [number, page.page_id, page.image_id, page.image_version, page.asked_again_at, page.updated_at]
        for number, page in pages.items()
    ]
    return hashlib.sha256(json.dumps([_VERSION, format_, parts]).encode()).hexdigest()


def _build_searchable(pages: Pages, watch: Watch, file: IO[bytes]) -> Mapping[str, str]:
    from scanner import pdf  # takes fpdf2 and a third of a second, which a part that is there already does not need

    def reader(number: int, page: Page) -> Callable[[], bytes]:
        def read_image() -> bytes:
            watch(number)
            return bucket.read(bucket.image_key(page), page.image_version)

        return read_image

    scanned = [
        pdf.ScannedPage(number, page_texts.with_geometry(page), reader(number, page), page.rotation)
        for number, page in _watched(pages, watch)
    ]
    return _sheets(pdf.build(_TITLE, _newest(pages), scanned, lambda _: None, file))


def _build_typeset(pages: Pages, watch: Watch, file: IO[bytes]) -> Mapping[str, str]:
    from scanner import typeset_pdf  # takes HarfBuzz, too

    typeset = [typeset_pdf.TypesetPage(number, page_texts.text_of(page)) for number, page in _watched(pages, watch)]
    return _sheets(typeset_pdf.build(_TITLE, _newest(pages), typeset, file))


def _build_plain(pages: Pages, watch: Watch, file: IO[bytes]) -> Mapping[str, str]:
    exported_text.write_plain((page_texts.text_of(page) for _, page in _watched(pages, watch)), file)
    return {}


def _build_json(pages: Pages, watch: Watch, file: IO[bytes]) -> Mapping[str, str]:
    described = (
        exported_text.json_page(number, page, page_texts.recognised(page)) for number, page in _watched(pages, watch)
    )
    exported_text.write_json(described, file)
    return {}


_BUILDS: Mapping[Format, Build] = {
    Format.PDF: _build_searchable,
    Format.TEXT_PDF: _build_typeset,
    Format.TXT: _build_plain,
    Format.JSON: _build_json,
}


def _watched(pages: Pages, watch: Watch) -> Iterator[tuple[int, Page]]:
    for number, page in pages.items():
        watch(number)
        yield number, page
    watch(None)


def _newest(pages: Pages) -> datetime:
    return datetime.fromisoformat(max(page.updated_at for page in pages.values()))


def _sheets(sheets: Iterable[Sheets]) -> Mapping[str, str]:
    return {SHEETS: " ".join(f"{of.number}:{of.count}" for of in sheets)}


def parse_sheets(noted: str) -> list[Sheets]:
    """Return the sheets that are noted beside a part that is a PDF."""
    return [Sheets(*map(int, one.split(":"))) for one in noted.split()]
