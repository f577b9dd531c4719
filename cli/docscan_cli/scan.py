"""The scan: images become pages of a project, in order, and are followed until their text is recognised."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from docscan_cli import retry
from docscan_cli.api import Api, NewPage, Page, Part, Upload
from docscan_cli.connection import Connection
from docscan_cli.errors import InvalidInputError, ServerError, UnreachableError, WaitTimeoutError
from docscan_cli.files import InputFile
from docscan_cli.storage import upload
from docscan_cli.waiting import FIRST_LOOK, Watch
from docscan_cli.wording import printable

LOOK_PER_PAGE = 0.1
LONGEST_LOOK_AFTER_CHANGE = 2.0
"""Seconds between two looks at the pages after a change: the fewer are waited for the shorter."""


class State(StrEnum):
    """Where a page is on its way."""

    WAITING = "waiting"
    UPLOADING = "uploading"
    RECOGNISING = "recognising"
    READY = "ready"
    FAILED = "failed"

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen to the page."""
        return self in {State.READY, State.FAILED}


@dataclass
class PageProgress:
    """One page on its way. `number` counts in the project from 1, and is None until the project lists the page.

    `sent` is in bytes, `confidence` in per cent. `arrived` says that the image is in the project for sure.
    """

    image: InputFile | None = None
    page_id: str | None = None
    number: int | None = None
    state: State = State.WAITING
    sent: int = 0
    arrived: bool = False
    confidence: float | None = None
    reason: str = ""

    @property
    def label(self) -> str:
        """How the page is called in messages: by its file where it has one here."""
        if self.image is None:
            return f"page {self.number}"
        return self.image.name if self.number is None else f"{self.image.name} (page {self.number})"


class Destination(Protocol):
    """Where images become pages. `whole` says that it lists all pages of the project: then they have numbers."""

    @property
    def whole(self) -> bool: ...  # noqa: D102

    async def place(self, content_type: str) -> NewPage:
        """Make a place for an image of that type."""
        ...

    async def pages(self, cursor: str | None) -> Part[Page]:
        """The pages there are, in the part of the list that `cursor` leads to."""
        ...


@dataclass(frozen=True)
class EndOfProject:
    """Images are added to a project; all of its pages are followed."""

    api: Api
    project_id: str
    whole = True

    async def place(self, content_type: str) -> NewPage:
        """Make a new page."""
        return await self.api.create_page(self.project_id, content_type)

    async def pages(self, cursor: str | None) -> Part[Page]:
        """A part of the project's pages."""
        return await self.api.pages_from(self.project_id, cursor)


@dataclass(frozen=True)
class PlaceOfPage:
    """An image takes the place of a page's image; no other page is followed."""

    api: Api
    project_id: str
    page_id: str
    whole = False

    async def place(self, content_type: str) -> NewPage:
        """Let the page start again."""
        return await self.api.replace_image(self.project_id, self.page_id, content_type)

    async def pages(self, cursor: str | None) -> Part[Page]:  # noqa: ARG002 - there is one part
        """The page alone: nobody waits for the others, however many there are."""
        return {"items": [await self.api.page(self.project_id, self.page_id)]}


