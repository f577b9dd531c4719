"""`docscan scan`, `pdf` and `text`, against a whole system in memory."""

import asyncio
import contextlib
import re

import httpx
import pytest

from docscan_cli import output, retry
from docscan_cli.errors import OutputError

JPEG = b"\xff\xd8\xff\xe0 a photograph of "
DAMAGED = JPEG + b"DAMAGED"
UPLOADS = "/bucket"
PDFS = "/documents/.*"


def test_scan_writes_the_pdf_of_all_pages(local_system, run, image, folder):
    result = run("scan", image("a.jpg"), image("b.jpg"), "-o", "out.pdf")
    assert result.exit_code == 0
    assert (folder / "out.pdf").read_bytes() == local_system.pdf_bytes("project-1")
    assert local_system.pdf_bytes("project-1").count(b"photograph") == 2
    assert "out.pdf: 2 pages" in result.stderr
    assert result.stdout == ""


def test_pages_are_in_the_order_of_the_arguments_whichever_upload_ends_first(local_system, run, image, folder):
    images = [image(name) for name in ("c.jpg", "a.jpg", "b.jpg")]
    local_system.slow_uploads = {images[0].read_bytes(): 200}
    assert run("scan", *images, "--text", "out.txt").exit_code == 0
    assert (folder / "out.txt").read_text() == "text of c.jpg\n\ftext of a.jpg\n\ftext of b.jpg\n"
    assert [path.url.path for path in local_system.calls("POST", ".*/pages|/bucket")][-1] == UPLOADS


@pytest.mark.parametrize(("jobs", "at_once"), [((), 4), (("--jobs", "2"), 2), (("-j", "1"), 1)])
def test_uploads_run_at_the_same_time_but_no_more_than_jobs(local_system, run, image, jobs, at_once):
    images = [image(f"{number}.jpg") for number in range(9)]
    local_system.slow_uploads = {path.read_bytes(): 50 for path in images}
    assert run("scan", *images, "-o", "out.pdf", *jobs).exit_code == 0
    assert local_system.most_uploading == at_once


def test_a_page_is_created_only_when_its_upload_can_start(local_system, run, image):
    """An upload form ends after 15 minutes; a long scan must not collect them."""
    run("scan", *[image(f"{number}.jpg") for number in range(4)], "-o", "out.pdf", "--jobs", "1")
    writes = [request.url.path for request in local_system.calls("POST", ".*/pages|/bucket")]
    assert writes == ["/projects/project-1/pages", UPLOADS] * 4


def test_text_to_stdout_is_all_that_stdout_gets(local_system, run, image):
    result = run("scan", image("a.jpg", "Grüße"), image("b.jpg"), "--text", "-")
    assert result.stdout == "text of Grüße\n\ftext of b.jpg\n"
    assert not local_system.calls("GET", ".*/pdf")


def test_the_type_is_taken_from_the_content_not_from_the_name(local_system, run, image):
    png, tiff = b"\x89PNG\r\n\x1a\n rest", b"II*\0\x08\0\0\0\0\0\0\0\0\0"
    assert run("scan", image("a.jpg", png), image("b", tiff), image("c.png"), "-o", "out.pdf").exit_code == 0
    assert [page.content_type for page in local_system.pages] == ["image/png", "image/tiff", "image/jpeg"]


@pytest.mark.parametrize(
    ("files", "given", "name"),
    [
        (["invoice.jpg"], [], "invoice"),
        (["invoice.jpg", "b.jpg", "c.jpg"], [], "invoice and 2 more"),
        (["invoice.jpg"], ["--name", "Receipts / November 🧾"], "Receipts / November 🧾"),
        (["\x1b[31m.jpg"], [], "�[31m"),
        (["x" * 240 + ".jpg", "b.jpg"], [], "x" * 189 + " and 1 more"),
    ],
)
def test_the_project_is_named(local_system, run, image, files, given, name):
    assert run("scan", *[image(file) for file in files], "-o", "out.pdf", *given).exit_code == 0
    assert list(local_system.projects.values()) == [name]


def test_nobody_signs_in_by_hand_to_the_local_system(local_system, run, image):
    run("scan", image("a.jpg"), "-o", "out.pdf")
    assert local_system.sign_ins == {"USER_PASSWORD_AUTH": 1}


