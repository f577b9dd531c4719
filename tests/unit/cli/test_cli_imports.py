"""`docscan import`, against a whole system in memory."""

import io
import os
import re
import time

import api_contract
import httpx
import pytest

from docscan_cli import imports, storage

JPEG = b"\xff\xd8\xff\xe0 a photograph of "
PDF = b"%PDF-1.7\n"
BOOK = PDF + b"one\ntwo\nthree"
UPLOADS = "/bucket"
IMPORTS = "/projects/[^/]+/imports"
IMPORT = "/imports/[^/]+"


@pytest.fixture
def book(image):
    return image("book.pdf", BOOK)


def texts(local_system, project="project-1"):
    """What the project's pages are of, in order."""
    return [page.text.removeprefix("text of ") for page in local_system.pages if page.project_id == project]


def test_a_document_becomes_a_project_of_its_name(local_system, run, book):
    result = run("import", book)
    assert result.exit_code == 0, result.stderr
    assert local_system.projects == {"project-1": "book"}
    assert texts(local_system) == ["one", "two", "three"]
    assert all(page.status == "ready" for page in local_system.pages)
    assert "book.pdf: 3 pages in project project-1: 3 recognised" in result.stderr
    assert result.stdout == ""


def test_progress_shows_the_upload_the_pages_and_their_recognition(local_system, run, image):
    lines = run("import", image("book.pdf", BOOK + b" " * 300_000)).stderr.splitlines()
    assert "Uploading book.pdf: 100 % of 300 KB" in lines
    assert "Taking book.pdf apart: 1 of 3 pages" in lines
    assert "Taking book.pdf apart: 3 of 3 pages" in lines
    assert "Recognising: 3 of 3 pages" in lines


def test_a_file_is_read_piece_by_piece_as_it_is_sent(local_system, run, image, monkeypatch):
    pieces = []
    read = io.FileIO.read

    def watched(file, size=-1):
        pieces.append(size)
        return read(file, size)

    monkeypatch.setattr(storage._WatchedFile, "read", watched)  # noqa: SLF001
    assert run("import", image("book.pdf", BOOK + b" " * 300_000)).exit_code == 0
    assert len(pieces) > 3
    assert all(0 < size <= 1 << 20 for size in pieces)


def test_the_storage_has_the_more_time_to_answer_the_more_it_gets(local_system, run, image):
    assert run("import", image("book.pdf", BOOK + b" " * 10_000_000)).exit_code == 0
    (request,) = local_system.calls("POST", UPLOADS)
    assert request.extensions["timeout"]["read"] == pytest.approx(37, abs=0.1)
    assert request.extensions["timeout"]["write"] == 5


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (BOOK, "application/pdf"),
        (b"junk before it " + BOOK, "application/pdf"),
        (b"II*\0\none\ntwo", "image/tiff"),
        (b"MM\0*\none\ntwo", "image/tiff"),
        (b"II+\0\none\ntwo", "image/tiff"),
    ],
)
def test_the_type_is_taken_from_the_content(local_system, run, image, content, content_type):
    assert run("import", image("any.thing", content)).exit_code == 0
    assert local_system.imports[0].content_type == content_type


def test_pages_with_text_of_their_own_are_told_apart(local_system, run, image):
    book = image("book.pdf", PDF + b"text:one\ntext:two\nthree")
    assert "3 pages in project project-1: 2 with text of their own, 1 recognised" in run("import", book).stderr
    again = run("import", book, "--recognise-anyway")
    assert "3 pages in project project-2: 3 recognised" in again.stderr


@pytest.mark.parametrize("name", ["project-1", "Letters"])
def test_pages_are_added_to_a_project_by_its_id_or_its_name(local_system, run, book, name):
    local_system.add_page(local_system.add_project("Letters"), image=JPEG + b"first")
    assert run("import", book, "--project", name).exit_code == 0
    assert len(local_system.projects) == 1
    assert texts(local_system) == ["first", "one", "two", "three"]


def test_a_project_that_is_not_there_is_refused_before_anything_is_uploaded(local_system, run, book):
    result = run("import", book, "--project", "None such")
    assert result.exit_code == 6
    assert "There is no project “None such”" in result.stderr
    assert not local_system.calls("POST", UPLOADS)


