"""The steps of an import, with everything that can come between them."""

import importlib
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import paged_files
import pytest
from botocore.exceptions import ClientError
from paged_files import LETTER, letter, photograph, read_scan, scan, tiff, written
from PIL import Image

from scanner import imports
from scanner.aws import bucket, clients, executions, imports_table, pages_table
from scanner.ids import timestamp
from scanner.services import importing

EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:imports:first"


@pytest.fixture
def project(stack):
    return stack.project()


@dataclass
class Upload:
    """An import whose file is uploaded, and the workflow's steps."""

    stack: object
    import_id: str
    project: str
    key: str
    version: str

    def upload(self, content):
        return clients.s3().put_object(Bucket="docscan-test", Key=self.key, Body=content)["VersionId"]

    def step(self, step, **event):
        answer = importlib.import_module("importing").handler({"step": step} | event, None)
        return json.loads(json.dumps(answer))

    def open(self, execution=EXECUTION, **uploaded):
        return self.step("open", object={"key": self.key, "version-id": self.version} | uploaded, execution=execution)

    def split(self, part):
        return self.step("split", importId=self.import_id, part=part)

    def run(self):
        """All steps, as the workflow takes them."""
        opened = self.open()
        for part in opened.get("parts", []):
            self.split(part)
        if opened:
            self.step("finish", importId=self.import_id)
        return self.read()

    def read(self):
        status, answer = self.stack.call("GET /imports/{importId}", importId=self.import_id)
        assert status == 200
        return answer

    def pages(self):
        """The project's pages, each read whole."""
        listed = self.stack.call("GET /projects/{projectId}/pages", projectId=self.project, query={"limit": "100"})
        route, project = "GET /projects/{projectId}/pages/{pageId}", self.project
        return [self.stack.call(route, projectId=project, pageId=page["pageId"])[1] for page in listed[1]["items"]]


@pytest.fixture
def upload(stack, project, monkeypatch):
    """Uploads a file to be imported; its execution runs, as far as anybody asks."""
    monkeypatch.setattr("scanner.aws.executions.status", lambda execution: "RUNNING")

    def upload(content, content_type="application/pdf", **body):
        status, answer = stack.call(
            "POST /projects/{projectId}/imports", body={"contentType": content_type} | body, projectId=project
        )
        assert status == 201
        made = Upload(stack, answer["importId"], project, answer["upload"]["fields"]["key"], "")
        made.version = made.upload(content)
        return made

    return upload


def recognise_all(stack):
    """Deliver the notification of every image that is stored."""
    from unit.functions.conftest import notification

    assert all(stack.deliver_records([notification(*found)]) for found in stack.objects("images/"))


JPEGS = [photograph(f"Scan {number}") for number in range(3)]
MIXED = written(scan(JPEGS[0]), read_scan(JPEGS[1]), letter(), scan(JPEGS[2]))
LOCKED = paged_files.saved_anew(MIXED, encryption=paged_files.pikepdf.Encryption(user="secret", owner="other"))


def test_every_page_is_made_in_the_file_s_order_after_those_that_are_there(stack, upload, project):
    stack.page(project)
    imported = upload(MIXED)

    done = imported.run()

    assert (done["status"], done["pageCount"], done["pagesDone"], done["pagesWithText"]) == ("completed", 4, 4, 2)
    pages = imported.pages()
    assert [page["position"] for page in pages] == [1, 2, 3, 4, 5]
    assert [page["status"] for page in pages[1:]] == ["awaiting-upload", "ready", "ready", "awaiting-upload"]
    assert [page.get("importId") for page in pages] == [None] + [imported.import_id] * 4
    assert {page["pageId"] for page in pages[1:]} == {
        imports_table.get(imported.import_id).page_id(number) for number in range(1, 5)
    }
    stack.assert_counters_hold()
    assert stack.page(project)["position"] == 6


