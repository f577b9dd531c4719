"""A small project's searchable PDF, built once for each state of the project."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from scanner import text
from scanner.aws import bucket, pages_table, projects_table
from scanner.errors import NothingToExportError, PagesNotReadyError, ProjectTooLargeError
from scanner.ids import timestamp
from scanner.page import Page, Status
from scanner.project import Project

MAX_PAGES = 100
MAX_IMAGE_BYTES = 150 * 1024 * 1024
"""Both bound the time of a request and, at twice the images' size, the function's memory."""

_LAYOUT = 1
"""To be raised when the same pages come to give another PDF than before."""

_MAX_FILENAME = 100


@dataclass(frozen=True, slots=True)
class SearchablePdf:
    """A link to a PDF, when it expires, how many pages are in it, and the pages that are not."""

    url: str
    expires_at: str
    page_count: int
    left_out: tuple[Page, ...]


def searchable_pdf(owner: str, project_id: str) -> SearchablePdf:
    """Return a link to the PDF of a project's ready pages, in page order; build it if nobody did before.

    Raises NotFoundError, PagesNotReadyError, NothingToExportError, ProjectTooLargeError.
    """
    project = projects_table.get(owner, project_id)
    _check(project.pages_by_status[Status.RECOGNISING], project.pages_by_status[Status.READY])
    pages = list(pages_table.all_of(project_id))
    ready = [page for page in pages if page.status == Status.READY]
    _check(sum(page.status == Status.RECOGNISING for page in pages), len(ready))
    key = bucket.document_key(project_id, _digest(project, ready))
    if not bucket.exists(key):
        bucket.write(key, _build(project, ready), "application/pdf")
    expires_at = timestamp(datetime.now(UTC) + timedelta(seconds=bucket.LINK_SECONDS))
    url = bucket.link(key, filename=f"{project.name[:_MAX_FILENAME]}.pdf")
    left_out = tuple(page for page in pages if page.status != Status.READY)
    return SearchablePdf(url, expires_at, len(ready), left_out)


def _check(recognising: int, ready: int) -> None:
    """Refuse what cannot become a PDF now: by the project's counters first, then by the pages themselves."""
    if recognising:
        raise PagesNotReadyError(f"Pages that are still being recognised: {recognising}. Try again when they are done.")
    if not ready:
        raise NothingToExportError("No page of this project is ready. Upload pages first.")
    if ready > MAX_PAGES:
        raise _too_large()


def _too_large() -> ProjectTooLargeError:
    limits = f"{MAX_PAGES} pages and {MAX_IMAGE_BYTES >> 20} MB of images"
    return ProjectTooLargeError(f"This project is too large for a PDF at once ({limits}). Use exports for it.")


def _digest(project: Project, pages: list[Page]) -> str:
    """Return what identifies the PDF: a hash over all that determines it."""
    parts = [[page.page_id, page.image_id, page.image_version, page.updated_at] for page in pages]
    return hashlib.sha256(json.dumps([_LAYOUT, project.name, parts]).encode()).hexdigest()


def _build(project: Project, pages: list[Page]) -> bytearray:
    from scanner import pdf  # takes fpdf2 and a third of a second, which a PDF that exists already does not need

    total = 0

    def read_image(page: Page) -> bytes:
        nonlocal total
        data = bucket.read(bucket.image_key(page), page.image_version)
        total += len(data)
        if total > MAX_IMAGE_BYTES:
            raise _too_large()
        return data

    scanned = [
        pdf.ScannedPage(text.from_json(bucket.read(bucket.words_key(page))), partial(read_image, page))
        for page in pages
    ]
    newest = max(page.updated_at for page in pages)
    return pdf.build(project.name, datetime.fromisoformat(newest), scanned)