def test_several_files_come_one_after_the_other(local_system, run, image, book):
    other = image("other.pdf", PDF + b"four\nfive")
    assert run("import", book, other).exit_code == 0
    assert local_system.projects == {"project-1": "book", "project-2": "other"}
    local_system.add_project("Both")
    assert run("import", book, other, "--project", "Both").exit_code == 0
    assert texts(local_system, "project-3") == ["one", "two", "three", "four", "five"]


def test_the_files_order_is_kept_also_where_nobody_waits(local_system, run, image, book):
    local_system.add_project("Both")
    result = run("import", book, image("other.pdf", PDF + b"four"), "--project", "Both", "--no-wait")
    assert result.exit_code == 0
    opened, uploads = [
        [n for n, request in enumerate(local_system.requests) if fits(request)]
        for fits in (
            lambda request: request.url.path == "/imports/import-1",
            lambda request: request.url.path == UPLOADS,
        )
    ]
    assert uploads[0] < opened[0] < opened[-1] < uploads[1]
    assert local_system.imports[0].count == 3


def test_without_waiting_the_rest_is_left_to_the_system(local_system, run, book):
    result = run("import", book, "--no-wait")
    assert result.exit_code == 0
    assert "book.pdf: uploaded as import import-1." in result.stderr
    assert local_system.pages == []
    result = run("import", book)
    assert result.exit_code == 0
    assert "going on with the import into project project-1" in result.stderr
    assert texts(local_system) == ["one", "two", "three"]
    assert len(local_system.calls("POST", UPLOADS)) == 1


# ---- what cannot be imported


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "bad.pdf: is empty"),
        (b"\xff\xd8\xff\xe0", "bad.pdf: is neither PDF nor TIFF; single images are pages: docscan scan"),
        (b" " * 1024 + BOOK, "bad.pdf: is neither PDF nor TIFF"),
    ],
)
def test_a_file_that_is_no_document_is_refused_before_anything_is_created(
    local_system, run, image, book, content, says
):
    result = run("import", book, image("bad.pdf", content))
    assert result.exit_code == 2
    assert says in result.stderr
    assert local_system.requests == []


def test_a_file_above_the_system_s_own_limit_is_refused_before_anything_is_created(local_system, run, image, book):
    local_system.configuration["limits"]["importBytes"] = 2 * 1024 * 1024
    result = run("import", book, image("large.pdf", BOOK + bytes(3 * 1024 * 1024)))
    assert result.exit_code == 2
    assert "large.pdf: has 3.0 MB; an import may have 2. Split it" in result.stderr
    assert local_system.projects == {}


def test_there_is_advice_for_every_reason_of_the_contract():
    failure = api_contract.DOCUMENT["components"]["schemas"]["ImportFailure"]
    assert imports.ADVICE.keys() == set(failure["properties"]["code"]["enum"])


@pytest.mark.parametrize("code", sorted(imports.ADVICE))
def test_each_reason_to_fail_comes_with_what_to_do(local_system, run, image, code):
    local_system.import_refusal = {"code": code, "message": "What the system says."}
    result = run("import", image("bad.pdf", PDF + b"REFUSED"))
    assert result.exit_code == (5 if code == "import-failed" else 6)
    assert f"bad.pdf: What the system says.\n{imports.ADVICE[code]}" in result.stderr


def test_pages_that_were_made_before_it_failed_are_named(local_system, run, image):
    local_system.import_refusal = {"code": "page-failed", "message": "Page 3 could not be drawn."}
    result = run("import", image("bad.pdf", PDF + b"one\ntwo\nREFUSED"))
    assert result.exit_code == 6
    assert "What was made of it, 2 pages, is in project project-1." in result.stderr


def test_a_file_that_fails_does_not_keep_the_others_back(local_system, run, image, book):
    result = run("import", image("bad.pdf", PDF + b"REFUSED"), book)
    assert result.exit_code == 6
    assert "bad.pdf: The file is damaged." in result.stderr
    assert "book.pdf: 3 pages in project project-2: 3 recognised" in result.stderr