# ---- pages that fail


@pytest.mark.defect(9)
def test_a_page_that_cannot_be_recognised_is_named_and_the_others_are_finished(local_system, run, image, folder):
    result = run("scan", image("a.jpg"), image("b.jpg", DAMAGED), image("c.jpg"), "-o", "out.pdf", "--text", "t.txt")
    assert result.exit_code == 1
    assert "b.jpg (page 2): The image is damaged. Scan it again." in result.stderr
    assert "1 of 3 pages failed" in result.stderr
    assert "from before" not in result.stderr
    assert (folder / "out.pdf").read_bytes() == local_system.pdf_bytes("project-1")
    assert (folder / "t.txt").read_text() == "text of a.jpg\n\ftext of c.jpg\n"


def test_nothing_is_written_when_no_page_is_ready(local_system, run, image, folder):
    result = run("scan", image("a.jpg", DAMAGED), "-o", "out.pdf")
    assert result.exit_code == 1
    assert "a.jpg (page 1): The image is damaged." in result.stderr
    assert not (folder / "out.pdf").exists()


def test_an_image_that_the_storage_refuses_is_named_with_the_command_that_adds_it(local_system, run, image, folder):
    refusal = httpx.Response(403, content=b"<Error><Code>AccessDenied</Code></Error>")
    local_system.fail("POST", UPLOADS, refusal)
    result = run("scan", image("a b.jpg"), image("c.jpg"), "-o", "out.pdf", "--jobs", "1")
    assert result.exit_code == 1
    assert "a b.jpg (page 1): not uploaded: the storage did not take the file (AccessDenied)" in result.stderr
    assert "docscan scan 'a b.jpg' --project project-1 -o out.pdf --force" in result.stderr
    assert (folder / "out.pdf").read_bytes() == b"%PDF-1.7 " + JPEG + b"c.jpg"


def test_the_layout_of_the_pdf_can_be_chosen(local_system, run, image):
    assert run("scan", image("a.jpg"), "-o", "scan.pdf").exit_code == 0
    assert run("scan", image("b.jpg"), "-o", "text.pdf", "--layout", "text").exit_code == 0
    assert run("pdf", "project-1", "-o", "again.pdf", "--layout", "text").exit_code == 0
    assert local_system.layouts == ["scan", "text", "text"]
    assert run("pdf", "project-1", "-o", "book.pdf", "--layout", "book").exit_code == 2


def test_the_command_to_go_on_with_has_the_layout(local_system, run, image):
    local_system.fail("POST", UPLOADS, httpx.Response(403, content=b"<Error><Code>AccessDenied</Code></Error>"))
    result = run("scan", image("a.jpg"), image("b.jpg"), "-o", "out.pdf", "--layout", "text", "--jobs", "1")
    assert "docscan scan a.jpg --project project-1 -o out.pdf --layout text --force" in result.stderr


def test_a_file_that_vanishes_fails_alone(local_system, run, image, folder):
    vanishing = image("b.jpg")
    local_system.fail("POST", ".*/pages", lambda _: None, lambda _: (folder / vanishing).unlink())
    result = run("scan", image("a.jpg"), vanishing, image("c.jpg"), "-o", "out.pdf", "--jobs", "1")
    assert result.exit_code == 1
    assert "b.jpg (page 2): not uploaded: the file cannot be read: No such file or directory" in result.stderr
    assert local_system.pdf_bytes("project-1").count(b"photograph") == 2


def test_a_file_that_changes_its_length_meanwhile_is_not_sent_half(local_system, run, image, monkeypatch, folder):
    local_system.fail("POST", UPLOADS, httpx.LocalProtocolError("Too little data for declared Content-Length"))
    result = run("scan", image("a.jpg"), "-o", "out.pdf")
    assert result.exit_code == 1
    assert "the file changed while it was being uploaded" in result.stderr


# ---- what is refused before anything is created