def test_pages_without_text_are_recognised_as_uploads_are(stack, upload):
    imported = upload(MIXED)
    imported.run()

    recognise_all(stack)

    pages = [stack.read_page(page) for page in imported.pages()]
    assert [(page["status"], page["textSource"]) for page in pages] == [
        ("ready", "recognition"), ("ready", "document"), ("ready", "document"), ("ready", "recognition"),
    ]  # fmt: skip
    assert [page["confidence"] for page in pages][1:3] == [100, 100]
    assert [page["text"] for page in pages][1:3] == [LETTER, LETTER]
    assert len(stack.textract.images) == 2
    stack.assert_counters_hold()
    assert stack.items("usage")[0]["recognised"] == 2


def test_the_text_of_a_document_comes_with_words_and_a_thumbnail(stack, upload):
    imported = upload(written(read_scan(JPEGS[0])))
    imported.run()

    (page,) = imported.pages()
    stored = pages_table.get(page["projectId"], page["pageId"])
    words = json.loads(bucket.read(bucket.words_key(stored)))
    assert (words["width"], words["height"]) == (stored.width, stored.height) == Image.open(io.BytesIO(JPEGS[0])).size
    assert bucket.read(bucket.image_key(stored), stored.image_version) == JPEGS[0]
    assert bucket.read(bucket.thumbnail_key(stored)).startswith(b"\xff\xd8")
    assert page["wordCount"] == len(LETTER.split())


def test_the_arrival_of_an_image_whose_page_has_its_text_changes_nothing(stack, upload, monkeypatch):
    imported = upload(written(letter()))
    arrived = []
    write = bucket.write

    def write_and_deliver(key, *arguments):
        version = write(key, *arguments)
        if key.startswith("images/"):  # recognition is faster than the import
            from unit.functions.conftest import notification

            arrived.append(stack.deliver_records([notification(key, version)]))
        return version

    monkeypatch.setattr(bucket, "write", write_and_deliver)
    imported.run()
    recognise_all(stack)

    (page,) = imported.pages()
    assert (arrived, page["status"], page["textSource"]) == ([True], "ready", "document")
    assert (stack.textract.images, stack.events) == ([], [])
    stack.assert_counters_hold()


def test_a_document_s_text_can_be_recognised_anyway(stack, upload):
    imported = upload(written(read_scan(JPEGS[0])), recogniseAnyway=True)

    assert imported.run()["pagesWithText"] == 0
    recognise_all(stack)
    assert imported.pages()[0]["textSource"] == "recognition"


def test_a_page_with_its_document_s_text_can_be_recognised_later(stack, upload, project):
    imported = upload(written(read_scan(JPEGS[0])))
    imported.run()
    (page,) = imported.pages()
    body = json.dumps({"command": "recognise-pages", "projectId": project, "pageIds": [page["pageId"]]})
    attributes = {"MessageGroupId": "alice", "SentTimestamp": "1795253400000", "ApproximateReceiveCount": "1"}
    message = {"messageId": "1", "receiptHandle": "handle of message-1", "body": body, "attributes": attributes}

    assert stack.consume("commands", message) == []
    assert stack.consume("recognition", *stack.queued("recognition")) == []

    assert imported.pages()[0]["textSource"] == "recognition"


def test_a_tiff_is_imported_too(stack, upload):
    imported = upload(tiff(*[Image.new("1", (60, 80), number % 2) for number in range(12)]), "image/tiff")

    assert imported.run()["pagesDone"] == 12
    assert {page["contentType"] for page in imported.pages()} == {"image/png"}


# ---------------------------------------------------------------- Twice, at once, and in the middle
def test_the_same_upload_twice_is_one_import(stack, upload):
    imported = upload(MIXED)
    opened = imported.open()

    assert imported.open("arn:another") == {}
    imported.upload(written(letter()))
    assert imported.open("arn:another", **{"version-id": "later"}) == {}
    imported.split(opened["parts"][0])

    assert len(imported.pages()) == 4
    assert stack.items("usage")[0]["uploaded"] == 4


