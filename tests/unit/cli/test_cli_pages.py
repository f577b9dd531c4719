"""`docscan pages`."""

import json
import shlex
import sys

import httpx
import pytest

from docscan_cli import editor

JPEG = b"\xff\xd8\xff\xe0 a photograph of "


@pytest.fixture
def project(local_system):
    """A project of three pages that are ready: page-1, page-2, page-3."""
    project = local_system.add_project("Letters")
    for name in ("one", "two", "three"):
        local_system.add_page(project, image=JPEG + name.encode())
    return project


def order(system):
    return [page.page_id for page in system.pages]


@pytest.fixture
def edits(monkeypatch, tmp_path):
    """Make `program`, Python that has the file's name in `file`, the user's editor."""

    def use(program, variable="EDITOR"):
        script = tmp_path / "an editor.py"
        script.write_text(f"import sys\nfrom pathlib import Path\nfile = Path(sys.argv[1])\n{program}\n")
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.delenv("EDITOR", raising=False)
        monkeypatch.setenv(variable, shlex.join([sys.executable, str(script)]))
        monkeypatch.setattr(editor.tempfile, "tempdir", str(tmp_path))

    return use


# ---- list


def test_pages_are_listed_with_status_confidence_and_reason(local_system, run):
    project = local_system.add_project()
    for status in ("ready", "failed", "awaiting-upload"):
        local_system.add_page(project, status)
    local_system.pages[-1].images = []
    lines = [" ".join(line.split()) for line in run("pages", "list", project).stdout.splitlines()]
    assert lines == [
        "PAGE STATUS CONFIDENCE WORDS ID REASON",
        "1 ready 97 % 12 page-1",
        "2 failed page-2 The image is damaged. Scan it again.",
        "3 awaiting-upload page-3",
    ]


def test_pages_as_json_have_no_presigned_links(local_system, run):
    project = local_system.add_project()
    local_system.add_page(project)
    output = run("pages", "list", project, "--json").stdout
    assert json.loads(output)[0]["confidence"] == 97.4
    assert "signature" not in output


def test_pages_of_an_empty_project_say_how_to_add_some(local_system, run):
    project = local_system.add_project()
    assert f"--project {project}" in run("pages", "list", project).stderr


# ---- names of pages


@pytest.mark.parametrize(("name", "page_id"), [("1", "page-1"), ("3", "page-3"), ("page-2", "page-2")])
def test_a_page_is_named_by_its_number_or_its_id(local_system, run, project, name, page_id):
    assert json.loads(run("pages", "show", project, name, "--json").stdout)["pageId"] == page_id


def test_numbers_count_over_all_parts_of_the_list_and_no_further(local_system, run, project):
    local_system.part_size = 1
    assert "page-2" in run("pages", "show", project, "2").stdout
    assert len(local_system.calls("GET", "/projects/project-1/pages")) == 2


def test_an_id_needs_no_list(local_system, run, project):
    run("pages", "show", project, "page-3")
    assert not local_system.calls("GET", "/projects/project-1/pages")


def test_a_number_that_is_too_high_is_refused(local_system, run, project):
    result = run("pages", "rotate", project, "4", "90")
    assert result.exit_code == 6
    assert "There is no page 4: the project has 3 pages." in result.stderr
    assert "the project has no pages" in run("pages", "show", local_system.add_project(), "1").stderr


@pytest.mark.parametrize("name", ["0", "000", "a/b", "../1", "1.5", "٣", ""])
@pytest.mark.parametrize(
    "command",
    [("show",), ("words",), ("correct", "-"), ("rotate", "90"), ("move", "--first"), ("replace", "x.jpg"), ("delete",)],
)
def test_what_cannot_be_a_page_is_not_sent(local_system, run, project, command, name):
    verb, *rest = command
    result = run("pages", verb, project, name, *rest)
    assert result.exit_code == 2
    assert "is neither a page's number, from 1, nor its id. `docscan pages list` shows both." in result.stderr
    assert local_system.requests == []


def test_what_cannot_be_a_project_is_not_sent(local_system, run, image):
    image("x.jpg")
    for verb, *rest in (
        ["list"], ["show", "1"], ["words", "1"], ["correct", "1", "-"], ["rotate", "1", "90"], ["move", "1", "--first"],
        ["replace", "1", "x.jpg", "--yes"], ["delete", "1", "--yes"],
    ):  # fmt: skip
        result = run("pages", verb, "a/b", *rest)
        assert result.exit_code == 2, verb
        assert "'a/b' is not a project's id" in result.stderr
    assert local_system.requests == []