TIFF_OF_TWO = b"MM\0*\0\0\0\x08\0\1" + bytes(12) + b"\0\0\0\x20" + bytes(20)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (JPEG + bytes(10 * 1024 * 1024), "has 10.0 MB; a page image may have 10"),
        (b"%PDF-1.7", "is a PDF; import it: docscan import FILE"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "is a HEIC or AVIF image; save it as JPEG"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "is a WebP image; save it as JPEG or PNG"),
        (b"II+\0\x08\0\0\0", "is a BigTIFF"),
        (TIFF_OF_TWO, "is a TIFF of several pages; import it: docscan import FILE"),
        (b"GIF89a", "is neither JPEG, PNG nor TIFF"),
        (b"\xff\xd8", "is neither JPEG, PNG nor TIFF"),
    ],
)
def test_a_file_that_cannot_be_a_page_is_refused_before_anything_is_created(local_system, run, image, content, reason):
    result = run("scan", image("good.jpg"), image("bad.jpg", content), "-o", "out.pdf")
    assert result.exit_code == 2
    assert f"bad.jpg: {reason}" in result.stderr
    assert "good.jpg" not in result.stderr
    assert local_system.requests == []


def test_all_files_that_cannot_be_pages_are_named_at_once(local_system, run, image, folder):
    (folder / "pages").mkdir()
    result = run("scan", "none.jpg", "pages", image("empty.jpg", b""), "-o", "out.pdf")
    assert result.exit_code == 2
    assert "none.jpg: No such file or directory" in result.stderr
    assert "pages: is a folder" in result.stderr
    assert "empty.jpg: is empty" in result.stderr


def test_ten_mebibytes_are_allowed(local_system, run, image):
    assert run("scan", image("a.jpg", JPEG.ljust(10 * 1024 * 1024)), "-o", "out.pdf").exit_code == 0


