"""`docscan export`, against a whole system in memory; and the PDFs that are too large for a request."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from docscan_cli import exports

JPEG = b"\xff\xd8\xff\xe0 a photograph of "
DOCUMENTS = "/exports/[^/]+/[0-9]+"
EXPORT = "/exports/[^/]+"


@pytest.fixture
def project(local_system):
    project = local_system.add_project("Letters")
    for number in range(1, 5):
        local_system.add_page(project, image=JPEG + str(number).encode())
    return project


def ids(local_system):
    return list(local_system.exports)


def remembered(tmp_path):
    return list((tmp_path / "config" / "docscan" / "begun").glob("*.json"))


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".docscan")


def test_an_export_is_started_followed_and_fetched(local_system, run, project, folder, tmp_path):
    result = run("export", project, "-o", "out.pdf")
    assert result.exit_code == 0, result.stderr
    (export,) = local_system.exports.values()
    assert export.order == {"projectId": project, "format": "pdf"}
    assert (folder / "out.pdf").read_bytes() == local_system.document_bytes(export.export_id)
    assert "out.pdf: 4 pages" in result.stderr
    assert result.stdout == ""
    assert files(folder) == ["out.pdf"]
    assert remembered(tmp_path) == []


def test_progress_shows_what_it_waits_for_what_is_built_and_what_is_fetched(local_system, run, project):
    for page in local_system.pages[:2]:
        page.status = "recognising"
    lines = run("export", project, "-o", "out.pdf").stderr.splitlines()
    assert "Recognising: 0 of 2 pages" in lines
    assert "Recognising: 2 of 2 pages" in lines
    assert "Building: 1 of 4 pages" in lines
    assert "Building: 4 of 4 pages" in lines
    assert lines.index("Recognising: 2 of 2 pages") < lines.index("Building: 1 of 4 pages") < lines.index("Joining")
    assert "Downloading out.pdf: 100 % of 1 KB" in lines


@pytest.mark.parametrize(
    ("arguments", "name", "kind"),
    [
        ([], "Letters.pdf", "pdf"),
        (["--format", "text-pdf"], "Letters.pdf", "text-pdf"),
        (["--format", "txt"], "Letters.txt", "txt"),
        (["-o", "all.JSON"], "all.JSON", "json"),
        (["-o", "all.txt"], "all.txt", "txt"),
        (["-o", "all.txt", "--format", "pdf"], "all.txt", "pdf"),
        (["-o", "all"], "all", "pdf"),
    ],
)
def test_the_format_follows_the_name_and_the_name_the_project(
    local_system, run, project, folder, arguments, name, kind
):
    assert run("export", project, *arguments).exit_code == 0
    assert next(iter(local_system.exports.values())).order["format"] == kind
    assert (folder / name).exists()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Receipts / November", "Receipts _ November.pdf"),
        ("..", "Docscan.pdf"),
        ("\x1b[2J", "�[2J.pdf"),
        ("ä" * 200, "ä" * 100 + ".pdf"),
    ],
)
def test_a_project_s_name_makes_a_file_s_name_of_any_kind(local_system, run, project, folder, name, file):
    local_system.projects[project] = name
    assert run("export", project).exit_code == 0
    assert files(folder) == [file]


def test_a_project_may_be_named_by_its_name(local_system, run, project):
    assert run("export", "Letters", "-o", "out.pdf").exit_code == 0
    assert run("export", "letters", "-o", "no.pdf").exit_code == 6
    local_system.add_project("Letters")
    result = run("export", "Letters", "-o", "no.pdf")
    assert result.exit_code == 2
    assert "Several projects are called “Letters”" in result.stderr
    assert "project-2" in result.stderr


def test_some_pages_and_a_language_are_asked_for(local_system, run, project):
    assert run("export", project, "-o", "out.pdf", "--pages", "4,1-2", "--language", "pt-BR").exit_code == 0
    (export,) = local_system.exports.values()
    assert export.order["pages"] == ["page-1", "page-2", "page-4"]
    assert export.order["language"] == "pt-BR"


@pytest.mark.parametrize(
    ("pages", "says"),
    [
        ("5", "no pages 5: the project has 4 pages"),
        ("1-9999999999", "no pages 1-9999999999"),
        ("3-2", "no pages 3-2"),
        ("0", "no list of pages"),
        ("a-b", "no list of pages"),
        ("1,,2", "no list of pages"),
        ("-2", "no list of pages"),
        ("", "no list of pages"),
    ],
)
def test_pages_that_are_not_there_start_nothing(local_system, run, project, pages, says):
    result = run("export", project, "-o", "out.pdf", f"--pages={pages}")
    assert result.exit_code == 2
    assert says in result.stderr
    assert local_system.exports == {}


def test_an_open_range_goes_to_the_end(local_system, run, project):
    assert run("export", project, "-o", "out.pdf", "--pages", "3-").exit_code == 0
    assert next(iter(local_system.exports.values())).order["pages"] == ["page-3", "page-4"]


def test_several_volumes_become_several_files(local_system, run, project, folder):
    local_system.volume_pages = 3
    result = run("export", project, "-o", "out.pdf")
    assert result.exit_code == 0
    (export_id,) = ids(local_system)
    assert files(folder) == ["out-1.pdf", "out-2.pdf"]
    for number in (0, 1):
        assert (folder / f"out-{number + 1}.pdf").read_bytes() == local_system.document_bytes(export_id, number)
    assert "out-1.pdf: 3 pages" in result.stderr


def test_one_document_can_go_to_stdout(local_system, run, project, folder):
    result = run("export", project, "--format", "txt", "-o", "-")
    assert result.stdout_bytes == local_system.document_bytes(*ids(local_system))
    assert files(folder) == []


def test_several_volumes_cannot_go_to_stdout(local_system, run, project):
    local_system.volume_pages = 3
    result = run("export", project, "--format", "txt", "-o", "-")
    assert result.exit_code == 2
    assert "2 volumes" in result.stderr
    assert result.stdout == ""


def test_a_file_is_not_replaced_without_force(local_system, run, project, folder):
    (folder / "Letters.pdf").write_text("old")
    (folder / "out.pdf").write_text("old")
    for arguments in ([], ["-o", "out.pdf"]):
        result = run("export", project, *arguments)
        assert result.exit_code == 2
        assert "--force" in result.stderr
    assert local_system.exports == {}
    assert run("export", project, "-o", "out.pdf", "--force").exit_code == 0
    assert (folder / "out.pdf").read_bytes() == local_system.document_bytes(*ids(local_system))


def test_a_volume_is_not_replaced_without_force_and_nothing_is_lost(local_system, run, project, folder):
    local_system.volume_pages = 3
    (folder / "out-2.pdf").write_text("old")
    result = run("export", project, "-o", "out.pdf")
    assert result.exit_code == 2
    assert "out-2.pdf exists" in result.stderr
    assert files(folder) == ["out-2.pdf"]
    assert run("export", project, "-o", "out.pdf", "--force").exit_code == 0
    assert len(local_system.exports) == 1
    assert (folder / "out-2.pdf").read_bytes() == local_system.document_bytes(*ids(local_system), 1)


def test_pages_that_are_left_out_are_named(local_system, run, project, folder):
    local_system.pages[1].status = "failed"
    result = run("export", project, "-o", "out.pdf")
    assert result.exit_code == 1
    assert "1 page not in it:\n  page 2: The image is damaged. Scan it again." in result.stderr
    assert (folder / "out.pdf").exists()


# ---- it ends badly


@pytest.mark.parametrize("code", sorted(exports.ADVICE.keys() - {"stopped", "expired"}))
def test_each_reason_to_fail_comes_with_what_to_do_and_with_a_new_start(local_system, run, project, folder, code):
    local_system.export_refusal = {"code": code, "message": "What the system says."}
    result = run("export", project, "-o", "out.pdf")
    assert result.exit_code == (5 if code == "export-failed" else 6)
    assert f"What the system says.\n{exports.ADVICE[code]}" in result.stderr
    assert files(folder) == []
    local_system.export_refusal = None
    assert run("export", project, "-o", "out.pdf").exit_code == 0
    assert len(local_system.exports) == 2


def test_there_is_advice_for_every_reason_of_the_contract():
    import api_contract

    reason = api_contract.DOCUMENT["components"]["schemas"]["Export"]["properties"]["reason"]
    assert exports.ADVICE.keys() == set(reason["properties"]["code"]["enum"])


@pytest.mark.parametrize("status", ["stopped", "expired", "failed"])
def test_an_export_from_before_that_has_ended_badly_is_replaced(local_system, run, project, folder, status):
    assert run("export", project, "-o", "out.pdf", "--no-wait").exit_code == 0
    local_system.exports[ids(local_system)[0]].status = status
    local_system.exports[ids(local_system)[0]].reason = {"code": "export-failed", "message": "…"}
    result = run("export", project, "-o", "out.pdf")
    assert result.exit_code == 0
    assert f"is of no use ({status})" in result.stderr
    assert (folder / "out.pdf").read_bytes() == local_system.document_bytes(ids(local_system)[1])


def test_an_export_that_nothing_happens_to_is_given_up_and_goes_on_later(local_system, run, project, folder):
    local_system.stuck = True
    result = run("export", project, "-o", "out.pdf", "--timeout", "60")
    assert result.exit_code == 8
    (command,) = re.findall(r"docscan (export .*)", result.stderr)
    local_system.stuck = False
    assert run(*command.split()).exit_code == 0
    assert len(local_system.exports) == 1


# ---- it is cut off, and goes on


def test_without_waiting_it_is_fetched_by_the_second_call(local_system, run, project, folder):
    first = run("export", project, "-o", "out.pdf", "--no-wait")
    assert first.exit_code == 0
    assert files(folder) == []
    second = run("export", project, "-o", "out.pdf")
    assert "Going on with the export that was started at 2026-11-21 09:30 UTC" in second.stderr
    assert len(local_system.exports) == 1
    assert files(folder) == ["out.pdf"]


@pytest.mark.parametrize(
    "changed", [["-o", "b.pdf"], ["--pages", "1"], ["--language", "de"], ["--format", "text-pdf"], ["--again"]]
)
def test_another_order_is_another_export(local_system, run, project, changed):
    run("export", project, "-o", "out.pdf", "--no-wait")
    run("export", project, "-o", "out.pdf", "--no-wait", *changed)
    assert len(local_system.exports) == 2


def test_a_second_call_after_the_end_is_a_new_export(local_system, run, project):
    assert run("export", project, "-o", "out.pdf").exit_code == 0
    assert run("export", project, "-o", "out.pdf", "--force").exit_code == 0
    assert len(local_system.exports) == 2


def test_a_start_whose_answer_got_lost_is_the_same_export(local_system, run, project, monkeypatch):
    answer = httpx.AsyncClient.request
    lost = iter([True])

    async def lose_the_first(client, method, url, **more):
        response = await answer(client, method, url, **more)
        if method == "PUT" and next(lost, False):
            raise httpx.ReadError("reset", request=response.request)
        return response

    monkeypatch.setattr(httpx.AsyncClient, "request", lose_the_first)
    assert run("export", project, "-o", "out.pdf").exit_code == 0
    assert len(local_system.exports) == 1
    assert len(local_system.calls("PUT", EXPORT)) == 2


def test_an_export_that_was_made_before_its_start_was_acknowledged_is_found(local_system, run, project):
    local_system.fail("PUT", EXPORT, *[httpx.Response(503)] * 6)
    assert run("export", project, "-o", "out.pdf").exit_code == 5
    assert run("export", project, "-o", "out.pdf").exit_code == 0
    sent = {request.url.path for request in local_system.calls("PUT", EXPORT)}
    assert sent == {f"/exports/{ids(local_system)[0]}"}


def test_a_busy_step_functions_is_asked_again(local_system, run, project):
    busy = httpx.Response(400, json={"__type": "ThrottlingException", "message": "Rate exceeded"})
    local_system.fail("PUT", EXPORT, busy, busy)
    assert run("export", project, "-o", "out.pdf").exit_code == 0


def test_what_step_functions_refuses_is_not_gone_on_with(local_system, run, project, tmp_path):
    refusal = httpx.Response(400, json={"__type": "ValidationException", "message": "Too long."})
    local_system.fail("PUT", EXPORT, refusal)
    assert run("export", project, "-o", "out.pdf").exit_code == 6
    assert remembered(tmp_path) == []


class Breaking(httpx.AsyncByteStream):
    """A body that breaks off."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self):
        yield self._content
        raise httpx.ReadError("reset")