def test_an_engine_that_tells_no_version_gets_the_newest(upload):
    imported = upload(MIXED)

    assert imported.step("open", object={"key": imported.key}, execution=EXECUTION)["parts"]
    assert imports_table.get(imported.import_id).version == imported.version


def test_opening_again_after_the_answer_was_lost_opens_the_same(stack, upload):
    imported = upload(MIXED)

    assert imported.open() == imported.open() != {}
    assert stack.items("usage")[0]["uploaded"] == 4
    assert imported.run()["pagesDone"] == 4


def test_two_attempts_at_opening_a_file_take_the_quota_once(stack, upload, monkeypatch):
    imported = upload(MIXED)
    real, waiting = importing._places, [1]  # noqa: SLF001

    def let_the_other_come_first(opened):
        places = real(opened)
        if waiting:
            waiting.pop()
            assert imported.open()["parts"]
        return places

    monkeypatch.setattr(importing, "_places", let_the_other_come_first)

    assert imported.open()["parts"]
    assert stack.items("usage")[0]["uploaded"] == 4
    assert stack.page(imported.project)["position"] == 5


def test_what_is_no_import_s_is_left_alone(stack, upload, project):
    imported = upload(MIXED)
    others = ("images/a/b", f"imports/{project}/unknown", f"imports/other/{imported.import_id}", "imports/x")
    for key in others:
        assert imported.step("open", object={"key": key, "version-id": "1"}, execution=EXECUTION) == {}
    assert imported.read()["status"] == "awaiting-upload"


def test_a_part_that_is_made_again_makes_nothing_more(stack, upload):
    imported = upload(MIXED)
    (part,) = imported.open()["parts"]
    imported.split(part)
    before = stack.objects("images/")

    recognise_all(stack)
    imported.split(part)

    assert stack.objects("images/") == before
    assert imported.read()["pagesDone"] == len(imported.pages()) == 4


DYING = ["scanner.aws.bucket.write", "scanner.aws.pages_table.create_imported", "scanner.aws.pages_table.transition"]


@pytest.mark.parametrize("place", DYING)
@pytest.mark.parametrize("call", range(4))
@pytest.mark.parametrize("effect", ["before", "after"])
def test_an_attempt_that_dies_anywhere_is_gone_on_with(stack, upload, monkeypatch, place, call, effect):
    imported = upload(MIXED)
    (part,) = imported.open()["parts"]
    module, _, name = place.rpartition(".")
    real, calls = getattr(importlib.import_module(module), name), []

    def die(*arguments, **options):
        calls.append(1)
        if len(calls) - 1 != call:
            return real(*arguments, **options)
        if effect == "after":
            real(*arguments, **options)
        raise ConnectionError

    monkeypatch.setattr(place, die)
    try:
        imported.split(part)
    except ConnectionError:
        assert len(calls) == call + 1
    monkeypatch.setattr(place, real)
    imported.split(part)
    imported.step("finish", importId=imported.import_id)
    recognise_all(stack)

    pages = imported.pages()
    assert [page["status"] for page in pages] == ["ready"] * 4
    assert [page["textSource"] for page in pages] == ["recognition", "document", "document", "recognition"]
    assert (imported.read()["pagesDone"], imported.read()["pagesWithText"]) == (4, 2)
    stack.assert_counters_hold()


def test_a_page_that_was_begun_gets_its_image_although_the_import_has_failed_meanwhile(stack, upload, monkeypatch):
    imported = upload(written(*[scan(jpeg) for jpeg in JPEGS * 4]))
    first, second = imported.open()["parts"]

    def die(page, taken):
        raise ConnectionError

    with monkeypatch.context() as dying:
        dying.setattr(importing, "_store", die)
        with pytest.raises(ConnectionError):
            imported.split(first)
    imported.step("give-up", importId=imported.import_id, part=second)

    imported.split(first)
    imported.split(second)

    recognise_all(stack)
    assert [page["status"] for page in imported.pages()] == ["ready"]
    assert imported.read()["pagesDone"] == 1
    stack.assert_counters_hold()