def test_an_import_that_failed_is_begun_anew_in_the_project_that_was_made_for_it(local_system, run, image):
    bad = image("bad.pdf", PDF + b"REFUSED")
    local_system.import_refusal = {"code": "quota-exceeded", "message": "There is no page left of today's."}
    assert run("import", bad).exit_code == 6
    assert run("import", bad).exit_code == 6
    assert [one.project_id for one in local_system.imports] == ["project-1", "project-1"]
    local_system.projects = {"project-9": "Another"}
    assert run("import", bad).exit_code == 6
    assert local_system.imports[2].project_id == "project-2"


def test_an_import_that_failed_with_pages_is_begun_anew_apart_from_them(local_system, run, image):
    bad = image("bad.pdf", PDF + b"one\nREFUSED")
    assert run("import", bad).exit_code == 6
    assert run("import", bad).exit_code == 6
    assert [one.project_id for one in local_system.imports] == ["project-1", "project-2"]


def test_a_used_up_quota_is_said_and_nothing_is_uploaded(local_system, run, book):
    refusal = {"message": "You have used up today's 1,000 pages.", "code": "quota-exceeded"}
    local_system.fail("POST", IMPORTS, httpx.Response(429, json=refusal))
    result = run("import", book)
    assert result.exit_code == 6
    assert "used up today's 1,000 pages" in result.stderr
    assert not local_system.calls("POST", UPLOADS)


def test_pages_that_cannot_be_recognised_are_named(local_system, run, image):
    local_system.add_page(local_system.add_project("Letters"), "failed")
    result = run("import", image("book.pdf", PDF + b"one\nDAMAGED\nthree"), "--project", "Letters", "--timeout", "9999")
    assert result.exit_code == 1
    assert "3 pages in project project-1: 2 recognised, 1 failed" in result.stderr
    assert "1 page could not be recognised:\n  book.pdf, page 3: The image is damaged. Scan it again." in result.stderr


def test_pages_of_others_that_never_got_an_image_are_not_waited_for(local_system, run, book):
    project = local_system.add_project("Letters")
    local_system.add_page(project, "awaiting-upload").images.clear()
    assert run("import", book, "--project", project, "--timeout", "60").exit_code == 0


# ---- it is cut off, and goes on


def test_a_file_that_was_imported_is_not_imported_twice(local_system, run, image, book, folder):
    assert run("import", book).exit_code == 0
    os.utime(book)
    result = run("import", book, image("copy.pdf", BOOK))
    assert result.exit_code == 0
    assert "book.pdf: was imported on 2026-11-21, into project project-1. --again" in result.stderr
    assert "copy.pdf: was imported" in result.stderr
    assert len(local_system.imports) == 1


@pytest.mark.parametrize("changed", [["--again"], ["--project", "Letters"], ["--recognise-anyway"]])
def test_it_is_imported_once_more_where_that_is_asked_for(local_system, run, book, changed):
    local_system.add_project("Letters")
    assert run("import", book).exit_code == 0
    assert run("import", book, *changed).exit_code == 0
    assert len(local_system.imports) == 2


def test_a_file_that_has_changed_is_another_one(local_system, run, image):
    assert run("import", image("book.pdf", BOOK)).exit_code == 0
    assert run("import", image("book.pdf", BOOK + b"\nfour")).exit_code == 0
    assert len(local_system.imports) == 2


@pytest.mark.parametrize("gone", ["import", "project"])
def test_what_the_system_does_not_know_any_more_is_begun_anew(local_system, run, book, gone):
    assert run("import", book).exit_code == 0
    if gone == "import":
        local_system.imports.clear()
    else:
        local_system.projects.clear()
        local_system.projects["project-9"] = "Another"
    assert run("import", book).exit_code == 0
    assert len(local_system.imports) == (1 if gone == "import" else 2)


def test_an_upload_that_was_cut_off_is_made_good_to_the_same_import(local_system, run, book, ctrl_c):
    local_system.fail("POST", UPLOADS, ctrl_c)
    first = run("import", book)
    assert first.exit_code == 130
    (command,) = re.findall(r"docscan (import .*)", first.stderr)
    assert run(*command.split()).exit_code == 0
    assert len(local_system.imports) == len(local_system.projects) == 1
    assert texts(local_system) == ["one", "two", "three"]