@pytest.fixture
def cut_off(local_system, monkeypatch):
    """Let the first download break off after so many bytes, for good or not."""
    storage = local_system.storage

    def install(length, then=None, etag=None):
        state = {"broken": False}

        async def store(request, body):
            if request.method == "GET" and re.fullmatch(DOCUMENTS, request.url.path) and not state["broken"]:
                state["broken"] = True
                export_id = request.url.path.split("/")[2]
                content = local_system.document_bytes(export_id)[:length]
                headers = {"etag": etag or f'"{export_id}"'}
                return httpx.Response(200, stream=Breaking(content), headers=headers)
            if state["broken"] and then:
                answer = then(request)
                if answer is not None:
                    return answer
            return await storage(request, body)

        monkeypatch.setattr(local_system, "storage", store)

    return install


def ranges(local_system):
    return [request.headers.get("range") for request in local_system.calls("GET", DOCUMENTS)]


def test_a_download_that_breaks_is_taken_up_where_it_broke(local_system, run, project, folder, cut_off):
    cut_off(20)
    assert run("export", project, "-o", "out.pdf").exit_code == 0
    assert ranges(local_system) == [None, "bytes=20-"]
    assert (folder / "out.pdf").read_bytes() == local_system.document_bytes(*ids(local_system))


def test_a_download_is_taken_up_by_a_second_call(local_system, run, project, folder, cut_off):
    refused = iter([httpx.Response(503)] * 6)
    cut_off(20, then=lambda _: next(refused, None))
    first = run("export", project, "-o", "out.pdf")
    assert first.exit_code == 5
    assert "docscan export project-1 --format pdf -o out.pdf" in first.stderr
    assert len(files(folder)) == 1
    assert not (folder / "out.pdf").exists()
    assert run("export", project, "-o", "out.pdf").exit_code == 0
    assert ranges(local_system)[-1] == "bytes=20-"
    assert (folder / "out.pdf").read_bytes() == local_system.document_bytes(*ids(local_system))
    assert files(folder) == ["out.pdf"]


