"""The scanner's HTTP API, typed: the dictionaries are its JSON, by its contract (api/scanner.yaml).

Every call is repeated when the network or the system stumbles. Reads, changes and deletions lose nothing by that. A
creation whose answer got lost may leave an empty project, or a page or an import without a file behind, which no
document contains.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal, NotRequired, TypedDict
from urllib.parse import quote

import httpx

from docscan_cli.errors import DocscanError, RefusedError, ServerError, SignInError
from docscan_cli.output import Layout
from docscan_cli.retry import QUOTA_EXCEEDED, TRANSIENT_STATUSES, retrying
from docscan_cli.wording import printable

type ExportStatus = Literal["running", "completed", "failed", "stopped", "expired"]
type ImportStatus = Literal["awaiting-upload", "running", "completed", "failed"]
type PageStatus = Literal["awaiting-upload", "recognising", "ready", "failed"]

LIST_LIMIT = 100
"""The most items that one call of a list gives."""


class Project(TypedDict):
    """A project; its pages are counted by status."""

    projectId: str
    name: str
    createdAt: str
    pageCount: int
    pagesByStatus: dict[PageStatus, int]


class FailureReason(TypedDict):
    """Why a page, an export or an import failed, and what to do."""

    code: str
    message: str


class Page(TypedDict):
    """A page. Ready ones have a confidence (per cent) and a count of words, failed ones a reason.

    `rotation` is in degrees, clockwise. `text` comes only when a single page is read.
    """

    pageId: str
    projectId: str
    position: float
    rotation: int
    status: PageStatus
    contentType: str
    createdAt: str
    updatedAt: str
    corrected: NotRequired[bool]
    confidence: NotRequired[float]
    wordCount: NotRequired[int]
    thumbnailUrl: NotRequired[str]
    importId: NotRequired[str]
    text: NotRequired[str]
    imageUrl: NotRequired[str]
    reason: NotRequired[FailureReason]


class Upload(TypedDict):
    """A form to POST to S3 with the file as its last field `file`, within 15 minutes."""

    url: str
    fields: dict[str, str]


class NewPage(TypedDict):
    """A page that has just been created, or starts again, and where its image goes."""

    pageId: str
    upload: Upload


class Part[Item](TypedDict):
    """A part of a list. `cursor` leads to the next part; the last has none."""

    items: list[Item]
    cursor: NotRequired[str]


class LeftOut(TypedDict):
    """A page that a PDF does not contain."""

    pageId: str
    status: PageStatus


class Pdf(TypedDict):
    """A link to a project's PDF, and what is not in it."""

    url: str
    expiresAt: str
    pageCount: int
    leftOut: list[LeftOut]


class Words(TypedDict):
    """A link to what was recognised of a page: JSON, `RecognisedText` of the contract."""

    url: str
    expiresAt: str


class Quota(TypedDict):
    """What a user may upload."""

    pagesPerDay: int


class UsedOnDay(TypedDict):
    """Pages that a user uploaded and had recognised on a day of UTC, `2026-11-21`."""

    day: str
    uploaded: int
    recognised: int


class Usage(TypedDict):
    """What a user may upload in a day, and has used of late: newest day first, the first one is today."""

    quota: Quota
    days: list[UsedOnDay]


class Configuration(TypedDict):
    """What the system says of itself beforehand: limits by name, and which features are switched on."""

    limits: dict[str, int]
    features: dict[str, bool]


class ExportOrder(TypedDict):
    """What an export is to have. `pages` are ids; without them, it has all pages."""

    projectId: str
    format: str
    pages: NotRequired[list[str]]
    language: NotRequired[str]


class ExportedDocument(TypedDict):
    """A link to a document of an export, and its size in bytes."""

    url: str
    filename: str
    size: int
    pageCount: int


class Export(TypedDict):
    """Where an export stands: while it runs, pages done and those that it waits for; then documents, or a reason."""

    exportId: str
    status: ExportStatus
    startedAt: str
    pageCount: NotRequired[int]
    pagesDone: NotRequired[int]
    waitingFor: NotRequired[int]
    leftOutCount: NotRequired[int]
    documents: NotRequired[list[ExportedDocument]]
    reason: NotRequired[FailureReason]