def test_a_wait_that_was_cut_off_goes_on_without_another_upload(local_system, run, book, ctrl_c):
    local_system.fail("GET", IMPORT, *[lambda _: None] * 3, ctrl_c)
    assert run("import", book).exit_code == 130
    assert run("import", book).exit_code == 0
    assert len(local_system.calls("POST", UPLOADS)) == 1
    assert texts(local_system) == ["one", "two", "three"]


def test_a_wait_for_recognition_that_was_cut_off_goes_on(local_system, run, book, ctrl_c):
    local_system.fail("GET", "/projects/project-1", ctrl_c)
    first = run("import", book)
    assert first.exit_code == 130
    second = run("import", book)
    assert second.exit_code == 0
    assert "3 pages in project project-1: 3 recognised" in second.stderr
    assert len(local_system.imports) == 1


def test_an_upload_that_arrived_is_not_repeated_before_the_system_has_seen_it(local_system, run, book):
    local_system.stuck = True
    assert run("import", book, "--timeout", "60").exit_code == 8
    local_system.stuck = False
    assert run("import", book).exit_code == 0
    assert len(local_system.calls("POST", UPLOADS)) == 1


def test_a_form_that_has_expired_is_replaced(local_system, run, book, ctrl_c, monkeypatch):
    local_system.fail("POST", UPLOADS, ctrl_c)
    assert run("import", book).exit_code == 130
    later = time.time() + 20 * 60
    monkeypatch.setattr(imports.time, "time", lambda: later)
    assert run("import", book).exit_code == 0
    assert [len(one.uploads) for one in local_system.imports] == [0, 1]
    assert len(local_system.projects) == 1


def test_a_form_that_expires_while_the_upload_goes_wrong_is_replaced(local_system, run, book, monkeypatch):
    now = [time.time()]
    monkeypatch.setattr(imports.time, "time", lambda: now[0])
    expired = httpx.Response(403, content=b"<Error><Code>AccessDenied</Code></Error>")
    storage = local_system.storage

    async def refuse_old_forms(request, body):
        if b"imports/import-1" in body:
            now[0] += 20 * 60
            return expired
        return await storage(request, body)

    local_system.storage = refuse_old_forms
    assert run("import", book).exit_code == 0
    assert [len(one.uploads) for one in local_system.imports] == [0, 1]


def test_a_storage_that_refuses_a_fresh_form_is_an_error(local_system, run, book):
    local_system.fail("POST", UPLOADS, httpx.Response(403, content=b"<Error><Code>AccessDenied</Code></Error>"))
    result = run("import", book)
    assert result.exit_code == 5
    assert "book.pdf: the storage did not take the file (AccessDenied)" in result.stderr
    assert len(local_system.imports) == 1


@pytest.mark.parametrize("fault", [httpx.Response(503), httpx.ReadError("reset"), httpx.ConnectError("refused")])
@pytest.mark.parametrize("place", [("POST", UPLOADS), ("POST", IMPORTS), ("GET", IMPORT), ("GET", "/projects/[^/]+")])
def test_a_passing_trouble_is_got_over(local_system, run, book, place, fault):
    local_system.fail(*place, fault, fault)
    assert run("import", book).exit_code == 0
    assert texts(local_system) == ["one", "two", "three"]


def test_a_lasting_trouble_says_how_to_go_on(local_system, run, book):
    local_system.fail("GET", IMPORT, *[httpx.ConnectError("refused")] * 6)
    result = run("import", book, "--recognise-anyway")
    assert result.exit_code == 3
    assert "docscan import book.pdf --recognise-anyway" in result.stderr
    assert run("import", book, "--recognise-anyway").exit_code == 0
    assert len(local_system.imports) == 1


def test_ctrl_c_before_anything_is_begun_says_so(local_system, run, book, ctrl_c):
    local_system.fail("GET", "/config", ctrl_c)
    result = run("import", book)
    assert result.exit_code == 130
    assert "Nothing was begun." in result.stderr