def test_a_connection_that_breaks_again_and_again_gets_there_as_long_as_it_brings_something(
    local_system, run, project, folder, monkeypatch
):
    storage = local_system.storage

    async def a_few_bytes(request, body):
        answer = await storage(request, body)
        if len(answer.content) <= 5:
            return answer
        return httpx.Response(answer.status_code, stream=Breaking(answer.content[:5]), headers=answer.headers)

    monkeypatch.setattr(local_system, "storage", a_few_bytes)
    assert run("export", project, "-o", "out.pdf").exit_code == 0
    assert len(ranges(local_system)) > 12
    assert (folder / "out.pdf").read_bytes() == local_system.document_bytes(*ids(local_system))


def test_a_document_that_was_cut_off_right_before_its_end_is_not_fetched_again(
    local_system, run, project, folder, monkeypatch
):
    replace = Path.replace

    def interrupted(path, target):
        if target.name == "out.pdf":
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    assert run("export", project, "-o", "out.pdf").exit_code == 130
    monkeypatch.setattr(Path, "replace", replace)
    assert len(files(folder)) == 1
    assert run("export", project, "-o", "out.pdf").exit_code == 0
    assert len(ranges(local_system)) == 1
    assert (folder / "out.pdf").read_bytes() == local_system.document_bytes(*ids(local_system))


