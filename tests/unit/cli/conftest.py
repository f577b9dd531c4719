"""A whole Docscan system in memory, held against the API's contract, and a user's machine to run the command on."""

import asyncio
import json
import re
import signal
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from email.parser import BytesParser
from pathlib import Path
from types import SimpleNamespace

import api_contract
import httpx
import pytest
from typer.testing import CliRunner, Result

from docscan_cli import connection, results, retry, waiting
from docscan_cli.commands import exports, options, pages
from docscan_cli.main import app

API = "http://127.0.0.1:3000"
ENGINE = "http://127.0.0.1:4566"
PASSWORD = "correct horse"
CONFIGURATION = {
    part: {name: field["example"] for name, field in schema["properties"].items()}
    for part, schema in api_contract.DOCUMENT["components"]["schemas"]["Configuration"]["properties"].items()
}
JPEG = b"\xff\xd8\xff\xe0 a photograph of "
DAMAGED = JPEG + b"DAMAGED"
LINE = {
    "text": "Dear 読者",
    "confidence": 90,
    "words": [
        {"text": "Dear", "confidence": 98.6, "polygon": [[0.1, 0.1], [0.25, 0.11], [0.25, 0.16], [0.1, 0.15]]},
        {"text": "読者", "confidence": 81, "polygon": [[0.3, 0.1], [0.5, 0.1], [0.5, 0.15], [0.3, 0.15]]},
    ],
}
NOW = "2026-11-21T09:30:00.000Z"

type Fault = httpx.Response | Exception | Callable[[httpx.Request], None]


@dataclass
class StoredPage:
    page_id: str
    project_id: str
    position: int
    content_type: str
    status: str = "awaiting-upload"
    images: list[bytes] = field(default_factory=list)
    looks: int = 0
    rotation: int = 0
    correction: str | None = None
    import_id: str = ""

    @property
    def text(self) -> str:
        return f"text of {self.images[0].removeprefix(JPEG).decode()}" if self.correction is None else self.correction


@dataclass
class StoredImport:
    """An import. The file says its pages after a first line: `text:…` has text, and REFUSED refuses the whole."""

    import_id: str
    project_id: str
    content_type: str
    recognise_anyway: bool
    status: str = "awaiting-upload"
    uploads: list[bytes] = field(default_factory=list)
    count: int = 0
    done: int = 0
    with_text: int = 0
    reason: dict | None = None


@dataclass
class StoredExport:
    """An export: each look at it makes a page of it, after the first, which does not find it."""

    export_id: str
    order: dict
    status: str = "running"
    looks: int = 0
    done: int = 0
    pages: list[StoredPage] = field(default_factory=list)
    left_out: int = 0
    reason: dict | None = None


