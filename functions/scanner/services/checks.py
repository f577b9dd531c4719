"""Checks of a project before it is exported: what would be missing, what is weak, how long it would take."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.aws import pages_table, projects_table
from scanner.page import Page, Status

MAX_FINDINGS = 200
"""An express workflow's output has 256 KiB at most; so many findings are a quarter of that."""

WEAK_CONFIDENCE = 80.0
"""Per cent, the mean over a page's words. Below it, pages have so many misread words that they are worth a look."""

_SECONDS_TO_START = 5.0
_SECONDS_A_PAGE = 0.04
"""Two objects to read from S3, some 60 ms each, and 15 ms of work (docs/performance.md), in four parts at once."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a page, the `number`th of its project: `code` for programs, `message` for people."""

    page_id: str
    number: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Check:
    """What was found. `findings` are the first of `finding_count`; `export_seconds` is an estimate."""

    ready: bool
    page_count: int
    pages_by_status: dict[str, int]
    finding_count: int
    findings: list[Finding]
    export_seconds: int


def check(owner: str, project_id: str) -> Check:
    """Check a project. It is ready if it has pages, and all of them are; weak ones do not keep it back.

    Raises NotFoundError.
    """
    projects_table.get(owner, project_id)
    pages = list(pages_table.all_of(project_id))
    statuses = Counter(page.status for page in pages)
    findings = [finding for number, page in enumerate(pages, 1) for finding in _findings(number, page)]
    return Check(
        ready=bool(pages) and statuses[Status.READY] == len(pages),
        page_count=len(pages),
        pages_by_status={status: statuses[status] for status in Status},
        finding_count=len(findings),
        findings=findings[:MAX_FINDINGS],
        export_seconds=math.ceil(_SECONDS_TO_START + _SECONDS_A_PAGE * statuses[Status.READY]),
    )


def _findings(number: int, page: Page) -> Iterator[Finding]:
    code, message = None, ""
    match page.status:
        case Status.AWAITING_UPLOAD:
            code, message = "image-missing", "No image has been uploaded. Upload it, or delete the page."
        case Status.RECOGNISING:
            code, message = "still-recognising", "The page is still being recognised. Try again when it is done."
        case Status.FAILED:
            reason = page.failure.message if page.failure else "It could not be recognised."
            code, message = "failed", reason
        case Status.READY if page.corrected:
            pass  # somebody has read it
        case Status.READY if not page.word_count:
            code, message = "no-text", "No text was found. If there should be some, take the picture again."
        case Status.READY if (page.confidence or 0) < WEAK_CONFIDENCE:
            code = "weak"
            message = f"Read with a confidence of {page.confidence:.0f} %. Read it over, or take the picture again."
    if code:
        yield Finding(page.page_id, number, code, message)