def test_a_document_of_another_size_than_announced_is_an_error(local_system, run, project, folder, monkeypatch):
    async def another(request, body):
        return httpx.Response(200, content=b"short", headers={"etag": '"another"'})

    monkeypatch.setattr(local_system, "storage", another)
    result = run("export", project, "-o", "out.pdf")
    assert result.exit_code == 5
    assert "another document than the system has announced" in result.stderr
    assert not (folder / "out.pdf").exists()


def test_bytes_of_another_document_are_not_gone_on_with(local_system, run, project, folder, cut_off):
    cut_off(20, etag='"another"')
    assert run("export", project, "-o", "out.pdf").exit_code == 0
    assert ranges(local_system) == [None, "bytes=20-", None]
    assert (folder / "out.pdf").read_bytes() == local_system.document_bytes(*ids(local_system))


def test_a_link_that_has_expired_is_asked_for_anew(local_system, run, project, folder, cut_off):
    def expire(request):
        local_system.expired_links.add("1")

    cut_off(20, then=expire)
    assert run("export", project, "-o", "out.pdf").exit_code == 0
    assert [request.url.params["link"] for request in local_system.calls("GET", DOCUMENTS)] == ["1", "1", "2"]
    assert ranges(local_system)[-1] == "bytes=20-"
    assert (folder / "out.pdf").read_bytes() == local_system.document_bytes(*ids(local_system))