class Scan:
    """Brings `images` to their destination and waits for it.

    `pages` has the images' pages first, in order, then those that are being recognised from before: all that the
    results wait for. `on_change` is called with each page at first and whenever its state changes. At most `jobs`
    uploads run at a time; when nothing has changed for `patience` seconds, the wait ends with WaitTimeoutError.
    """

    def __init__(
        self,
        connection: Connection,
        destination: Destination,
        images: Sequence[InputFile],
        on_change: Callable[[PageProgress], None],
        *,
        jobs: int,
        patience: float,
    ) -> None:
        self.pages = [PageProgress(image) for image in images]
        self._connection = connection
        self._destination = destination
        self._on_change = on_change
        self._jobs = jobs
        self._patience = patience
        self._by_id: dict[str, PageProgress] = {}
        self._something_to_see = asyncio.Event()
        if not images:
            self._something_to_see.set()
        self._watch = Watch(patience)
        self._unsettled_from: tuple[str | None, int] = (None, 0)

    @property
    def failed(self) -> list[PageProgress]:
        """The pages that did not become ready, each with its reason."""
        return [page for page in self.pages if page.state is State.FAILED]

    async def run(self) -> None:
        """Upload, and wait until every page is settled. What one page fails of is in it and stops no other."""
        for page in self.pages:
            self._on_change(page)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow())
                await self._upload_all(tasks)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    async def look_again(self) -> None:
        """Wait for pages that others have added to the project since."""
        self._unsettled_from = (None, 0)
        await retry.pause(FIRST_LOOK)
        await self._follow()

    async def _upload_all(self, tasks: asyncio.TaskGroup) -> None:
        """Create the pages one after the other, which gives their order, each when an upload can start.

        (A form is valid for 15 minutes: created all at once, the last ones of a long scan would have expired.)
        """
        free = asyncio.Semaphore(self._jobs)
        for page in self.pages:
            if page.image is None:
                continue
            await free.acquire()
            created = await self._destination.place(page.image.content_type)
            page.page_id = created["pageId"]
            self._by_id[page.page_id] = page
            self._show(page, State.UPLOADING)
            task = tasks.create_task(self._upload(page, page.image, created["upload"]))
            task.add_done_callback(lambda _: free.release())

    async def _upload(self, page: PageProgress, image: InputFile, form: Upload) -> None:
        def on_sent(position: int) -> None:
            page.sent = position
            self._watch.changed()

        try:
            await upload(self._connection.client, form, image, on_sent)
        except (InvalidInputError, ServerError, UnreachableError) as error:
            # An answer that got lost can belong to an upload that arrived: then the page has gone on.
            if page.state is State.UPLOADING:
                page.reason = f"not uploaded: {error}"
                self._show(page, State.FAILED)
        else:
            page.arrived = True
            if page.state is State.UPLOADING:
                self._show(page, State.RECOGNISING)
        self._something_to_see.set()

    async def _follow(self) -> None:
        """Look at the project's pages until every page is settled."""
        await self._something_to_see.wait()
        while True:
            changed = await self._refresh()
            waiting = sum(not page.state.settled for page in self.pages)
            if not waiting:
                return
            if self._watch.over:
                waiting = ", ".join(page.label for page in self.pages if not page.state.settled)
                raise WaitTimeoutError(f"Nothing has changed for {self._patience:g} s. Not done yet: {waiting}.")
            shortest = min(FIRST_LOOK + LOOK_PER_PAGE * waiting, LONGEST_LOOK_AFTER_CHANGE)
            await self._watch.pause(changed=changed, shortest=shortest)

    async def _refresh(self) -> bool:
        """Look at the project's pages once: a call for each hundred, from the first hundred that is not settled."""
        changed = False
        cursor, number = self._unsettled_from
        all_settled = True
        while True:
            part = await self._destination.pages(cursor)
            for number, listed in enumerate(part["items"], number + 1):  # noqa: B020 - goes on counting
                changed |= self._note(listed, number)
                page = self._by_id.get(listed["pageId"])
                all_settled &= page is None or page.state.settled
            cursor = part.get("cursor")
            if not cursor:
                return changed
            if all_settled:
                self._unsettled_from = (cursor, number)

    def _note(self, listed: Page, number: int) -> bool:
        """Take over what the project says of a page. Returns whether that is news."""
        page = self._by_id.get(listed["pageId"])
        if page is None:
            if listed["status"] != "recognising":
                return False
            page = PageProgress(page_id=listed["pageId"])
            self._by_id[listed["pageId"]] = page
            self.pages.append(page)
        page.number = number if self._destination.whole else None
        match listed["status"]:
            case "ready":
                state = State.READY
                page.confidence = listed.get("confidence")
            case "failed":
                state = State.FAILED
                reason = listed.get("reason")
                page.reason = printable(reason["message"]) if reason else "no reason given"
            case "recognising":
                state = State.RECOGNISING
            case _:  # what was just uploaded is still announced as awaited, until its arrival is noticed
                return False
        page.arrived = True
        if state is page.state:
            return False
        self._show(page, state)
        return True

    def _show(self, page: PageProgress, state: State) -> None:
        page.state = state
        self._watch.changed()
        self._on_change(page)