def test_a_tiff_that_ends_early_is_left_to_recognition(local_system, run, image):
    assert run("scan", image("a.tif", b"II*\0\xff\xff\0\0"), "-o", "out.pdf").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "-o out.pdf"),
        (["-o", "-"], "A PDF is written to a file"),
        (["-o", "there.pdf"], "there.pdf exists. Give another name, or --force"),
        (["--text", "there.pdf"], "there.pdf exists"),
        (["-o", "a.jpg", "--force"], "a.jpg is one of the images"),
        (["-o", "x", "--text", "x"], "cannot both be x"),
        (["-o", "."], ". is a folder"),
        (["-o", "/dev/null", "--force"], "/dev/null is a folder or device"),
        (["-o", "none/out.pdf"], "there is no folder"),
        (["-o", "out.pdf", "--project", "../x"], "'../x' is not a project's id"),
        (["-o", "out.pdf", "--project", "x", "--name", "y"], "Leave one of them out"),
        (["-o", "out.pdf", "--name", "  "], "1 to 200 characters"),
        (["-o", "out.pdf", "--name", "x" * 201], "1 to 200 characters"),
        (["-o", "out.pdf", "--jobs", "0"], "--jobs"),
    ],
)
def test_a_command_line_that_cannot_work_is_refused_before_anything_is_created(
    local_system, run, image, folder, arguments, says
):
    (folder / "there.pdf").write_text("precious")
    result = run("scan", image("a.jpg"), *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert local_system.requests == []
    assert (folder / "there.pdf").read_text() == "precious"


def test_force_replaces_a_file_and_keeps_its_mode_and_the_link_to_it(local_system, run, image, folder):
    (folder / "kept.pdf").write_text("old")
    (folder / "kept.pdf").chmod(0o640)
    (folder / "out.pdf").symlink_to("kept.pdf")
    assert run("scan", image("a.jpg"), "-o", "out.pdf", "--force").exit_code == 0
    assert (folder / "out.pdf").is_symlink()
    assert (folder / "kept.pdf").read_bytes() == local_system.pdf_bytes("project-1")
    assert (folder / "kept.pdf").stat().st_mode & 0o777 == 0o640


# ---- an existing project


def test_project_adds_to_a_project_and_the_results_are_of_all_its_pages(local_system, run, image, folder):
    project = local_system.add_project("Letters")
    local_system.add_page(project, image=JPEG + b"before")
    result = run("scan", image("a.jpg"), "--project", project, "-o", "out.pdf", "--text", "out.txt")
    assert result.exit_code == 0
    assert list(local_system.projects) == [project]
    assert (folder / "out.txt").read_text() == "text of before\n\ftext of a.jpg\n"
    assert (folder / "out.pdf").read_bytes() == local_system.pdf_bytes(project)
    assert "a.jpg (page 2): ready" in result.stderr


def test_an_unknown_project_is_refused_before_a_page_is_created(local_system, run, image):
    result = run("scan", image("a.jpg"), "--project", "gone", "-o", "out.pdf")
    assert result.exit_code == 6
    assert "There is no such project." in result.stderr
    assert local_system.pages == []


def test_pages_that_others_are_adding_are_waited_for(local_system, run, image):
    project = local_system.add_project()
    other = local_system.add_page(project, "awaiting-upload", JPEG + b"other")
    result = run("scan", image("a.jpg"), "--project", project, "-o", "out.pdf")
    assert result.exit_code == 0
    assert other.status == "ready"
    assert "page 1: ready" in result.stderr


def test_pages_that_were_missing_before_are_named_and_do_not_fail_the_scan(local_system, run, image):
    project = local_system.add_project()
    local_system.add_page(project, "failed")
    local_system.add_page(project, "awaiting-upload").images = []
    result = run("scan", image("a.jpg"), "--project", project, "-o", "out.pdf")
    assert result.exit_code == 0
    assert "page 1: The image is damaged." in result.stderr
    assert "page 2: no image was uploaded" in result.stderr


def test_the_pdf_waits_when_a_page_begins_to_be_recognised_after_the_last_look(local_system, run, image, folder):
    project = local_system.add_project()
    local_system.add_page(project)

    def somebody_uploads(request):
        local_system.add_page(project, "recognising", JPEG + b"late")

    local_system.fail("GET", ".*/pdf", somebody_uploads)
    assert run("pdf", project, "-o", "out.pdf").exit_code == 0
    assert b"late" in (folder / "out.pdf").read_bytes()


# ---- waiting


def test_waiting_takes_one_list_call_a_look_and_no_call_for_a_single_page(local_system, run, image):
    run("scan", *[image(f"{number}.jpg") for number in range(30)], "-o", "out.pdf", "--jobs", "30")
    assert not local_system.calls("GET", "/projects/[^/]+/pages/.+")
    assert len(local_system.calls("GET", "/projects/[^/]+/pages")) < 30


def test_what_is_settled_is_not_looked_at_again(local_system, run, image):
    project = local_system.add_project()
    for _ in range(40):
        local_system.add_page(project)
    local_system.part_size = 10
    run("scan", image("a.jpg"), "--project", project, "-o", "out.pdf")
    lists = [request.url.params.get("cursor") for request in local_system.calls("GET", "/projects/[^/]+/pages")]
    first_look, last_read = ([None, "10", "20", "30", "40"],) * 2
    assert lists[:5] == first_look
    assert lists[-5:] == last_read
    assert set(lists[5:-5]) == {"40"}


def test_pages_in_every_part_of_the_list_are_waited_for(local_system, run, image):
    local_system.part_size = 2
    assert run("scan", *[image(f"{number}.jpg") for number in range(7)], "-o", "out.pdf").exit_code == 0
    assert {page.status for page in local_system.pages} == {"ready"}


def test_a_page_that_was_passed_over_is_waited_for_once_it_is_uploaded(local_system, run, folder):
    project = local_system.add_project()
    awaited, _ = local_system.add_page(project, "awaiting-upload"), local_system.add_page(project)
    awaited.images = []
    local_system.part_size = 1

    def somebody_uploads(request):
        awaited.images, awaited.status = [JPEG + b"late"], "recognising"

    local_system.fail("GET", ".*/pdf", somebody_uploads)
    assert run("pdf", project, "-o", "out.pdf", "--timeout", "60").exit_code == 0
    assert b"late" in (folder / "out.pdf").read_bytes()


def test_it_gives_up_when_nothing_changes(local_system, run, image):
    local_system.stuck = True
    result = run("scan", image("a.jpg"), "-o", "out.pdf", "--timeout", "60")
    assert result.exit_code == 8
    assert "Not done yet: a.jpg" in result.stderr
    assert "docscan pdf project-1 -o out.pdf" in result.stderr


def test_a_pdf_that_never_becomes_possible_is_given_up(local_system, run):
    project = local_system.add_project()
    local_system.add_page(project)
    refusal = httpx.Response(409, json={"message": "Pages are still being recognised.", "code": "pages-not-ready"})
    local_system.fail("GET", ".*/pdf", *[refusal] * 1000)
    assert run("pdf", project, "-o", "out.pdf", "--timeout", "60").exit_code == 8


# ---- trouble on the way


@pytest.mark.parametrize(
    "fault",
    [
        httpx.Response(503, content=b"<Error><Code>SlowDown</Code></Error>"),
        httpx.Response(500),
        httpx.ReadError("connection reset"),
        httpx.ConnectError("refused"),
        httpx.WriteTimeout("slow"),
        httpx.RemoteProtocolError("closed"),
    ],
)
def test_an_upload_is_repeated_whole_to_the_same_place(local_system, run, image, fault):
    data = JPEG + bytes(range(256)) * 1000
    local_system.fail("POST", UPLOADS, fault, fault)
    assert run("scan", image("a.jpg", data), "-o", "out.pdf").exit_code == 0
    (page,) = local_system.pages
    assert page.images == [data]
    assert len(local_system.calls("POST", UPLOADS)) == 3


def test_the_more_pages_are_waited_for_the_less_often_they_are_looked_at(local_system, run, image, monkeypatch):
    pause, pauses = retry.pause, []

    async def noted(seconds):
        pauses.append(seconds)
        await pause(seconds)

    monkeypatch.setattr(retry, "pause", noted)
    longest = {}
    for count in (1, 8, 30):
        pauses.clear()
        images = [image(f"{number}.jpg") for number in range(count)]
        assert run("scan", *images, "-o", f"{count}.pdf", "--jobs", str(count)).exit_code == 0
        longest[count] = max(pauses)
    assert longest[1] < 0.5 < longest[8] < longest[30] <= 2


@pytest.fixture
def after_storing(local_system, monkeypatch):
    """Let something happen between the arrival of each image and the storage's answer."""

    def install(happening):
        storage = local_system.storage

        async def store(request, body):
            answer = await storage(request, body)
            await happening(request, body)
            return answer

        monkeypatch.setattr(local_system, "storage", store)

    return install


def test_an_upload_whose_answer_got_lost_changes_nothing_when_repeated(local_system, run, image, after_storing):
    lost = iter([True])

    async def lose_the_first_answer(request, body):
        if next(lost, False):
            raise httpx.ReadError("connection reset")

    after_storing(lose_the_first_answer)
    assert run("scan", image("a.jpg"), "--text", "-").exit_code == 0
    assert local_system.pages[0].images == [JPEG + b"a.jpg"] * 2


def test_an_upload_that_arrived_without_any_answer_is_no_failure(local_system, run, image, after_storing):
    async def lose_the_answer(request, body):
        if request.method == "POST":
            raise httpx.ReadError("connection reset")

    after_storing(lose_the_answer)
    local_system.fail("GET", ".*/pdf", *[httpx.Response(500)] * 6)
    result = run("scan", image("a.jpg"), "-o", "out.pdf")
    assert result.exit_code == 5
    assert "Project project-1 has 1 of the 1 image." in result.stderr
    assert "docscan pdf project-1" in result.stderr


def test_a_page_that_is_ready_before_its_uploads_answer_stays_ready(local_system, run, image, after_storing):
    async def answer_late(request, body):
        for _ in range(100 if b"a.jpg" in body else 0):
            await asyncio.sleep(0)

    after_storing(answer_late)
    result = run("scan", image("a.jpg"), image("b.jpg"), "-o", "out.pdf")
    assert result.exit_code == 0
    states = [line.partition(": ")[2] for line in result.stderr.splitlines() if "] a.jpg" in line]
    assert states == ["uploading", "recognising", "ready, confidence 97 %"]


@pytest.mark.parametrize("method_and_path", [("POST", "/projects"), ("POST", ".*/pages"), ("GET", ".*/pages"),
                                             ("GET", ".*/pdf"), ("GET", PDFS), ("POST", "/")])  # fmt: skip
@pytest.mark.parametrize("fault", [httpx.Response(429), httpx.Response(503), httpx.ReadError("reset")])
def test_a_passing_trouble_is_got_over(local_system, run, image, folder, method_and_path, fault):
    local_system.fail(*method_and_path, fault)
    assert run("scan", image("a.jpg"), "-o", "out.pdf").exit_code == 0
    assert (folder / "out.pdf").read_bytes() == local_system.pdf_bytes("project-1")


def test_a_used_up_quota_ends_the_scan_at_once_and_says_how_to_go_on(local_system, run, image):
    answer = {"message": "You have used up today's 1,000 pages.", "code": "quota-exceeded"}
    local_system.fail("POST", ".*/pages", lambda _: None, httpx.Response(429, json=answer))
    result = run("scan", image("a.jpg"), image("b.jpg"), "-o", "out.pdf", "--jobs", "1")
    assert result.exit_code == 6
    assert "You have used up today's 1,000 pages." in result.stderr
    assert "docscan scan b.jpg --project project-1 -o out.pdf" in result.stderr
    assert len(local_system.calls("POST", ".*/pages")) == 2


def test_a_lasting_trouble_ends_with_what_was_done_and_how_to_go_on(local_system, run, image):
    local_system.fail("GET", ".*/pages", *[httpx.Response(500, json={"message": "Internal Server Error"})] * 6)
    result = run("scan", image("a.jpg"), "-o", "out.pdf")
    assert result.exit_code == 5
    assert "500: Internal Server Error" in result.stderr
    assert "Project project-1 has 1 of the 1 image." in result.stderr
    assert "docscan pdf project-1 -o out.pdf" in result.stderr


def test_a_system_that_stops_meanwhile_is_not_reachable(local_system, run, image):
    local_system.fail("POST", ".*/pages", lambda _: None, *[httpx.ConnectError("Connection refused")] * 6)
    result = run("scan", image("a.jpg"), image("b.jpg"), "-o", "out.pdf", "--jobs", "1")
    assert result.exit_code == 3
    assert "127.0.0.1:3000 cannot be reached (Connection refused)" in result.stderr
    assert "docscan up" in result.stderr
    assert "docscan scan b.jpg --project project-1 -o out.pdf" in result.stderr


def test_a_download_that_breaks_is_begun_anew_and_never_seen_half(local_system, run, image, folder):
    class Breaking(httpx.AsyncByteStream):
        async def __aiter__(self):
            yield b"%PDF- half of a longer document than the real one is, as long as it is"
            raise httpx.ReadError("reset")

    local_system.fail("GET", PDFS, httpx.Response(200, stream=Breaking()))
    assert run("scan", image("a.jpg"), "-o", "out.pdf").exit_code == 0
    assert (folder / "out.pdf").read_bytes() == local_system.pdf_bytes("project-1")
    assert sorted(path.name for path in folder.iterdir()) == [".docscan", "a.jpg", "out.pdf"]


def test_a_failed_download_leaves_the_old_file_and_nothing_beside_it(local_system, run, image, folder):
    (folder / "out.pdf").write_text("old")
    local_system.fail("GET", PDFS, httpx.Response(403, content=b"<Error><Code>ExpiredToken</Code></Error>"))
    result = run("scan", image("a.jpg"), "-o", "out.pdf", "--force")
    assert result.exit_code == 5
    assert "(ExpiredToken)" in result.stderr
    assert (folder / "out.pdf").read_text() == "old"
    assert sorted(path.name for path in folder.iterdir()) == [".docscan", "a.jpg", "out.pdf"]


def test_a_full_disk_is_an_error_of_its_own(local_system, run, image, monkeypatch, folder):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output.os, "fsync", full)
    result = run("scan", image("a.jpg"), "-o", "out.pdf")
    assert result.exit_code == 7
    assert "No space left on device" in result.stderr
    assert "docscan pdf project-1 -o out.pdf" in result.stderr
    assert sorted(path.name for path in folder.iterdir()) == [".docscan", "a.jpg"]