# ---- show and words


def test_show_tells_of_one_page_with_its_text(local_system, run, project):
    lines = run("pages", "show", project, "2").stdout.splitlines()
    assert lines[0] == "Page      page-2"
    assert lines[1] == "Status    ready"
    assert "Words     12, confidence 97 %" in lines
    assert lines[-2:] == ["", "text of two"]


def test_show_says_why_a_page_failed(local_system, run, project):
    local_system.add_page(project, "failed")
    output = run("pages", "show", project, "4").stdout
    assert "Reason    The image is damaged. Scan it again." in output
    assert "Words" not in output


def test_a_text_cannot_control_the_terminal(local_system, run, project):
    local_system.pages[0].correction = "\x1b[2Jboo\nsecond line"
    assert run("pages", "show", project, "1").stdout.endswith("\n�[2Jboo\nsecond line\n")


def test_show_gives_the_text_alone_or_everything_but_links_for_programs(local_system, run, project):
    assert run("pages", "show", project, "1", "--text").stdout == "text of one\n"
    output = run("pages", "show", project, "1", "--json").stdout
    assert json.loads(output)["text"] == "text of one"
    assert "signature" not in output
    assert run("pages", "show", project, "1", "--json", "--text").exit_code == 2


def test_a_page_without_a_text_has_none_to_show(local_system, run, project):
    local_system.add_page(project, "failed")
    result = run("pages", "show", project, "4", "--text")
    assert (result.exit_code, result.stdout) == (6, "")
    assert "Page 4 is failed: only a page that is ready has a text." in result.stderr


def test_words_are_listed_with_their_places_in_pixels(local_system, run, project):
    lines = [line.split() for line in run("pages", "words", project, "1").stdout.splitlines()]
    assert lines == [
        ["LINE", "CONFIDENCE", "LEFT", "TOP", "RIGHT", "BOTTOM", "WORD"],
        ["1", "99", "%", "100", "50", "250", "80", "Dear"],
        ["1", "81", "%", "300", "50", "500", "75", "読者"],
    ]


def test_words_as_json_are_what_was_recognised(local_system, run, project):
    assert json.loads(run("pages", "words", project, "1", "--json").stdout) == local_system.words


def test_a_page_that_is_not_ready_has_no_words(local_system, run, project):
    local_system.add_page(project, "failed")
    assert run("pages", "words", project, "4").exit_code == 6


# ---- correct


def test_a_text_is_corrected_from_a_file(local_system, run, project, folder):
    (folder / "page.txt").write_bytes("\ufeffDear reader,\r\nγειά σου\r\n".encode())
    result = run("pages", "correct", project, "2", "page.txt")
    assert (result.exit_code, result.stdout) == (0, "")
    assert [page.correction for page in local_system.pages] == [None, "Dear reader,\nγειά σου", None]


def test_a_text_is_corrected_from_stdin(local_system, run, project):
    assert run("pages", "correct", project, "1", "-", stdin="Grüße\n\n").exit_code == 0
    assert local_system.pages[0].correction == "Grüße"
    assert "Status    ready, corrected" in run("pages", "show", project, "1").stdout


def test_what_is_no_text_is_not_sent(local_system, run, project, folder, image):
    for arguments, what in (
        ([image("a.jpg")], "a.jpg is not text in UTF-8"),
        (["missing.txt"], "missing.txt cannot be read: No such file"),
        ([folder], "cannot be read: Is a directory"),
        ([], "Give the text in a FILE, or as `-` on stdin"),
    ):
        result = run("pages", "correct", project, "1", *arguments)
        assert result.exit_code == 2
        assert what in result.stderr
    assert local_system.requests == []


@pytest.mark.parametrize("variable", ["EDITOR", "VISUAL"])
def test_a_text_is_corrected_in_the_users_editor(local_system, run, project, edits, tmp_path, terminal, variable):
    edits("file.write_text(file.read_text().replace('text', 'Text'))", variable)
    assert run("pages", "correct", project, "1").exit_code == 0
    assert local_system.pages[0].correction == "Text of one"
    assert not list(tmp_path.glob("docscan-*"))


