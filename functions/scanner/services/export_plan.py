"""The plan of an export: which pages it has, in which order, once all of them are recognised."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from scanner.aws import bucket, exports_table, pages_table, projects_table
from scanner.errors import (
    InvalidRequestError,
    NotFoundError,
    NothingToExportError,
    PagesNotReadyError,
    ProjectTooLargeError,
)
from scanner.export import MAX_PAGES, PART_PAGES, Attempt, Order, PlannedPart
from scanner.page import Page, Status
from scanner.project import Project

LONGEST_WAIT = timedelta(minutes=10)
"""For pages to be recognised, from the start of the export."""

_NAMED = 10
"""Pages that a message names; of more, it says how many there are."""


def plan(owner: str, export_id: str, body: object, started_at: datetime) -> Attempt | None:
    """Pin the pages of the export that `body` asks for; or say for how many it waits, if it still may.

    Pages that are not ready and not on their way are left out. Doing it again makes a new plan of what is there then.
    Returns None if the export has ended meanwhile. Raises InvalidRequestError, NotFoundError, PagesNotReadyError,
    NothingToExportError, ProjectTooLargeError.
    """
    order = Order.parse(body)
    project = projects_table.get(owner, order.project_id)
    asked = _asked(order)
    recognising = [number for number, page in asked if page.status == Status.RECOGNISING]
    ready = [(number, page) for number, page in asked if page.status == Status.READY]
    if len(ready) + len(recognising) > MAX_PAGES:
        raise ProjectTooLargeError(
            f"An export has at most {MAX_PAGES:,} pages; this one would have {len(ready) + len(recognising):,}. "
            "Export some of the pages at a time: name them in `pages`."
        )
    if not recognising and not ready:
        raise NothingToExportError("None of these pages is ready. Upload their images first.")
    if recognising and datetime.now(UTC) - started_at > LONGEST_WAIT:
        raise PagesNotReadyError(
            f"Still being recognised after {LONGEST_WAIT.seconds // 60} minutes: {numbered(recognising)}. "
            "Export again when they are done, or without them."
        )
    attempt = _attempt(export_id, project, order, ready, len(asked), len(recognising))
    if not recognising:
        attempt = _pinned(attempt, ready)
    return attempt if exports_table.put(attempt) else None


def pages_of(attempt: Attempt, number: int) -> list[tuple[int, str]]:
    """Return number and id of each page that is planned for a part. Raises MissingObjectError."""
    listed = json.loads(bucket.read(bucket.plan_key(attempt.project_id, attempt.export_id), attempt.plan_version))
    return [(page, page_id) for page, page_id in islice(listed, number * PART_PAGES, (number + 1) * PART_PAGES)]


def numbered(pages: Sequence[int]) -> str:
    """Say which pages these are: `page 7`, `pages 3, 7 and 12`, `pages 1, 2, … and 40 more`."""
    if len(pages) == 1:
        return f"page {pages[0]}"
    more = len(pages) - _NAMED
    named, last = (pages[:_NAMED], f"{more:,} more") if more > 0 else (pages[:-1], str(pages[-1]))
    return f"pages {', '.join(map(str, named))} and {last}"


def _asked(order: Order) -> list[tuple[int, Page]]:
    """Return the pages that are asked for, with their numbers in the project."""
    pages = enumerate(pages_table.all_of(order.project_id), 1)
    if order.page_ids is None:
        return list(pages)
    asked = [(number, page) for number, page in pages if page.page_id in order.page_ids]
    if missing := set(order.page_ids) - {page.page_id for _, page in asked}:
        raise InvalidRequestError(
            f"`pages` names {len(missing):,} that this project does not have, {min(missing)} among them."
        )
    return asked


def _attempt(
    export_id: str, project: Project, order: Order, ready: list[tuple[int, Page]], asked: int, recognising: int
) -> Attempt:
    return Attempt(
        owner=project.owner,
        export_id=export_id,
        project_id=project.project_id,
        format=order.format,
        language=order.language,
        name=project.name,
        changed_at=max((page.updated_at for _, page in ready), default=project.created_at),
        plan_version=None,
        page_count=len(ready),
        left_out_count=asked - len(ready) - recognising,
        waiting_for=recognising,
    )


def _pinned(attempt: Attempt, ready: list[tuple[int, Page]]) -> Attempt:
    """Store the list of pages, and return the attempt with it. Raises NotFoundError."""
    key = bucket.plan_key(attempt.project_id, attempt.export_id)
    listed = json.dumps([[number, page.page_id] for number, page in ready], separators=(",", ":"))
    version = bucket.write(key, listed.encode(), "application/json")
    try:
        projects_table.get(attempt.owner, attempt.project_id)
    except NotFoundError:  # and whatever deletes the project may have been here before
        bucket.delete_version(key, version)
        raise
    parts = (ready[start : start + PART_PAGES] for start in range(0, len(ready), PART_PAGES))
    planned = (PlannedPart(number, part[0][0], part[-1][0]) for number, part in enumerate(parts))
    return replace(attempt, plan_version=version, planned=tuple(planned))