def test_a_storage_that_refuses_every_link_is_an_error(local_system, run, project):
    local_system.expired_links = {str(number) for number in range(100)}
    result = run("export", project, "-o", "out.pdf")
    assert result.exit_code == 5
    assert "AccessDenied" in result.stderr
    assert len(local_system.calls("GET", DOCUMENTS)) == 2


def test_a_document_that_is_gone_meanwhile_is_said_to_be(local_system, run, project):
    async def gone(request, body):
        next(iter(local_system.exports.values())).status = "expired"
        return httpx.Response(404, content=b"<Error><Code>NoSuchKey</Code></Error>")

    local_system.storage = gone
    result = run("export", project, "-o", "out.pdf")
    assert result.exit_code == 6
    assert exports.ADVICE["expired"] in result.stderr


@pytest.fixture
def third_volume_refused(local_system, monkeypatch):
    """The first call gets two volumes of three."""
    local_system.volume_pages = 2
    for number in (5, 6):
        local_system.add_page("project-1", image=JPEG + str(number).encode())
    storage, refusals = local_system.storage, [httpx.Response(503)] * 6

    async def refuse_the_third(request, body):
        if request.url.path.endswith("/2") and refusals:
            return refusals.pop()
        return await storage(request, body)

    monkeypatch.setattr(local_system, "storage", refuse_the_third)


def test_volumes_that_came_before_are_not_fetched_again(local_system, run, project, folder, third_volume_refused):
    assert run("export", project, "-o", "out.pdf").exit_code == 5
    assert files(folder)[1:] == ["out-1.pdf", "out-2.pdf"]
    assert run("export", project, "-o", "out.pdf").exit_code == 0
    assert [len(local_system.calls("GET", f"/exports/[^/]+/{number}")) for number in range(3)] == [1, 1, 7]
    assert files(folder) == ["out-1.pdf", "out-2.pdf", "out-3.pdf"]


def test_volumes_of_an_export_that_is_of_no_use_any_more_are_fetched_again(
    local_system, run, project, folder, third_volume_refused
):
    assert run("export", project, "-o", "out.pdf").exit_code == 5
    local_system.exports[ids(local_system)[0]].status = "expired"
    assert run("export", project, "-o", "out.pdf", "--force").exit_code == 0
    assert len(local_system.calls("GET", "/exports/[^/]+/0")) == 2
    assert files(folder) == ["out-1.pdf", "out-2.pdf", "out-3.pdf"]


def test_two_calls_of_the_same_do_not_get_in_each_other_s_way(local_system, run, project, tmp_path):
    run("export", project, "-o", "out.pdf", "--no-wait")
    (record,) = remembered(tmp_path)
    code = (
        "import fcntl, sys, time; file = open(sys.argv[1], 'ab'); "
        "fcntl.lockf(file, fcntl.LOCK_EX, 1, int(sys.argv[2][:14], 16)); print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, record.with_name("lock"), record.stem], stdout=subprocess.PIPE
    )
    try:
        assert other.stdout is not None
        other.stdout.readline()
        result = run("export", project, "-o", "out.pdf")
    finally:
        other.kill()
        other.wait()
    assert result.exit_code == 2
    assert "is running already" in result.stderr
    assert run("export", project, "-o", "out.pdf").exit_code == 0