def test_the_page_that_was_edited_is_corrected_wherever_it_was_moved_meanwhile(
    local_system, run, project, edits, terminal
):
    edits("file.write_text('The first')")
    local_system.fail("GET", ".*/pages/page-1", lambda request: local_system.pages.reverse())
    assert run("pages", "correct", project, "1").exit_code == 0
    assert order(local_system)[0] == "page-3"
    assert [page.correction for page in local_system.pages] == [None, None, "The first"]


def test_an_editor_that_changes_nothing_changes_nothing(local_system, run, project, edits, tmp_path, terminal):
    edits("file.touch()")
    result = run("pages", "correct", project, "1")
    assert result.exit_code == 0
    assert "Nothing was changed." in result.stderr
    assert not local_system.calls("PATCH", ".*")
    assert not list(tmp_path.glob("docscan-*"))


def test_what_was_written_in_the_editor_is_kept_when_it_cannot_be_sent(
    local_system, run, project, edits, tmp_path, terminal
):
    edits("file.write_text('An hour of work')")
    local_system.fail("PATCH", ".*", *[httpx.ConnectError("refused")] * 6)
    result = run("pages", "correct", project, "1")
    assert result.exit_code == 3
    (kept,) = tmp_path.glob("docscan-*/page-1.txt")
    assert kept.read_text() == "An hour of work"
    assert kept.parent.stat().st_mode & 0o077 == 0
    assert f"Your text is kept in {kept}" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("program", "exit_code", "message", "kept"),
    [
        ("sys.exit(3)", 130, "The editor ended with an error (3). Nothing was changed.", False),
        ("file.write_text('half'); sys.exit(3)", 130, "Your text is kept in", True),
        ("file.write_bytes(b'\\xff')", 2, "is not text in UTF-8", True),
        ("file.unlink()", 2, "cannot be read", False),
    ],
)
def test_an_editor_that_fails_corrects_nothing(
    local_system, run, project, edits, tmp_path, terminal, program, exit_code, message, kept
):
    edits(program)
    result = run("pages", "correct", project, "1")
    assert result.exit_code == exit_code
    assert message in result.stderr
    assert bool(list(tmp_path.glob("docscan-*/page-1.txt"))) is kept
    assert not local_system.calls("PATCH", ".*")


def test_an_editor_that_is_none_is_named(local_system, run, project, monkeypatch, terminal):
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "no-such-editor --wait")
    result = run("pages", "correct", project, "1")
    assert result.exit_code == 2
    assert "'no-such-editor --wait' cannot be started" in result.stderr
    monkeypatch.delenv("EDITOR")
    monkeypatch.setenv("PATH", "")
    assert "There is no editor." in run("pages", "correct", project, "1").stderr


def test_a_page_without_a_text_does_not_open_the_editor(local_system, run, project, edits, terminal):
    edits("raise SystemExit('must not run')")
    local_system.add_page(project, "failed")
    result = run("pages", "correct", project, "4")
    assert result.exit_code == 6
    assert "only a page that is ready has a text" in result.stderr


# ---- rotate and move


def test_a_page_is_turned(local_system, run, project):
    result = run("pages", "rotate", project, "2", "270")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Page 2 is shown turned by 270°." in result.stderr
    assert [page.rotation for page in local_system.pages] == [0, 270, 0]


def test_a_page_is_turned_by_quarters_only(local_system, run, project):
    assert run("pages", "rotate", project, "2", "45").exit_code == 2
    assert local_system.requests == []


@pytest.mark.parametrize(
    ("arguments", "after"),
    [
        (["3", "--first"], ["page-3", "page-1", "page-2"]),
        (["1", "--after", "3"], ["page-2", "page-3", "page-1"]),
        (["page-3", "--after", "1"], ["page-1", "page-3", "page-2"]),
    ],
)
def test_a_page_is_moved(local_system, run, project, arguments, after):
    assert run("pages", "move", project, *arguments).exit_code == 0
    assert order(local_system) == after


@pytest.mark.parametrize("where", [[], ["--first", "--after", "1"]])
def test_a_move_says_where_to(local_system, run, project, where):
    result = run("pages", "move", project, "2", *where)
    assert result.exit_code == 2
    assert "--after PAGE, or --first" in result.stderr
    assert local_system.requests == []


def test_a_page_cannot_be_moved_after_itself(local_system, run, project):
    result = run("pages", "move", project, "2", "--after", "page-2")
    assert result.exit_code == 6
    assert "cannot come after itself" in result.stderr