@pytest.fixture
def large(local_system):
    """A project that is too large for a PDF at once."""
    project = local_system.add_project()
    for _ in range(101):
        local_system.add_page(project, image=JPEG + b"x")
    return project


@pytest.mark.parametrize(("layout", "kind"), [([], "pdf"), (["--layout", "text"], "text-pdf")])
def test_a_project_too_large_for_a_pdf_at_once_is_exported(local_system, run, large, folder, layout, kind):
    result = run("pdf", large, "-o", "out.pdf", *layout)
    assert result.exit_code == 0
    assert "too large for a PDF at once, so it is exported" in result.stderr
    assert "out.pdf: 101 pages" in result.stderr
    (export,) = local_system.exports.values()
    assert export.order == {"projectId": large, "format": kind}
    assert (folder / "out.pdf").read_bytes() == local_system.document_bytes(export.export_id)


def test_a_scan_into_a_large_project_is_exported_and_gives_its_text(local_system, run, image, large, folder):
    result = run("scan", image("a.jpg"), "--project", large, "-o", "out.pdf", "--text", "out.txt")
    assert result.exit_code == 0
    assert "out.pdf: 102 pages" in result.stderr
    assert (folder / "out.txt").read_text().count("\f") == 101


def test_a_project_too_large_for_an_export_too_still_gives_its_text(local_system, run, image, large, folder):
    local_system.export_refusal = {"code": "project-too-large", "message": "An export has at most 5,000 pages."}
    result = run("scan", image("a.jpg"), "--project", large, "-o", "out.pdf", "--text", "out.txt")
    assert result.exit_code == 6
    assert "at most 5,000 pages" in result.stderr
    assert "docscan pdf" not in result.stderr
    assert (folder / "out.txt").read_text().count("\f") == 101


