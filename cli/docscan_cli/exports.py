"""Exports: documents of any size, made by a workflow of the system's, followed and fetched.

What was begun is noted before the system is told of it. So a second call with the same order goes on: with the wait, or
with the download, where the first one was cut off.
"""

import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from docscan_cli.api import Export, ExportedDocument, ExportOrder
from docscan_cli.begun import Begun, begun
from docscan_cli.connection import Connection
from docscan_cli.errors import DocscanError, InvalidInputError, RefusedError, ServerError, WaitTimeoutError
from docscan_cli.output import STDOUT, Format, beside, check_output, continuing, size_of, volumes
from docscan_cli.pages import page_ids
from docscan_cli.progress import Stage, showing_stages
from docscan_cli.storage import LinkRefusedError, download
from docscan_cli.waiting import Watch
from docscan_cli.wording import counted, printable, size

UNKNOWN_SECONDS = 60.0
"""How long an export that was just started may be unknown to the system."""

ADVICE = {
    "invalid-request": "Change the options, or update docscan if the system is newer.",
    "not-found": "`docscan projects` lists the projects that there are.",
    "pages-not-ready": "Start it again when they are ready; `docscan pages list PROJECT` shows them.",
    "nothing-to-export": "`docscan pages list PROJECT` shows the pages and why they are not ready.",
    "project-too-large": "Export it in parts: docscan export PROJECT --pages 1-1000, and so on.",
    "page-failed": "Leave the page out with --pages, or replace its image (`docscan pages replace`), and start again.",
    "export-failed": "Start it again: what is built already is used. If it stays so, the system's logs say why.",
    "stopped": "Start it again if you need it: what is built already is used.",
    "expired": "Start it again.",
}
"""What to do, by the reason's code."""


@dataclass(frozen=True)
class Order:
    """What is exported, and where it goes: a file, or STDOUT. `pages` are names of pages; None is all of them."""

    project_id: str
    format: Format
    target: Path
    force: bool
    pages: tuple[str, ...] | None = None
    language: str | None = None

    @property
    def identity(self) -> list[str | None]:
        """What two calls have in common that ask for the same."""
        target = str(self.target if self.target == STDOUT else self.target.resolve())  # as `-o` from another folder
        pages = None if self.pages is None else ",".join(self.pages)
        return [self.project_id, self.format, target, pages, self.language]


def begun_export(connection: Connection, order: Order) -> AbstractContextManager[Begun]:
    """What an earlier call has done of the same order; see `begun`."""
    return begun("export", connection.endpoint, connection.username, *order.identity)