def test_two_attempts_at_the_same_part_make_each_page_once(stack, upload, monkeypatch):
    imported = upload(MIXED)
    (part,) = imported.open()["parts"]
    real, busy = pages_table.create_imported, []

    def let_the_other_come_first(page, count):
        if not busy:
            busy.append(1)
            imported.split(part)
        return real(page, count)

    monkeypatch.setattr(pages_table, "create_imported", let_the_other_come_first)
    imported.split(part)

    assert len(imported.pages()) == imported.read()["pagesDone"] == 4
    stack.assert_counters_hold()


# ---------------------------------------------------------------- Meanwhile
def test_a_page_that_is_deleted_meanwhile_does_not_come_back(stack, upload, project, monkeypatch):
    imported = upload(MIXED)
    (part,) = imported.open()["parts"]
    real, calls = pages_table.create_imported, []

    def die(page, count):
        calls.append(page)
        if len(calls) == 3:
            raise ConnectionError
        return real(page, count)

    monkeypatch.setattr(pages_table, "create_imported", die)
    with pytest.raises(ConnectionError):
        imported.split(part)
    for page in calls[:2]:
        stack.call("DELETE /projects/{projectId}/pages/{pageId}", projectId=project, pageId=page.page_id)
    imported.split(part)

    assert [page["position"] for page in imported.pages()] == [3, 4]
    assert imported.read()["pagesDone"] == 4
    stack.assert_counters_hold()


def test_nothing_comes_back_of_a_project_that_is_deleted_meanwhile(stack, upload, project, monkeypatch):
    imported = upload(MIXED)
    (part,) = imported.open()["parts"]
    real, calls = pages_table.create_imported, []

    def delete_then_create(page, count):
        calls.append(1)
        if len(calls) == 3:
            stack.call("DELETE /projects/{projectId}", projectId=project)
            assert stack.consume("deletion", *stack.queued()) == []
        return real(page, count)

    monkeypatch.setattr(pages_table, "create_imported", delete_then_create)
    imported.split(part)

    failed = imported.read()
    assert (failed["status"], failed["reason"]["code"], failed["pagesDone"]) == ("failed", "not-found", 2)
    assert (stack.items("pages"), stack.objects()) == ([], [])


@pytest.mark.parametrize("document", [written(scan(JPEGS[0])), written(letter())], ids=["scan", "letter"])
def test_nothing_stays_of_a_page_that_is_deleted_before_its_image_is_there(
    stack, upload, project, monkeypatch, document
):
    imported = upload(document)
    (part,) = imported.open()["parts"]
    real = pages_table.create_imported

    def create_then_delete(page, count):
        real(page, count)
        stack.call("DELETE /projects/{projectId}/pages/{pageId}", projectId=project, pageId=page.page_id)
        assert stack.consume("deletion", *stack.queued()) == []

    monkeypatch.setattr(pages_table, "create_imported", create_then_delete)
    imported.split(part)
    recognise_all(stack)

    assert (imported.pages(), stack.objects("images/"), stack.objects("words/")) == ([], [], [])
    assert stack.objects("thumbnails/") == []


def test_a_part_whose_file_went_with_the_project_says_so(stack, upload, project):
    imported = upload(MIXED)
    (part,) = imported.open()["parts"]
    stack.call("DELETE /projects/{projectId}", projectId=project)
    assert stack.consume("deletion", *stack.queued()) == []

    imported.split(part)

    assert imported.read()["reason"]["code"] == "not-found"


def test_the_upload_goes_with_its_project(stack, upload, project):
    upload(MIXED)
    stack.call("DELETE /projects/{projectId}", projectId=project)

    assert stack.consume("deletion", *stack.queued()) == []

    assert stack.objects("imports/") == []