def test_an_export_in_place_of_a_pdf_goes_on_after_ctrl_c(local_system, run, large, folder, ctrl_c):
    local_system.fail("GET", "/exports/.*", lambda _: None, ctrl_c)
    first = run("pdf", large, "-o", "out.pdf")
    assert first.exit_code == 130
    (command,) = re.findall(r"docscan (pdf .*)", first.stderr)
    assert run(*command.split()).exit_code == 0
    assert len(local_system.exports) == 1


def test_an_answer_that_is_not_the_contracts_is_the_systems_error(local_system, run):
    local_system.fail("GET", "/projects", httpx.Response(200, content=b"<html>It works!</html>"))
    result = run("projects")
    assert result.exit_code == 5
    assert "Is the address that of a Docscan API?" in result.stderr


# ---- Ctrl-C


def test_ctrl_c_says_what_is_done_and_how_to_go_on(local_system, run, image, ctrl_c, folder):
    local_system.fail("POST", UPLOADS, lambda _: None, ctrl_c)
    images = [image(name) for name in ("a.jpg", "b.jpg", "c.jpg")]
    result = run("scan", *images, "-o", "out.pdf", "--text", "out.txt", "--jobs", "1")
    assert result.exit_code == 130
    assert "Stopped." in result.stderr
    assert "Project project-1 has 1 of the 3 images." in result.stderr
    (command,) = re.findall(r"docscan (scan .*)", result.stderr)
    assert command == "scan b.jpg c.jpg --project project-1 -o out.pdf --text out.txt"

    assert run(*command.split()).exit_code == 0
    assert (folder / "out.txt").read_text() == "text of a.jpg\n\ftext of b.jpg\n\ftext of c.jpg\n"


