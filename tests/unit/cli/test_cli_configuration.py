"""What the command makes of the system's configuration."""

import httpx
import pytest

CONFIG = "/config"
WRITES = "/projects.*|/bucket"


@pytest.fixture
def images(image):
    return [image(f"{number}.jpg") for number in range(9)]


def test_a_file_above_the_system_s_own_limit_is_refused_before_anything_is_created(local_system, run, image):
    local_system.configuration["limits"]["imageBytes"] = 2 * 1024 * 1024
    large = b"\xff\xd8\xff" + bytes(3 * 1024 * 1024)
    result = run("scan", image("good.jpg"), image("bad.jpg", large), image("worse.jpg", large), "-o", "out.pdf")
    assert result.exit_code == 2
    assert "bad.jpg: has 3.0 MB; a page image may have 2. Save it smaller" in result.stderr
    assert "worse.jpg: has 3.0 MB" in result.stderr
    assert "good.jpg" not in result.stderr
    assert not local_system.calls("POST", WRITES)


@pytest.mark.parametrize(("limit", "at_once"), [(1, 1), (2, 2), (8, 4)])
def test_no_more_uploads_run_at_a_time_than_the_system_wants(local_system, run, images, limit, at_once):
    local_system.configuration["limits"]["parallelUploads"] = limit
    local_system.slow_uploads = {path.read_bytes(): 50 for path in images}
    assert run("scan", *images, "-o", "out.pdf", "--jobs", "4").exit_code == 0
    assert local_system.most_uploading == at_once


@pytest.mark.parametrize("command", ["scan", "pdf"])
def test_a_typeset_pdf_is_not_asked_for_where_there_are_none(local_system, run, image, command):
    local_system.configuration["features"]["typesetPdf"] = False
    project = local_system.add_project()
    local_system.add_page(project)
    wanted = [image("a.jpg")] if command == "scan" else [project]
    result = run(command, *wanted, "-o", "out.pdf", "--layout", "text")
    assert result.exit_code == 2
    assert "Leave `--layout text` out" in result.stderr
    assert not local_system.calls("POST", WRITES)
    assert not local_system.calls("GET", ".*/pdf")


def test_what_needs_no_configuration_does_not_ask_for_it(local_system, run, image):
    project = local_system.add_project()
    local_system.add_page(project)
    assert run("pdf", project, "-o", "out.pdf").exit_code == 0
    assert not local_system.calls("GET", CONFIG)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json={"message": "Not Found"}),
        httpx.Response(501, json={"message": "Not Implemented"}),
        httpx.Response(200, text="no JSON"),
        httpx.Response(200, json={"limits": {"imageBytes": "10 MB", "parallelUploads": 0}, "features": {}}),
    ],
)
def test_a_system_that_cannot_tell_is_used_all_the_same(local_system, run, image, answer):
    local_system.fail("GET", CONFIG, answer)
    assert run("scan", image("a.jpg"), "-o", "out.pdf", "--layout", "text").exit_code == 0