class FakeSystem:
    """The scanner API, the user pool and the storage, as their contracts say.

    Every request that succeeds and every answer is checked against api/scanner.yaml. A page that has its image moves on
    each time its project's pages are listed, or it is read: awaiting-upload, recognising, then ready, or failed if the
    image says DAMAGED.
    """

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.projects: dict[str, str] = {}
        self.pages: list[StoredPage] = []
        self.faults: list[tuple[str, str, Fault]] = []
        self.part_size = 100
        self.token_lifetime = 3600
        self.valid_tokens: set[str] = set()
        self.refresh_tokens: set[str] = set()
        self.sign_ins: Counter[str] = Counter()
        self.passwords = {"demo@example.com": PASSWORD}
        self.temporary: set[str] = set()
        self.challenge = ""
        self.stuck = False
        self.configuration = deepcopy(CONFIGURATION)
        self.layouts: list[str | None] = []
        self.uploading = 0
        self.most_uploading = 0
        self.slow_uploads: dict[bytes, int] = {}
        self.usage = {"quota": {"pagesPerDay": 1000}, "days": [{"day": "2026-11-21", "uploaded": 24, "recognised": 23}]}
        self.imports: list[StoredImport] = []
        self.exports: dict[str, StoredExport] = {}
        self.volume_pages = 1000
        self.expired_links: set[str] = set()
        self.links = 0
        self.import_refusal = {"code": "import-damaged", "message": "The file is damaged."}
        self.export_refusal: dict | None = None
        self.words = {"width": 1000, "height": 500, "lines": [LINE]}

    def fail(self, method: str, path: str, *faults: Fault) -> None:
        """Answer the next requests that match `path` (a regular expression) with these instead."""
        self.faults += [(method, path, fault) for fault in faults]

    def add_project(self, name: str = "Letters") -> str:
        project_id = f"project-{len(self.projects) + 1}"
        self.projects[project_id] = name
        return project_id

    def add_page(self, project_id: str, status: str = "ready", image: bytes = JPEG) -> StoredPage:
        page = StoredPage(f"page-{len(self.pages) + 1}", project_id, len(self.pages) + 1, "image/jpeg", status, [image])
        self.pages.append(page)
        return page

    def calls(self, method: str, path: str) -> list[httpx.Request]:
        return [r for r in self.requests if r.method == method and re.fullmatch(path, r.url.path)]

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        self.requests.append(request)
        await asyncio.sleep(0)
        for index, (method, path, fault) in enumerate(self.faults):
            if request.method == method and re.fullmatch(path, request.url.path):
                del self.faults[index]
                if isinstance(fault, httpx.Response):
                    return fault
                if isinstance(fault, Exception):
                    if isinstance(fault, httpx.RequestError):
                        fault.request = request
                    raise fault
                fault(request)
                await asyncio.sleep(0)
                break
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        if "x-amz-target" in request.headers:
            return self._user_pool(request.headers["x-amz-target"].rpartition(".")[2], json.loads(body))
        if origin == ENGINE:
            return await self.storage(request, body)
        return self._api(request, body)

    def _user_pool(self, action: str, body: dict) -> httpx.Response:
        assert body["ClientId"] == "cli-client"
        if action == "RevokeToken":
            self.refresh_tokens.discard(body["Token"])
            return httpx.Response(200, json={})
        if action == "RespondToAuthChallenge":
            answers = body["ChallengeResponses"]
            if len(answers["NEW_PASSWORD"]) < 8:
                return _refused("InvalidPasswordException", "Password not long enough")
            self.passwords["demo@example.com"] = answers["NEW_PASSWORD"]
            return self._tokens(refresh=True)
        parameters = body["AuthParameters"]
        self.sign_ins[body["AuthFlow"]] += 1
        if body["AuthFlow"] == "REFRESH_TOKEN_AUTH":
            if parameters["REFRESH_TOKEN"] not in self.refresh_tokens:
                return _refused("NotAuthorizedException", "Refresh Token has been revoked")
            return self._tokens(refresh=False)
        if self.passwords.get(parameters["USERNAME"]) != parameters["PASSWORD"]:
            return _refused("NotAuthorizedException", "Incorrect username or password.")
        if self.challenge:
            return httpx.Response(
                200,
                json={
                    "ChallengeName": self.challenge,
                    "Session": "s",
                    "ChallengeParameters": {"USER_ID_FOR_SRP": "demo-sub", "requiredAttributes": "[]"},
                },
            )
        return self._tokens(refresh=True)

    def _tokens(self, *, refresh: bool) -> httpx.Response:
        number = len(self.valid_tokens) + 1
        self.valid_tokens.add(f"SECRET-access-{number}")
        result = {"AccessToken": f"SECRET-access-{number}", "ExpiresIn": self.token_lifetime, "TokenType": "Bearer"}
        if refresh:
            result["RefreshToken"] = f"SECRET-refresh-{number}"
            self.refresh_tokens.add(result["RefreshToken"])
        return httpx.Response(200, json={"AuthenticationResult": result, "ChallengeParameters": {}})

    async def storage(self, request: httpx.Request, body: bytes) -> httpx.Response:
        assert "authorization" not in request.headers
        if request.url.path.startswith("/words/"):
            return httpx.Response(200, json=self.words)
        if request.url.path.startswith("/exports/"):
            return self._stored_document(request)
        if request.method == "GET":
            project_id = request.url.path.rpartition("/")[2].removesuffix(".pdf")
            return httpx.Response(200, content=self.pdf_bytes(project_id))
        head = b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n"
        parts = [
            (part.get_param("name", header="content-disposition"), part.get_payload(decode=True))
            for part in BytesParser().parsebytes(head + body).walk()
            if not part.is_multipart()
        ]
        fields = dict(parts)
        assert parts[-1][0] == "file"
        assert int(request.headers["content-length"]) == len(body)
        key = fields["key"].decode()
        places = {f"images/{page.page_id}": page for page in self.pages}
        places |= {f"imports/{one.import_id}": one for one in self.imports}
        place = places[key]
        assert fields["Content-Type"].decode() == place.content_type
        assert fields["policy"] == b"signed"
        self.uploading += 1
        self.most_uploading = max(self.most_uploading, self.uploading)
        for _ in range(self.slow_uploads.get(fields["file"], 2)):
            await asyncio.sleep(0)
        self.uploading -= 1
        (place.images if isinstance(place, StoredPage) else place.uploads).append(fields["file"])
        return httpx.Response(204)

    def _stored_document(self, request: httpx.Request) -> httpx.Response:
        """As S3 gives a document: whole, or from a byte on where it is still the same."""
        _, _, export_id, number = request.url.path.split("/")
        if request.url.params["link"] in self.expired_links:
            return httpx.Response(403, content=b"<Error><Code>AccessDenied</Code></Error>")
        content = self.document_bytes(export_id, int(number))
        headers = {"etag": f'"{export_id}"'}
        if request.headers.get("if-match", headers["etag"]) != headers["etag"]:
            return httpx.Response(412, content=b"<Error><Code>PreconditionFailed</Code></Error>")
        if "range" not in request.headers:
            return httpx.Response(200, content=content, headers=headers)
        start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        headers["content-range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return httpx.Response(206, content=content[start:], headers=headers)

    def document_bytes(self, export_id: str, number: int = 0) -> bytes:
        export = self.exports[export_id]
        pages = export.pages[number * self.volume_pages : (number + 1) * self.volume_pages]
        return export.order.get("format", "pdf").encode() + b" " + b"|".join(page.images[0] for page in pages)

    def pdf_bytes(self, project_id: str) -> bytes:
        ready = [p for p in self.pages if p.project_id == project_id and p.status == "ready"]
        return b"%PDF-1.7 " + b"|".join(page.images[0] for page in ready)

    def _api(self, request: httpx.Request, body: bytes) -> httpx.Response:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.valid_tokens:
            return httpx.Response(401, json={"message": "Unauthorized"})
        key = api_contract.route(request.method, request.url.path)
        if key is None:
            return httpx.Response(404, json={"message": "Not Found"})
        given = json.loads(body) if body else None
        ids = [value for value, name in zip(request.url.path.split("/"), key[1].split("/"), strict=True) if "{" in name]
        operation = api_contract.OPERATIONS[key]
        status, answer = self._answer(operation["operationId"], ids, request, given)
        integration = operation["x-amazon-apigateway-integration"].get("integrationSubtype", "")
        media_type = f"application/{'x-amz-json-1.0' if integration.startswith('StepFunctions') else 'json'}"
        response = httpx.Response(status, json=answer, request=request, headers={"content-type": media_type})
        api_contract.check(response)
        return response

    def _answer(self, operation: str, ids: list[str], request: httpx.Request, given: dict | None) -> tuple[int, dict]:
        if operation == "createProject":
            assert given is not None
            return 201, self._project(self.add_project(given["name"]))
        if operation == "listProjects":
            return 200, self._part([self._project(i) for i in reversed(self.projects)], request)
        if operation == "getUsage":
            return 200, self.usage
        if operation == "getConfiguration":
            return 200, self.configuration
        if operation.endswith("Export"):
            return self._answer_for_export(operation, ids[0], given)
        if operation == "getImport":
            found = next((one for one in self.imports if one.import_id == ids[0]), None)
            return (200, self._import(found)) if found else (404, {"message": "There is none.", "code": "not-found"})
        project_id = ids[0]
        if project_id not in self.projects:
            return 404, {"message": "There is no such project.", "code": "not-found"}
        pages = [page for page in self.pages if page.project_id == project_id]
        if operation == "getProject":
            for page in pages:
                if page.import_id:  # nobody needs to list them: they are counted
                    self._move_on(page)
            return 200, self._project(project_id)
        if operation == "renameProject":
            assert given is not None
            self.projects[project_id] = given["name"]
            return 200, self._project(project_id)
        if operation == "deleteProject":
            del self.projects[project_id]
            return 202, {}
        if operation == "createImport":
            assert given is not None
            anyway = given.get("recogniseAnyway", False)
            new = StoredImport(f"import-{len(self.imports) + 1}", project_id, given["contentType"], anyway)
            self.imports.append(new)
            form = {"key": f"imports/{new.import_id}", "Content-Type": new.content_type, "policy": "signed"}
            return 201, self._import(new) | {"upload": {"url": f"{ENGINE}/bucket", "fields": form}}
        if operation == "createPage":
            assert given is not None
            return 201, self._awaiting(self.add_page(project_id), given["contentType"])
        if operation == "listPages":
            part = self._part(pages, request)
            for page in part["items"]:
                self._move_on(page)
            return 200, part | {"items": [self._page(page) for page in part["items"]]}
        if operation != "getPdf":
            page = next((page for page in pages if page.page_id == ids[1]), None)
            if page is None:
                return 404, {"message": "There is no such page.", "code": "not-found"}
            return self._answer_for_page(operation, page, given)
        if any(page.status == "recognising" for page in pages):
            return 409, {"message": "Pages are still being recognised.", "code": "pages-not-ready"}
        ready = [page for page in pages if page.status == "ready"]
        if not ready:
            return 409, {"message": "No page is ready.", "code": "nothing-to-export"}
        self.layouts.append(request.url.params.get("layout"))
        if len(ready) > 100:
            return 409, {"message": "Too many pages for this; use an export.", "code": "project-too-large"}
        return 200, {
            "url": f"{ENGINE}/documents/{project_id}.pdf",
            "expiresAt": NOW,
            "pageCount": len(ready),
            "leftOut": [{"pageId": p.page_id, "status": p.status} for p in pages if p.status != "ready"],
        }

    def _import(self, one: StoredImport) -> dict:
        """An import as it is, before it moves on: from the upload to its opening, then page by page."""
        now = {
            "importId": one.import_id,
            "projectId": one.project_id,
            "status": one.status,
            "createdAt": NOW,
            "updatedAt": NOW,
            "pagesDone": one.done,
            "pagesWithText": one.with_text,
        }
        now |= {"pageCount": one.count} if one.count else {}
        now |= {"reason": one.reason} if one.reason else {}
        if one.uploads and not self.stuck:
            pages = one.uploads[0].splitlines()[1:]
            if one.status == "awaiting-upload":
                one.status = "running"
            elif one.status == "running" and b"REFUSED" in pages[one.done :][:1]:
                one.status, one.reason = "failed", self.import_refusal
            elif one.status == "running" and one.done == len(pages):
                one.status = "completed"
            elif one.status == "running":
                one.count = len(pages)
                has_text = pages[one.done].startswith(b"text:") and not one.recognise_anyway
                page = self.add_page(one.project_id, "ready" if has_text else "recognising", JPEG + pages[one.done])
                page.import_id = one.import_id
                one.done += 1
                one.with_text += has_text
        return now

    def _answer_for_export(self, operation: str, export_id: str, given: dict | None) -> tuple[int, dict]:
        export = self.exports.get(export_id)
        if operation == "startExport":
            assert given is not None
            if export and (export.status != "running" or export.order != given):
                return 400, {
                    "__type": "com.amazonaws.states#ExecutionAlreadyExists",
                    "message": "Execution Already Exists",
                }
            if not export:
                self.exports[export_id] = export = StoredExport(export_id, given)
                chosen = [p for p in self.pages if p.project_id == given["projectId"]]
                chosen = [p for p in chosen if p.page_id in given.get("pages", [p.page_id])]
                export.pages = [page for page in chosen if page.status in {"ready", "recognising"}]
                export.left_out = len(chosen) - len(export.pages)
            return 200, {"executionArn": f"arn:aws:states:…:{export_id}", "startDate": 1795253400.0}
        if operation == "stopExport":
            if not export:
                return 400, {"__type": "ExecutionDoesNotExist", "message": "Execution Does Not Exist"}
            export.status = "stopped"
            return 200, {"stopDate": 1795253400.0}
        if export:
            export.looks += 1
        if not export or export.looks == 1:
            return 404, {"message": "There is no such export.", "code": "not-found"}
        return 200, self._export(export)

    def _export(self, export: StoredExport) -> dict:
        waiting = [page for page in export.pages if page.status == "recognising"]
        if export.status == "running" and not self.stuck:
            if waiting:
                waiting[0].status = "ready"
            elif self.export_refusal or not export.pages:
                nothing = {"code": "nothing-to-export", "message": "No page is ready."}
                export.status, export.reason = "failed", self.export_refusal or nothing
            elif export.done == len(export.pages):
                export.status = "completed"
            else:
                export.done += 1
        answer = {"exportId": export.export_id, "status": export.status, "startedAt": NOW}
        if export.status == "running":
            answer |= {"pageCount": len(export.pages), "pagesDone": export.done}
            answer |= {"waitingFor": len(waiting)} if waiting else {}
        if export.status in {"failed", "stopped", "expired"}:
            answer["reason"] = export.reason or {"code": export.status, "message": f"The export is {export.status}."}
        if export.status == "completed":
            self.links += 1
            counts = [
                len(export.pages[n : n + self.volume_pages]) for n in range(0, len(export.pages), self.volume_pages)
            ]
            answer |= {
                "pageCount": len(export.pages),
                "leftOutCount": export.left_out,
                "documents": [
                    {
                        "url": f"{ENGINE}/exports/{export.export_id}/{n}?link={self.links}",
                        "filename": f"document-{n + 1}",
                        "size": len(self.document_bytes(export.export_id, n)),
                        "pageCount": count,
                    }
                    for n, count in enumerate(counts)
                ],
                "expiresAt": NOW,
            }
        return answer

    def _answer_for_page(self, operation: str, page: StoredPage, given: dict | None) -> tuple[int, dict]:
        if operation == "deletePage":
            self.pages.remove(page)
            return 202, {}
        if operation == "replaceImage":
            assert given is not None
            page.correction, page.rotation = None, 0
            return 200, self._awaiting(page, given["contentType"])
        if operation == "getWords":
            if page.status != "ready":
                return 409, {"message": f"This page is {page.status}.", "code": "pages-not-ready"}
            return 200, {"url": f"{ENGINE}/words/{page.page_id}", "expiresAt": NOW}
        if operation == "editPage":
            assert given is not None
            if "text" in given and page.status != "ready":
                return 409, {"message": f"This page is {page.status}.", "code": "pages-not-ready"}
            if given.get("after") == page.page_id:
                return 400, {"message": "A page cannot come after itself.", "code": "invalid-request"}
            page.correction = given.get("text", page.correction)
            page.rotation = given.get("rotation", page.rotation)
            if "after" in given:
                self.pages.remove(page)
                ids = [page.page_id for page in self.pages]
                self.pages.insert(ids.index(given["after"]) + 1 if given["after"] else 0, page)
        else:
            assert operation == "getPage"
            self._move_on(page)
        whole = self._page(page)
        if page.import_id:
            whole["importId"] = page.import_id
        if page.status == "ready":
            source = "document" if page.images[0].startswith(JPEG + b"text:") else "recognition"
            whole |= {"text": page.text, "textSource": source, "imageUrl": f"{ENGINE}/image?signature=x"}
        return 200, whole

    def _awaiting(self, page: StoredPage, content_type: str) -> dict:
        page.status, page.images, page.content_type = "awaiting-upload", [], content_type
        form = {"key": f"images/{page.page_id}", "Content-Type": page.content_type, "policy": "signed"}
        return self._page(page) | {"upload": {"url": f"{ENGINE}/bucket", "fields": form}}

    def _move_on(self, page: StoredPage) -> None:
        if not page.images or self.stuck:
            return
        page.looks += 1
        if page.status == "awaiting-upload":
            page.status = "recognising"
        elif page.status == "recognising":
            page.status = "failed" if b"DAMAGED" in page.images[0] else "ready"

    def _part(self, items: list, request: httpx.Request) -> dict:
        limit = min(int(request.url.params.get("limit", 50)), self.part_size)
        start = int(request.url.params.get("cursor", 0))
        more = {"cursor": str(start + limit)} if start + limit < len(items) else {}
        return {"items": items[start : start + limit]} | more

    def _project(self, project_id: str) -> dict:
        counts = Counter(page.status for page in self.pages if page.project_id == project_id)
        states = ("awaiting-upload", "recognising", "ready", "failed")
        return {
            "projectId": project_id,
            "name": self.projects[project_id],
            "createdAt": NOW,
            "pageCount": counts.total(),
            "pagesByStatus": {state: counts[state] for state in states},
        }

    def _page(self, page: StoredPage) -> dict:
        summary = {
            "pageId": page.page_id,
            "projectId": page.project_id,
            "position": page.position,
            "status": page.status,
            "contentType": page.content_type,
            "createdAt": NOW,
            "rotation": page.rotation,
            "updatedAt": NOW,
        }
        if page.status == "ready":
            summary |= {"corrected": page.correction is not None, "confidence": 97.4, "wordCount": 12}
            summary["thumbnailUrl"] = f"{ENGINE}/thumbnail?signature=x"
        if page.status == "failed":
            summary["reason"] = {"code": "damaged-image", "message": "The image is damaged. Scan it again."}
        return summary


def _refused(kind: str, message: str) -> httpx.Response:
    return httpx.Response(400, json={"__type": kind, "message": message})


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> FakeSystem:
    """The system that the command reaches, whatever address it uses. Pauses take no time but that of a clock here."""
    fake = FakeSystem()
    now = 0.0

    async def pause(seconds: float) -> None:
        nonlocal now
        now += seconds
        await asyncio.sleep(0)

    def client(*, local: bool) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(fake))

    monkeypatch.setattr(connection, "http_client", client)
    monkeypatch.setattr(retry, "pause", pause)
    for module in (waiting, results):
        monkeypatch.setattr(module, "monotonic", lambda: now)
    return fake


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: empty, below nothing that belongs to a system, with a configuration folder of its own."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("DATA_DIR", "PROFILE", "ENDPOINT", "REGION", "CLIENT_ID"):
        monkeypatch.delenv(f"DOCSCAN_{name}", raising=False)
    return here


