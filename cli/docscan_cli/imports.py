"""Imports: PDFs and TIFFs of many pages, uploaded, taken apart by a workflow of the system's, and recognised.

What was begun is noted at every step. So a second call with the same file, told by its content, goes on: the system
makes one set of pages of it, however often it is uploaded to the same import.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from docscan_cli.api import Import, Page, Project, Upload
from docscan_cli.begun import Begun
from docscan_cli.connection import Connection
from docscan_cli.errors import DocscanError, InvalidInputError, RefusedError, ServerError, WaitTimeoutError
from docscan_cli.files import InputFile, project_name
from docscan_cli.progress import Stage
from docscan_cli.storage import upload
from docscan_cli.waiting import Watch
from docscan_cli.wording import counted, printable

FORM_SECONDS = 14 * 60
"""How long an upload's form is used: a minute less than it is valid."""
UPLOADS = 3
"""How many forms an upload is tried with."""

ADVICE = {
    "import-damaged": "Open the file in a viewer, print it to a new PDF, and import that.",
    "import-encrypted": "Save it without a password, and import that.",
    "import-unsupported": "Save it as PDF or TIFF, and import that.",
    "import-too-large": "Split it, and import the parts one after the other.",
    "import-too-many-pages": "Split it, and import the parts one after the other.",
    "quota-exceeded": "`docscan usage` shows what is left of the day; it is counted by UTC. Import it again tomorrow.",
    "page-failed": "Print the page to a new PDF, or leave it out, and import that.",
    "not-found": "Its project was deleted. Import it again for a new one.",
    "import-failed": "Import it again. If it stays so, the system's logs say why.",
}
"""What to do, by the reason's code."""


@dataclass(frozen=True)
class Destination:
    """Where an import goes: a project that is there, or (None) a new one named after the file."""

    project: Project | None
    recognise_anyway: bool

    def identity(self, source: InputFile) -> list[str]:
        """What two calls have in common that import the same. The file is read for it.

        Raises InvalidInputError where it cannot be.
        """
        try:
            with source.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise InvalidInputError(f"{source.name}: cannot be read: {error.strerror}.") from error
        return [digest, self.project["projectId"] if self.project else "", str(self.recognise_anyway)]