def test_what_was_noted_is_for_its_owner_s_eyes_and_not_for_ever(local_system, run, project, tmp_path):
    run("export", project, "-o", "out.pdf", "--no-wait")
    (record,) = remembered(tmp_path)
    assert record.stat().st_mode & 0o777 == 0o600
    assert record.parent.stat().st_mode & 0o777 == 0o700
    part = Path("half.part")
    part.write_text("half")
    record.write_text(json.dumps(json.loads(record.read_text()) | {"parts": {str(part): "etag"}}))
    os.utime(record, (0, 0))
    run("export", project, "-o", "other.pdf", "--no-wait")
    assert record not in remembered(tmp_path)
    assert not part.exists()


def test_a_note_that_cannot_be_read_is_as_if_it_were_not_there(local_system, run, project, tmp_path):
    run("export", project, "-o", "out.pdf", "--no-wait")
    (record,) = remembered(tmp_path)
    record.write_text("{")
    assert run("export", project, "-o", "out.pdf").exit_code == 0
    assert len(local_system.exports) == 2


# ---- Ctrl-C


def test_ctrl_c_leaves_the_export_running_and_says_how_to_go_on(local_system, run, project, ctrl_c, folder):
    local_system.fail("GET", EXPORT, lambda _: None, ctrl_c)
    result = run("export", project, "-o", "out.pdf")
    assert result.exit_code == 130
    assert not local_system.calls("DELETE", EXPORT)
    (command,) = re.findall(r"docscan (export .*)", result.stderr)
    assert run(*command.split()).exit_code == 0
    assert len(local_system.exports) == 1
    assert (folder / "out.pdf").read_bytes() == local_system.document_bytes(*ids(local_system))


def test_ctrl_c_stops_the_export_where_that_is_asked_for(local_system, run, project, ctrl_c, tmp_path):
    local_system.fail("GET", EXPORT, lambda _: None, ctrl_c)
    result = run("export", project, "-o", "out.pdf", "--stop-on-interrupt")
    assert result.exit_code == 130
    (export,) = local_system.exports.values()
    assert export.status == "stopped"
    assert f"Export {export.export_id} is stopped." in result.stderr
    assert remembered(tmp_path) == []


@pytest.mark.parametrize(
    ("answer", "status"), [("y\n", "stopped"), ("n\n", "running"), ("\n", "running"), ("", "running")]
)
def test_ctrl_c_asks_at_a_terminal_whether_to_stop_it(local_system, run, project, ctrl_c, terminal, answer, status):
    local_system.fail("GET", EXPORT, lambda _: None, ctrl_c)
    result = run("export", project, "-o", "out.pdf", stdin=answer)
    assert result.exit_code == 130
    assert "Stop the export on the system, too?" in result.stderr
    assert next(iter(local_system.exports.values())).status == status
    assert ("docscan export" in result.stderr) is (status == "running")


def test_ctrl_c_before_anything_is_started_says_so(local_system, run, project, ctrl_c):
    local_system.fail("GET", "/projects/.*", ctrl_c)
    result = run("export", project, "-o", "out.pdf", "--stop-on-interrupt")
    assert result.exit_code == 130
    assert "Nothing was started." in result.stderr


def test_ctrl_c_while_it_is_started_stops_what_may_have_been_started(local_system, run, project, ctrl_c):
    local_system.fail("PUT", EXPORT, ctrl_c)
    result = run("export", project, "-o", "out.pdf", "--stop-on-interrupt")
    assert result.exit_code == 130
    assert len(local_system.calls("DELETE", EXPORT)) == 1


def test_a_pdf_is_not_poured_over_a_terminal(local_system, run, project, terminal):
    result = run("export", project, "-o", "-")
    assert result.exit_code == 2
    assert "nothing for a terminal" in result.stderr
    assert local_system.exports == {}