def test_a_file_for_a_project_that_is_gone_is_not_imported(stack, upload, project):
    imported = upload(MIXED)
    stack.call("DELETE /projects/{projectId}", projectId=project)

    assert imported.open() == {}
    assert imported.read()["reason"]["code"] == "not-found"


# ---------------------------------------------------------------- Limits
def test_the_quota_is_taken_for_all_pages_or_for_none(stack, upload, monkeypatch):
    monkeypatch.setenv("PAGES_PER_DAY", "7")
    first, second = upload(MIXED), upload(MIXED)

    assert first.run()["status"] == "completed"
    failed = second.run()

    assert (failed["status"], failed["reason"]["code"]) == ("failed", "quota-exceeded")
    assert "4 pages" in failed["reason"]["message"]
    assert "3 more" in failed["reason"]["message"]
    assert stack.items("usage")[0]["uploaded"] == 4
    assert len(second.pages()) == 4


def test_of_two_imports_at_once_the_quota_lets_one_pass(stack, upload, monkeypatch):
    monkeypatch.setenv("PAGES_PER_DAY", "7")
    first, second = upload(MIXED), upload(MIXED)
    real = imports_table.projects_table.get
    waiting = [second]

    def let_the_other_come_first(*arguments):
        if waiting:
            waiting.pop().open()
        return real(*arguments)

    monkeypatch.setattr(imports_table.projects_table, "get", let_the_other_come_first)

    assert first.open() == {}
    assert (first.read()["reason"]["code"], second.read()["status"]) == ("quota-exceeded", "running")
    assert stack.items("usage")[0]["uploaded"] == 4


def test_an_import_that_has_ended_while_its_file_was_read_is_not_opened(stack, upload, project, monkeypatch):
    imported = upload(MIXED)
    real = importing._places  # noqa: SLF001

    def end_meanwhile(running):
        imports_table.end(running, imports.INTERRUPTED)
        return real(running)

    monkeypatch.setattr(importing, "_places", end_meanwhile)

    assert imported.open() == {}
    assert stack.items("usage") == []
    assert stack.page(project)["position"] == 1, "no positions were taken"


def test_too_large_a_file_is_refused_before_it_is_read(upload, monkeypatch):
    imported = upload(MIXED)
    monkeypatch.setattr(imports, "MAX_BYTES", len(MIXED) - 1)

    assert imported.run()["reason"]["code"] == "import-too-large"


@pytest.mark.parametrize(
    ("content", "content_type", "code"),
    [
        (b"Dear reader", "application/pdf", "import-unsupported"),
        (MIXED, "image/tiff", "import-unsupported"),
        (MIXED[:-1000], "application/pdf", "import-damaged"),
        (LOCKED, "application/pdf", "import-encrypted"),
    ],
    ids=["text", "PDF as TIFF", "cut off", "locked"],
)
def test_a_file_that_cannot_be_opened_ends_its_import(stack, upload, content, content_type, code):
    imported = upload(content, content_type)

    assert imported.run()["reason"]["code"] == code
    assert imported.open() == {}
    assert stack.items("usage") == []


def test_a_page_that_is_refused_ends_its_import_and_leaves_those_before_it(stack, upload):
    bomb = paged_files.of_contents(
        b"q 595 0 0 842 0 0 cm /I0 Do Q", [paged_files.packed_object(90_000, 90_000, paged_files.flate_bomb(1 << 20))]
    )

    def add(pdf):
        with paged_files.pikepdf.open(io.BytesIO(bomb)) as other:
            pdf.pages.insert(2, other.pages[0])

    imported = upload(paged_files.saved_anew(MIXED, add))

    failed = imported.run()

    assert (failed["status"], failed["reason"]["code"], failed["pagesDone"]) == ("failed", "page-failed", 2)
    assert failed["reason"]["message"].startswith("Page 3 ")
    recognise_all(stack)
    assert [page["status"] for page in imported.pages()] == ["ready", "ready"]