class Importer:
    """Imports a file. `record` is what an earlier call has done of it; `show` is given each stage's progress.

    Every method raises what Api's do.
    """

    def __init__(
        self,
        connection: Connection,
        source: InputFile,
        destination: Destination,
        record: Begun,
        show: Callable[[Stage], None],
        patience: float,
    ) -> None:
        self.source = source
        self._file_name = printable(source.path.name)
        self._connection = connection
        self._destination = destination
        self._record = record
        self._show = show
        self._patience = patience

    @property
    def finished(self) -> bool:
        """Whether an earlier call has seen the import through to its end."""
        return self._record.facts.get("finished", False)

    def finish(self) -> None:
        """Note that nothing is left to be done; of a second call, too."""
        import_id = self._record.facts["importId"]
        self._record.forget()
        self._record.note(importId=import_id, finished=True)

    async def find(self, *, again: bool = False) -> Import | None:
        """The import that was begun before, unless it has failed, is gone with its project, or `again` is asked for."""
        if again:
            self._record.forget()
        if import_id := self._record.facts.get("importId"):
            try:
                found = await self._connection.api.document_import(import_id)
                await self._connection.api.project(found["projectId"])
            except RefusedError as error:
                if error.code != "not-found":
                    raise
                self._record.forget()
            else:
                if found["status"] != "failed":
                    return found
                self._forget_failed(found)
        return None

    async def deliver(self, found: Import | None) -> str:
        """Begin the import, unless it is `found`, and upload the file, unless it is there. Returns the import's id.

        Raises InvalidInputError where the file cannot be read, ServerError where the storage refuses it.
        """
        if found is None:
            await self._begin()
        elif found["status"] != "awaiting-upload" or self._record.facts.get("uploaded"):
            return found["importId"]
        for attempt in range(1, UPLOADS + 1):
            if time.time() > self._record.facts["formEnds"]:
                await self._begin()  # nothing has come by the old form, and nothing can come any more
            form: Upload = self._record.facts["upload"]
            try:
                await self._upload(form)
                break
            except ServerError:
                if attempt == UPLOADS or time.time() < self._record.facts["formEnds"]:
                    raise
        self._record.note(uploaded=True)
        return self._record.facts["importId"]

    async def opened(self, import_id: str) -> None:
        """Wait until the system has opened the file: from then on its pages have their places in the project."""
        await self._follow(import_id, lambda now: "pageCount" in now)

    async def split(self, import_id: str) -> Import:
        """Wait until every page of the file is a page of the project.

        Raises RefusedError or ServerError with its reason where it has failed, and WaitTimeoutError.
        """
        return await self._follow(import_id, lambda _: False)

    async def recognised(self, done: Import) -> None:
        """Wait until no page of the project is left to be recognised. Raises WaitTimeoutError."""
        watch, stage = Watch(self._patience), Stage("Recognising")
        while True:
            project = await self._connection.api.project(done["projectId"])
            pages, awaiting = project["pagesByStatus"], project["pagesByStatus"]["awaiting-upload"]
            # Pages that had no image before, and will perhaps never have one, are not waited for.
            forsaken = min(awaiting, self._record.facts.get("awaitingBefore", 0))
            left = pages["recognising"] + awaiting - forsaken
            total = project["pageCount"] - forsaken
            changed = (stage.done, stage.total) != (total - left, total)
            stage.done, stage.total = total - left, total
            self._show(stage)
            if not left:
                return
            if changed:
                watch.changed()
            if watch.over:
                raise WaitTimeoutError(f"Nothing has changed for {self._patience:g} s; pages left: {left}.")
            await watch.pause(changed=changed)

    async def failed_pages(self, done: Import) -> list[str]:
        """The pages of the import that could not be recognised, each with its number in the project and its reason."""
        project = await self._connection.api.project(done["projectId"])
        found: list[str] = []
        if project["pagesByStatus"]["failed"]:
            number = 0
            async for page in self._connection.api.pages(done["projectId"]):
                number += 1
                if page["status"] == "failed" and await self._came_from(done, page):
                    reason = page["reason"]["message"] if "reason" in page else "no reason given"
                    found.append(f"page {number}: {printable(reason)}")
        return found

    async def _came_from(self, done: Import, listed: Page) -> bool:
        """Whether a page came from the import, which lists do not tell; one that has been deleted meanwhile did not."""
        try:
            page = await self._connection.api.page(listed["projectId"], listed["pageId"])
        except RefusedError:
            return False
        return page.get("importId") == done["importId"]

    async def _begin(self) -> None:
        api = self._connection.api
        project = self._destination.project or await self._own_project()
        form_ends = time.time() + FORM_SECONDS
        new = await api.create_import(
            project["projectId"], self.source.content_type, recognise_anyway=self._destination.recognise_anyway
        )
        self._record.note(
            importId=new["importId"],
            upload=new["upload"],
            formEnds=form_ends,
            awaitingBefore=project["pagesByStatus"]["awaiting-upload"],
        )

    async def _own_project(self) -> Project:
        """The project that was made for this file before, if it is still there, or a new one."""
        if project_id := self._record.facts.get("projectId"):
            try:
                return await self._connection.api.project(project_id)
            except RefusedError as error:
                if error.code != "not-found":
                    raise
        project = await self._connection.api.create_project(project_name([self.source], "Import"))
        self._record.note(projectId=project["projectId"])
        return project

    async def _upload(self, form: Upload) -> None:
        stage = Stage(f"Uploading {self._file_name}", in_bytes=True, total=self.source.size)

        def show_sent(position: int) -> None:
            stage.done = position
            self._show(stage)

        await upload(self._connection.client, form, self.source, show_sent)

    async def _follow(self, import_id: str, enough: Callable[[Import], bool]) -> Import:
        watch, before = Watch(self._patience), None
        stage = Stage(f"Taking {self._file_name} apart")
        while True:
            now = await self._connection.api.document_import(import_id)
            stage.done, stage.total = now["pagesDone"], now.get("pageCount")
            self._show(stage)
            if now["status"] == "failed":
                self._forget_failed(now)
                raise failed(now)
            if now["status"] == "completed" or enough(now):
                return now
            changed = before != (now["status"], stage.done, stage.total)
            before = now["status"], stage.done, stage.total
            if changed:
                watch.changed()
            if watch.over:
                raise WaitTimeoutError(f"Nothing has changed for {self._patience:g} s.")
            await watch.pause(changed=changed)

    def _forget_failed(self, found: Import) -> None:
        """Begin anew next time: in the same project if that was made for it and has got no page of it."""
        self._record.forget()
        if not (self._destination.project or found["pagesDone"]):
            self._record.note(projectId=found["projectId"])


def failed(found: Import) -> DocscanError:
    """What to tell of an import that has failed."""
    reason = found.get("reason", {"code": "import-failed", "message": "The import has failed."})
    pages = counted(found["pagesDone"], "page")
    made = f"What was made of it, {pages}, is in project {found['projectId']}." if found["pagesDone"] else ""
    message = "\n".join(filter(None, [printable(reason["message"]), made, ADVICE.get(reason["code"])]))
    return ServerError(message) if reason["code"] == "import-failed" else RefusedError(message, reason["code"])