def test_ctrl_c_while_waiting_leaves_only_the_results_to_be_fetched(local_system, run, image, ctrl_c, folder):
    local_system.fail("GET", ".*/pages", ctrl_c)
    result = run("scan", image("a.jpg"), "-o", "out.pdf", "--text", "out.txt")
    assert result.exit_code == 130
    commands = re.findall(r"docscan ((?:pdf|text) .*)", result.stderr)
    assert commands == ["pdf project-1 -o out.pdf", "text project-1 -o out.txt"]

    assert [run(*command.split()).exit_code for command in commands] == [0, 0]
    assert (folder / "out.pdf").read_bytes() == local_system.pdf_bytes("project-1")


def test_ctrl_c_during_the_download_leaves_no_file(local_system, run, image, ctrl_c, folder):
    local_system.fail("GET", PDFS, ctrl_c)
    assert run("scan", image("a.jpg"), "-o", "out.pdf").exit_code == 130
    assert sorted(path.name for path in folder.iterdir()) == [".docscan", "a.jpg"]


def test_ctrl_c_before_the_project_says_that_nothing_was_created(local_system, run, image, ctrl_c):
    local_system.fail("POST", "/", ctrl_c)
    result = run("scan", image("a.jpg"), "-o", "out.pdf")
    assert result.exit_code == 130
    assert "Nothing was created." in result.stderr
    assert local_system.projects == {}


# ---- the token