class Import(TypedDict):
    """Where an import stands. `pageCount` is the file's; `pagesDone` of them are pages of the project by now."""

    importId: str
    projectId: str
    status: ImportStatus
    createdAt: str
    pageCount: NotRequired[int]
    pagesDone: int
    pagesWithText: int
    reason: NotRequired[FailureReason]


class NewImport(Import):
    """An import that has just been begun, and where its file goes."""

    upload: Upload


class Accepted(TypedDict):
    """The answer that says nothing more than that it will be done."""


class Api:
    """The scanner API at `endpoint`.

    Every method raises UnreachableError, SignInError, ServerError or RefusedError.
    """

    def __init__(self, client: httpx.AsyncClient, endpoint: str, auth: httpx.Auth) -> None:
        self._client = client
        self._endpoint = endpoint
        self._auth = auth

    async def configuration(self) -> Configuration:
        """The limits and features that clients should know."""
        return await self._call(Configuration, "GET", "config")

    async def create_project(self, name: str) -> Project:
        """Create a project."""
        return await self._call(Project, "POST", "projects", body={"name": name})

    async def project(self, project_id: str) -> Project:
        """Read a project."""
        return await self._call(Project, "GET", "projects", project_id)

    def projects(self) -> AsyncIterator[Project]:
        """All projects, newest first."""
        return self._items(Project, "projects")

    async def rename_project(self, project_id: str, name: str) -> Project:
        """Give a project another name."""
        return await self._call(Project, "PATCH", "projects", project_id, body={"name": name})

    async def delete_project(self, project_id: str) -> None:
        """Delete a project with its pages and images."""
        await self._call(Accepted, "DELETE", "projects", project_id)

    async def create_page(self, project_id: str, content_type: str) -> NewPage:
        """Add a page at the end of a project."""
        return await self._call(NewPage, "POST", "projects", project_id, "pages", body={"contentType": content_type})

    def pages(self, project_id: str) -> AsyncIterator[Page]:
        """All pages of a project, in page order."""
        return self._items(Page, "projects", project_id, "pages")

    async def pages_from(self, project_id: str, cursor: str | None) -> Part[Page]:
        """The part of a project's pages that `cursor` leads to; without one, the first."""
        return await self._part(Page, cursor, "projects", project_id, "pages")

    async def page(self, project_id: str, page_id: str) -> Page:
        """Read a page with its text."""
        return await self._call(Page, "GET", "projects", project_id, "pages", page_id)

    async def correct_page(self, project_id: str, page_id: str, text: str) -> Page:
        """Put `text` in the place of a page's text. RefusedError has the code `pages-not-ready` where there is none."""
        return await self._edit(project_id, page_id, {"text": text})

    async def rotate_page(self, project_id: str, page_id: str, degrees: int) -> Page:
        """Show a page turned clockwise by 0, 90, 180 or 270 degrees from its upright image."""
        return await self._edit(project_id, page_id, {"rotation": degrees})

    async def move_page(self, project_id: str, page_id: str, after: str | None) -> Page:
        """Move a page right after the page `after`; None is the front."""
        return await self._edit(project_id, page_id, {"after": after})

    async def replace_image(self, project_id: str, page_id: str, content_type: str) -> NewPage:
        """Let a page start again with another image, which is then to be uploaded."""
        path = "projects", project_id, "pages", page_id, "image"
        return await self._call(NewPage, "PUT", *path, body={"contentType": content_type})

    async def delete_page(self, project_id: str, page_id: str) -> None:
        """Delete a page with its image."""
        await self._call(Accepted, "DELETE", "projects", project_id, "pages", page_id)

    async def words(self, project_id: str, page_id: str) -> Words:
        """A link to a page's words. RefusedError has the code `pages-not-ready` where there are none."""
        return await self._call(Words, "GET", "projects", project_id, "pages", page_id, "words")

    async def pdf(self, project_id: str, layout: Layout) -> Pdf:
        """A link to the project's PDF.

        RefusedError has the code `pages-not-ready`, `nothing-to-export` or `project-too-large`.
        """
        return await self._call(Pdf, "GET", "projects", project_id, "pdf", query={"layout": layout})

    async def create_import(self, project_id: str, content_type: str, *, recognise_anyway: bool) -> NewImport:
        """Begin an import of a file, which is then to be uploaded, into a project."""
        body = {"contentType": content_type, "recogniseAnyway": recognise_anyway}
        return await self._call(NewImport, "POST", "projects", project_id, "imports", body=body)

    async def document_import(self, import_id: str) -> Import:
        """Where an import stands."""
        return await self._call(Import, "GET", "imports", import_id)

    async def start_export(self, export_id: str, order: ExportOrder) -> None:
        """Start an export under an id of our own. That it was started before, by the same call, is as good.

        What is wrong with the order is then the export's reason to fail.
        """
        try:
            await self._call(Accepted, "PUT", "exports", export_id, body=order)
        except RefusedError as error:
            if error.code != "ExecutionAlreadyExists":
                raise

    async def export(self, export_id: str) -> Export:
        """Where an export stands. RefusedError has the code `not-found`, also in the first moments after its start."""
        return await self._call(Export, "GET", "exports", export_id)

    async def stop_export(self, export_id: str) -> None:
        """Stop an export. That there is none of that id is as good."""
        try:
            await self._call(Accepted, "DELETE", "exports", export_id)
        except RefusedError as error:
            if error.code != "ExecutionDoesNotExist":
                raise

    async def usage(self) -> Usage:
        """What the user may upload in a day, and has used of late."""
        return await self._call(Usage, "GET", "usage")

    async def _edit(self, project_id: str, page_id: str, change: Mapping[str, str | int | None]) -> Page:
        return await self._call(Page, "PATCH", "projects", project_id, "pages", page_id, body=change)

    async def _items[Item](self, shape: type[Item], *path: str) -> AsyncIterator[Item]:
        cursor = None
        while True:
            part = await self._part(shape, cursor, *path)
            for item in part["items"]:
                yield item
            cursor = part.get("cursor")
            if not cursor:
                return

    async def _part[Item](self, shape: type[Item], cursor: str | None, *path: str) -> Part[Item]:
        query = {"limit": str(LIST_LIMIT)} | ({"cursor": cursor} if cursor else {})
        part: Part[Item] = await self._call(Part, "GET", *path, query=query)
        for item in part["items"]:
            _check(item, shape)
        return part

    async def _call[Answer](
        self,
        shape: type[Answer],
        method: str,
        *path: str,
        query: dict[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Answer:
        url = "/".join([self._endpoint, *(quote(part, safe="") for part in path)])
        response = await retrying(
            lambda: self._client.request(method, url, params=query, json=body, auth=self._auth),
        )
        answer = _json(response)
        if not response.is_success:
            raise _error(response.status_code, answer if isinstance(answer, dict) else {})
        _check(answer, shape)
        return answer


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _check(answer: Any, shape: Any) -> None:
    """Raise ServerError unless `answer` is an object with everything that the TypedDict `shape` requires."""
    if not (isinstance(answer, dict) and shape.__required_keys__ <= answer.keys()):
        raise ServerError(f"The system's answer is not a {shape.__name__}. Is the address that of a Docscan API?")


def _error(status: int, answer: dict[str, Any]) -> DocscanError:
    message = printable(str(answer.get("message") or f"no reason given, status {status}"))
    if status == httpx.codes.UNAUTHORIZED:
        return SignInError(f"The system does not accept the sign-in: {message}")
    if status == httpx.codes.FORBIDDEN:
        return SignInError(f"The system refuses this user: {message}")
    if status in TRANSIENT_STATUSES and answer.get("code") != QUOTA_EXCEEDED:
        return ServerError(f"The system is not able to answer now ({status}: {message}). Try again later.")
    if httpx.codes.is_client_error(status):
        # An AWS service behind a route names its errors in another field, some with a prefix.
        return RefusedError(message, answer.get("code") or str(answer.get("__type") or "").rpartition("#")[2] or None)
    return ServerError(f"The system answered {status}: {message}")