class Exporter:
    """Carries out an order. `record` is what an earlier call has done of it; `say` is given what the user should know.

    Every method raises what Api's do.
    """

    def __init__(
        self, connection: Connection, order: Order, record: Begun, say: Callable[[str], None], patience: float
    ) -> None:
        self._connection = connection
        self._order = order
        self._record = record
        self._say = say
        self._patience = patience

    async def start(self, *, again: bool = False) -> None:
        """Start the export; or find the one that was begun before, unless it has ended badly or `again` is asked for.

        Raises RefusedError (`not-found`) for a page that is not there.
        """
        if again:
            self._record.forget()
        if self._record.facts:
            await self._acknowledge()
            export = await self._look()
            if export["status"] in {"running", "completed"}:
                started = export["startedAt"][:16].replace("T", " ")
                self._say(f"Going on with the export that was started at {started} UTC; --again starts another one.")
                return
            self._say(f"The export from before is of no use ({export['status']}), so another one is started.")
            self._record.forget()
        order = ExportOrder(projectId=self._order.project_id, format=self._order.format)
        if self._order.pages is not None:
            order["pages"] = await page_ids(self._connection.api, self._order.project_id, self._order.pages)
        if self._order.language:
            order["language"] = self._order.language
        self._record.note(exportId=str(uuid.uuid4()), order=order)
        try:
            await self._acknowledge()
        except RefusedError:
            self._record.forget()
            raise

    async def completed(self) -> Export:
        """Wait until the export is completed, showing progress.

        Raises RefusedError or ServerError with its reason where it has ended otherwise, and WaitTimeoutError.
        """
        watch, progress = Watch(self._patience), ExportProgress()
        with showing_stages() as show:
            while True:
                export = await self._look()
                changed = progress.take_over(export, show)
                if export["status"] != "running":
                    return self._useful(export)
                if changed:
                    watch.changed()
                if watch.over:
                    raise WaitTimeoutError(f"Nothing has changed for {self._patience:g} s.")
                await watch.pause(changed=changed)

    async def fetch(self, export: Export) -> None:
        """Fetch the documents of a completed export. Then nothing is left to go on with."""
        documents = export.get("documents", [])
        if self._order.target == STDOUT:
            await self._fetch_to_stdout(documents)
        else:
            await self._fetch_to_files(documents)
        self._record.forget()

    async def _acknowledge(self) -> None:
        await self._connection.api.start_export(self._record.facts["exportId"], self._record.facts["order"])

    async def _look(self) -> Export:
        """Where the export stands. It may be unknown for a moment after its start."""
        watch = Watch(UNKNOWN_SECONDS)
        while True:
            try:
                return await self._connection.api.export(self._record.facts["exportId"])
            except RefusedError as error:
                if error.code != "not-found" or watch.over:
                    raise
            await watch.pause(changed=False)

    def _useful(self, export: Export) -> Export:
        if export["status"] == "completed":
            return export
        self._record.forget()
        raise ended(export)

    async def _fetch_to_stdout(self, documents: list[ExportedDocument]) -> None:
        if len(documents) > 1:
            raise InvalidInputError(
                f"The export has {len(documents)} volumes, so it cannot go to stdout. Give the name of a file: -o FILE"
            )
        with tempfile.TemporaryFile() as file:  # nothing of it is written unless all of it has come
            with showing_stages() as show:
                await self._receive(0, documents[0], "the document", file, show)
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()

    async def _fetch_to_files(self, documents: list[ExportedDocument]) -> None:
        volumes_there = volumes(self._order.target, len(documents))
        written: dict[str, int] = self._record.facts.get("written", {})
        left = [n for n, target in enumerate(volumes_there) if written.get(str(n), -1) != size_of(target)]
        for number in left:
            check_output(volumes_there[number], force=self._order.force)
        with showing_stages() as show:
            for number in left:
                target = volumes_there[number]
                part = beside(target, f"{self._record.facts['exportId']}-{number}")
                known: dict[str, str] = self._record.facts.get("parts", {})
                self._record.note(parts={str(part): known.get(str(part), "")})  # so that it is not left behind
                with continuing(target, part) as file:
                    await self._receive(number, documents[number], printable(target.name), file, show, part)
                self._record.note(written=written | {str(number): documents[number]["size"]})
                written = self._record.facts["written"]
        for document, target in zip(documents, volumes_there, strict=True):
            pages = counted(document["pageCount"], "page")
            self._say(f"{printable(str(target))}: {pages}, {size(document['size'])}")

    async def _receive(
        self,
        number: int,
        document: ExportedDocument,
        name: str,
        file: BinaryIO,
        show: Callable[[Stage], None],
        part: Path | None = None,
    ) -> None:
        """Fetch a document, of which `file` may have a beginning, by as many links as it takes."""
        etag, refused_at = self._record.facts.get("parts", {}).get(str(part), ""), None
        stage = Stage(f"Downloading {name}", in_bytes=True, total=document["size"])

        def note_start(started: str) -> None:
            nonlocal etag
            etag = started
            if part:
                self._record.note(parts={str(part): etag})

        def show_received(received: int) -> None:
            stage.done = received
            show(stage)

        show_received(file.tell())
        while not etag or file.tell() < document["size"]:
            try:
                await download(
                    self._connection.client,
                    document["url"],
                    file,
                    etag=etag,
                    on_start=note_start,
                    on_received=show_received,
                )
                break
            except LinkRefusedError:
                if refused_at == file.tell():  # a new link is no better
                    raise
                refused_at = file.tell()
                export = self._useful(await self._look())
                document = export.get("documents", [])[number]
        if file.tell() != document["size"]:
            file.truncate(0)
            raise ServerError("The storage gave another document than the system has announced. Start again.")


class ExportProgress:
    """An export's stages, as they follow from what the system says of it."""

    def __init__(self) -> None:
        self._waiting, self._building, self._joining = Stage("Recognising"), Stage("Building"), Stage("Joining")
        self._seen: tuple[int, int, int] | None = None

    def take_over(self, export: Export, show: Callable[[Stage], None]) -> bool:
        """Show the stages that the export has reached. Returns whether that is news."""
        waiting, total = export.get("waitingFor", 0), export.get("pageCount", 0)
        completed = export["status"] == "completed"
        done = total if completed else export.get("pagesDone", 0)
        if waiting or self._waiting.total:
            self._waiting.total = max(self._waiting.total or 0, waiting)
            self._waiting.done = self._waiting.total - waiting
            show(self._waiting)
        if total and not waiting:
            self._building.total, self._building.done = total, done
            show(self._building)
            if done == total:
                if completed:
                    self._joining.total = self._joining.done = total
                show(self._joining)
        changed = self._seen != (waiting, done, total)
        self._seen = waiting, done, total
        return changed


def ended(export: Export) -> DocscanError:
    """What to tell of an export that has ended without documents."""
    reason = export.get("reason")
    code = reason["code"] if reason else export["status"]
    message = printable(reason["message"]) if reason else f"The export is {code}."
    message = "\n".join(filter(None, [message, ADVICE.get(code)]))
    return ServerError(message) if code == "export-failed" else RefusedError(message, code)