def test_the_token_is_renewed_before_it_ends(local_system, run, image):
    local_system.token_lifetime = 59
    assert run("scan", image("a.jpg"), "-o", "out.pdf").exit_code == 0
    assert local_system.sign_ins.total() > 3
    refused = [r for r in local_system.requests if r.headers.get("authorization") == ""]
    assert not refused


def test_a_token_that_is_no_longer_accepted_is_renewed_once(local_system, run, image):
    local_system.fail("POST", ".*/pages", httpx.Response(401, json={"message": "Unauthorized"}))
    assert run("scan", image("a.jpg"), "-o", "out.pdf").exit_code == 0
    assert local_system.sign_ins.total() == 2
    assert len(local_system.pages) == 1


def test_a_system_that_accepts_no_token_refuses(local_system, run, image):
    local_system.fail("POST", "/projects", *[httpx.Response(401, json={"message": "Unauthorized"})] * 2)
    result = run("scan", image("a.jpg"), "-o", "out.pdf")
    assert result.exit_code == 4
    assert "does not accept the sign-in: Unauthorized" in result.stderr
    assert len(local_system.calls("POST", "/projects")) == 2


def test_many_requests_that_find_the_token_old_renew_it_once(local_system, run):
    project = local_system.add_project()
    for _ in range(8):
        local_system.add_page(project)
    unauthorized = httpx.Response(401, json={"message": "Unauthorized"})
    local_system.fail("GET", ".*/pages/page-.*", *[unauthorized] * 4)
    assert run("text", project).exit_code == 0
    assert local_system.sign_ins.total() == 2


# ---- progress, pdf, text


def test_without_a_terminal_progress_is_lines_without_control_codes(local_system, run, image, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    result = run("scan", image("a.jpg"), image("b.jpg", DAMAGED), "-o", "out.pdf")
    assert "\x1b" not in result.stderr
    assert "\r" not in result.stderr
    lines = result.stderr.splitlines()
    assert "[0/2] a.jpg: uploading" in lines
    assert "[0/2] a.jpg: recognising" in lines or "[0/2] a.jpg (page 1): recognising" in lines
    assert "[1/2] a.jpg (page 1): ready, confidence 97 %" in lines
    assert "[2/2] b.jpg (page 2): failed: The image is damaged. Scan it again." in lines


def test_pdf_writes_what_is_ready_and_names_what_is_not(local_system, run, folder):
    project = local_system.add_project()
    local_system.add_page(project)
    local_system.add_page(project, "failed")
    result = run("pdf", project, "-o", "out.pdf")
    assert result.exit_code == 1
    assert "page 2: The image is damaged." in result.stderr
    assert (folder / "out.pdf").read_bytes() == local_system.pdf_bytes(project)


def test_pdf_waits_for_pages_that_are_being_recognised(local_system, run, folder):
    project = local_system.add_project()
    local_system.add_page(project, "recognising", JPEG + b"x")
    assert run("pdf", project, "-o", "out.pdf").exit_code == 0
    assert (folder / "out.pdf").read_bytes() == b"%PDF-1.7 " + JPEG + b"x"


def test_text_goes_to_stdout_by_itself(local_system, run, folder):
    project = local_system.add_project()
    local_system.add_page(project, image=JPEG + b"x")
    assert run("text", project).stdout == "text of x\n"
    assert run("text", project, "-o", "out.txt").exit_code == 0
    assert (folder / "out.txt").read_text() == "text of x\n"


@pytest.mark.parametrize("command", [("pdf", "-o", "out.pdf"), ("text",)])
def test_an_empty_project_has_nothing_to_export(local_system, run, command, folder):
    project = local_system.add_project()
    result = run(command[0], project, *command[1:])
    assert result.exit_code == 6
    assert "nothing to write" in result.stderr
    assert not (folder / "out.pdf").exists()


def test_a_block_that_fails_leaves_the_target_as_it_was(folder):
    target = folder / "out.txt"
    target.write_text("old")
    with contextlib.suppress(KeyboardInterrupt), output.replacing(target) as file:
        file.write(b"new")
        raise KeyboardInterrupt
    with pytest.raises(OutputError), output.replacing(folder / "none" / "out.txt"):
        pass
    assert [path.name for path in folder.iterdir()] == ["out.txt"]
    assert target.read_text() == "old"