def write_addresses(data_dir: Path, **changes: object) -> Path:
    """What the local system leaves in its data folder while it runs."""
    data_dir.mkdir(parents=True, exist_ok=True)
    addresses = {
        "apis": {"ScannerApi": API},
        "engine": ENGINE,
        "textract": "http://127.0.0.1:4567",
        "region": "us-east-1",
        "outputs": {"UserPoolId": "us-east-1_1", "CliClientId": "cli-client", "Region": "us-east-1"},
        "users": [{"userPoolId": "us-east-1_1", "username": "demo@example.com", "password": PASSWORD}],
        "pid": 1,
    }
    path = data_dir / "addresses.json"
    path.write_text(json.dumps(addresses | changes))
    return path


@pytest.fixture
def local_system(system: FakeSystem, folder: Path) -> FakeSystem:
    """The system, running as the current folder's local one."""
    write_addresses(folder / ".docscan")
    return system


@pytest.fixture
def run(folder: Path) -> Callable[..., Result]:
    """Run `docscan` with these arguments."""

    def docscan(*arguments: object, stdin: str = "", defect: bool = False) -> Result:
        words = [str(argument) for argument in arguments]
        result = CliRunner().invoke(app, words, input=stdin, catch_exceptions=False)
        assert "SECRET" not in result.output
        assert (result.exit_code == 70) is defect, result.stderr
        return result

    return docscan


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is there to be asked: what `run` gets as `stdin` is what they type."""
    there = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True), stdout=SimpleNamespace(isatty=lambda: True))
    for module in (options, pages, exports):
        monkeypatch.setattr(module, "sys", there)


@pytest.fixture
def image(folder: Path) -> Callable[..., Path]:
    """Write an image file whose text the system recognises as `text of CONTENT`."""

    def write(name: str, content: str | bytes | None = None) -> Path:
        data = content if isinstance(content, bytes) else JPEG + (content or name).encode()
        path = folder / name
        path.write_bytes(data)
        return Path(name)

    return write


def interrupt(request: httpx.Request) -> None:
    """A fault: the user presses Ctrl-C while this request is under way."""
    signal.raise_signal(signal.SIGINT)


@pytest.fixture
def ctrl_c() -> Callable[[httpx.Request], None]:
    return interrupt


@pytest.fixture
def addresses() -> Callable[..., Path]:
    return write_addresses
