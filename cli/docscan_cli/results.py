"""What comes out of a project: its PDF and its text, of the pages that are ready."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from docscan_cli.api import Page
from docscan_cli.connection import Connection
from docscan_cli.errors import RefusedError, WaitTimeoutError
from docscan_cli.output import Layout, replacing
from docscan_cli.scan import Scan
from docscan_cli.storage import download
from docscan_cli.wording import printable

READS_AT_A_TIME = 4


@dataclass(frozen=True)
class MissingPage:
    """A page that is not in the result. `number` counts in the project from 1."""

    page_id: str
    number: int
    reason: str


@dataclass(frozen=True)
class Contents:
    """The pages of a project: those a result has, and those it lacks."""

    ready: list[Page]
    missing: list[MissingPage]


async def contents(connection: Connection, project_id: str) -> Contents:
    """Which pages a result has. Raises RefusedError (`nothing-to-export`) if there is none."""
    ready: list[Page] = []
    missing: list[MissingPage] = []
    number = 0
    async for page in connection.api.pages(project_id):
        number += 1
        if page["status"] == "ready":
            ready.append(page)
        else:
            missing.append(MissingPage(page["pageId"], number, _why_missing(page)))
    if not ready:
        raise RefusedError("The project has no page that is ready, so there is nothing to write.", "nothing-to-export")
    return Contents(ready, missing)


async def text_of(connection: Connection, pages: list[Page]) -> bytes:
    """The pages' text in UTF-8, one after the other with a form feed between them."""
    free = asyncio.Semaphore(READS_AT_A_TIME)

    async def read(page: Page) -> str:
        async with free:
            return (await connection.api.page(page["projectId"], page["pageId"])).get("text", "")

    try:
        async with asyncio.TaskGroup() as tasks:
            reads = [tasks.create_task(read(page)) for page in pages]
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    return ("\n\f".join(read.result().rstrip("\n") for read in reads) + "\n").encode("utf-8", "replace")


async def write_text(connection: Connection, pages: list[Page], target: Path) -> None:
    """Write the pages' text to `target`."""
    text = await text_of(connection, pages)
    with replacing(target) as file:
        file.write(text)


@dataclass(frozen=True)
class WrittenPdf:
    """A PDF that has been written; its size is in bytes."""

    page_count: int
    size: int


async def write_pdf(
    connection: Connection, project_id: str, layout: Layout, target: Path, scan: Scan, patience: float
) -> WrittenPdf:
    """Write the project's PDF to `target`.

    While others add pages, the PDF waits for them: `scan` follows them, for at most about `patience` seconds.
    """
    give_up_at = monotonic() + patience
    while True:
        try:
            pdf = await connection.api.pdf(project_id, layout)
            break
        except RefusedError as error:
            if error.code != "pages-not-ready":
                raise
            if monotonic() > give_up_at:
                raise WaitTimeoutError(str(error)) from error
        await scan.look_again()
    with replacing(target) as file:
        return WrittenPdf(pdf["pageCount"], await download(connection.client, pdf["url"], file))


def _why_missing(page: Page) -> str:
    if page["status"] == "failed":
        return printable(page["reason"]["message"]) if "reason" in page else "no reason given"
    return "no image was uploaded" if page["status"] == "awaiting-upload" else "is still being recognised"