# ---- replace


def test_another_image_takes_a_pages_place_and_is_waited_for(local_system, run, project, image):
    result = run("pages", "replace", project, "2", image("new.jpg"), "--yes")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines() == [
        "[0/1] new.jpg: uploading",
        "[0/1] new.jpg: recognising",
        "[1/1] new.jpg: ready, confidence 97 %",
    ]
    assert [page.text for page in local_system.pages] == ["text of one", "text of new.jpg", "text of three"]


def test_a_replacement_waits_for_no_other_page(local_system, run, project, image):
    local_system.add_page(project, "recognising")
    assert run("pages", "replace", project, "page-2", image("new.jpg"), "--yes").exit_code == 0
    assert not local_system.calls("GET", "/projects/project-1/pages")
    assert local_system.pages[-1].status == "recognising"


def test_an_image_that_cannot_be_read_is_named_with_the_reason(local_system, run, project, image):
    result = run("pages", "replace", project, "2", image("new.jpg", JPEG + b"DAMAGED"), "--yes")
    assert result.exit_code == 1
    assert result.stderr.endswith("Error: new.jpg: The image is damaged. Scan it again.\n")


def test_an_image_that_was_not_uploaded_is_to_be_sent_again(local_system, run, project, image):
    local_system.fail("POST", "/bucket", httpx.Response(403))
    result = run("pages", "replace", project, "2", image("new.jpg"), "--yes")
    assert result.exit_code == 1
    assert "new.jpg: not uploaded: " in result.stderr
    assert "The page has no image now. Replace it again." in result.stderr
    assert run("pages", "replace", project, "2", "new.jpg", "--yes").exit_code == 0


def test_a_file_that_can_be_no_page_replaces_nothing(local_system, run, project, folder):
    (folder / "notes.txt").write_text("Dear reader")
    result = run("pages", "replace", project, "2", "notes.txt", "--yes")
    assert result.exit_code == 2
    assert "notes.txt: is neither JPEG, PNG nor TIFF" in result.stderr
    assert local_system.requests == []


def test_a_replacement_that_is_not_recognised_is_given_up(local_system, run, project, image):
    local_system.stuck = True
    assert run("pages", "replace", project, "2", image("new.jpg"), "--yes", "--timeout", "5").exit_code == 8


@pytest.mark.parametrize(("answer", "exit_code", "text"), [("y", 0, "text of new.jpg"), ("n", 130, "text of two")])
def test_replace_asks_at_a_terminal(local_system, run, project, image, terminal, answer, exit_code, text):
    result = run("pages", "replace", project, "2", image("new.jpg"), stdin=f"{answer}\n")
    assert "Replace the image of page 2, with its text and corrections, for good?" in result.output
    assert result.exit_code == exit_code
    assert local_system.pages[1].text == text


# ---- delete


def test_pages_are_deleted_by_the_numbers_from_before(local_system, run, project):
    result = run("pages", "delete", project, "1", "2", "page-2", "--yes")
    assert (result.exit_code, result.stdout) == (0, "")
    assert order(local_system) == ["page-3"]


@pytest.mark.parametrize("command", [("delete", "2"), ("replace", "2", "x.jpg")])
def test_nothing_goes_for_good_when_nobody_is_there_to_be_asked(local_system, run, project, image, command):
    image("x.jpg")
    verb, *rest = command
    result = run("pages", verb, project, *rest, stdin="y\n")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert not local_system.calls("DELETE|PUT", ".*")


@pytest.mark.parametrize(
    ("answer", "exit_code", "left"), [("y", 0, ["page-2"]), ("n", 130, ["page-1", "page-2", "page-3"])]
)
def test_delete_asks_at_a_terminal(local_system, run, project, terminal, answer, exit_code, left):
    result = run("pages", "delete", project, "1", "3", stdin=f"{answer}\n")
    assert "Delete pages 1, 3 of “Letters” for good?" in result.output
    assert result.exit_code == exit_code
    assert order(local_system) == left


def test_a_deletion_that_ends_early_says_what_is_gone(local_system, run, project):
    result = run("pages", "delete", project, "2", "none", "3", "--yes")
    assert result.exit_code == 6
    assert "There is no such page." in result.stderr
    assert "Deleted before that: page-2" in result.stderr
    assert order(local_system) == ["page-1", "page-3"]