# ---------------------------------------------------------------- Given up
def test_a_part_that_is_given_up_ends_the_import_with_its_page_s_number(stack, upload, monkeypatch):
    imported = upload(written(*[letter()] * 13))
    first, second = imported.open()["parts"]
    imported.split(second)
    monkeypatch.setattr(importing, "_store", lambda *_: None)
    imported.step("give-up", importId=imported.import_id, part=first)

    failed = imported.read()
    assert (failed["reason"]["code"], failed["reason"]["message"][:7]) == ("page-failed", "Page 1 ")
    assert failed["pagesDone"] == 3
    imported.split(first)
    imported.step("finish", importId=imported.import_id)
    assert imported.read() == failed
    assert len(imported.pages()) == 3


@pytest.mark.parametrize("claimed_by", [EXECUTION, None, "arn:another"])
def test_a_file_that_is_given_up_ends_its_import_unless_that_is_another_s(upload, claimed_by):
    imported = upload(MIXED)
    if claimed_by:
        imports_table.claim(imports_table.get(imported.import_id), imported.version, claimed_by)

    imported.step("give-up-file", object={"key": imported.key}, execution=EXECUTION)

    found = imported.read()
    if claimed_by == "arn:another":
        assert found["status"] == "running"
    else:
        assert found["reason"]["code"] == "import-failed"


@pytest.mark.parametrize("opened", [True, False])
def test_an_import_whose_execution_has_ended_without_a_word_has_failed(stack, upload, monkeypatch, opened):
    imported = upload(MIXED)
    if opened:
        imported.open()
    else:
        imports_table.claim(imports_table.get(imported.import_id), imported.version, EXECUTION)
    assert imported.read()["status"] == "running"

    monkeypatch.setattr("scanner.aws.executions.status", {EXECUTION: "FAILED"}.get)

    failed = imported.read()
    assert (failed["status"], failed["reason"]["code"]) == ("failed", "import-failed")


@pytest.mark.parametrize(("minutes", "status"), [(0, "running"), (59, "running"), (61, "failed")])
def test_an_execution_that_cannot_be_found_may_just_have_begun(upload, monkeypatch, minutes, status):
    imported = upload(MIXED)
    imported.open()
    monkeypatch.setattr("scanner.aws.executions.status", lambda execution: None)
    updated = timestamp(datetime.now(UTC) - timedelta(minutes=minutes))
    clients.dynamodb().update_item(
        TableName="imports", Key={"importId": {"S": imported.import_id}},
        UpdateExpression="SET updatedAt = :then", ExpressionAttributeValues={":then": {"S": updated}},
    )  # fmt: skip

    assert imported.read()["status"] == status


def test_an_import_that_ends_while_it_is_looked_at_is_told_as_it_ended(upload, monkeypatch):
    imported = upload(MIXED)
    imported.open()

    def finish(execution):
        imported.step("finish", importId=imported.import_id)
        return "SUCCEEDED"

    monkeypatch.setattr("scanner.aws.executions.status", finish)
    assert imported.read()["status"] == "completed"


def test_faults_are_raised_for_the_workflow_to_try_again(upload, monkeypatch):
    imported = upload(MIXED)
    (part,) = imported.open()["parts"]

    def fail(**_):
        raise ClientError({"Error": {"Code": "SlowDown"}}, "GetObject")

    monkeypatch.setattr(clients.s3(), "get_object", fail)
    with pytest.raises(ClientError):
        imported.split(part)
    assert imported.read()["status"] == "running"


def test_the_log_has_no_text(upload, caplog):
    with caplog.at_level("INFO"):
        upload(MIXED).run()

    assert "importing" in caplog.text
    assert "reader" not in caplog.text


def test_an_execution_that_step_functions_does_not_know_has_no_status(stack):
    assert executions.status(EXECUTION) is None
