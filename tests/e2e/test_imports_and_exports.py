"""Documents of many pages, in and out by the command: whole, and cut off in the middle and gone on with."""

import json
import os
import pty
import re
import subprocess
import time

import pikepdf
import pytest
from detour import detour_to
from fpdf import FPDF
from local_system import DOCSCAN, ROOT
from PIL import Image, ImageDraw, ImageFont

SCANNED = ["Apple", "Banana", "Cherry", "Damson"]
TYPED = ["Elderberry", "Fig"]


@pytest.fixture(autouse=True)
def notes(monkeypatch, tmp_path):
    """The command's own folder, empty at first."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans")
    for word in SCANNED:
        image = Image.new("L", (1200, 800), 255)
        ImageDraw.Draw(image).text((100, 300), f"{word} orchard", fill=0, font=ImageFont.load_default(90))
        image.save(folder / f"{word}.jpg", quality=90)
    return [folder / f"{word}.jpg" for word in SCANNED]


@pytest.fixture
def book(scans, tmp_path):
    """A PDF of four scanned pages and two typed ones, another one in each test."""
    document = FPDF()
    document.set_font("helvetica", size=40)
    document.set_subject(str(tmp_path))
    for scan in scans:
        document.add_page()
        document.image(scan, 0, 0, document.w)
    for word in TYPED:
        document.add_page()
        document.cell(text=f"{word} orchard, and some more words of its own")
    document.output(str(tmp_path / "book.pdf"))
    return tmp_path / "book.pdf"


@pytest.fixture(scope="module")
def project(system, scans, tmp_path_factory):
    """A project of scanned pages."""
    scan = system.docscan("scan", *scans, "-o", tmp_path_factory.mktemp("scan") / "out.pdf", "--name", "Orchards")
    assert scan.returncode == 0, scan.stderr
    return re.search(r"Project ([\w-]{36})", scan.stderr).group(1)


@pytest.fixture
def detour(system, tmp_path):
    with detour_to(system, tmp_path / "detour") as (detour, through):
        detour.system = through
        yield detour


class Killed:
    """A command that runs until it is killed."""

    def __init__(self, detour, *arguments):
        self.process = subprocess.Popen(
            [DOCSCAN, *map(str, arguments)],
            cwd=ROOT, env=os.environ | {"DOCSCAN_DATA_DIR": str(detour.system.data_dir)},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def reaches(self, what):
        seen = []
        for line in self.process.stderr:
            seen.append(line)
            if what in line:
                return
        pytest.fail(f"It has ended: {''.join(seen)}")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def ok(run):
    assert run.returncode == 0, run.stderr
    return run


def imported_project(run):
    return re.search(r"6 pages in project ([\w-]{36})", run.stderr).group(1)


def words_of(system, project):
    pages = ok(system.docscan("text", project)).stdout.split("\f")
    return [page.split()[0] for page in pages]


def count_of_projects(system):
    return len(json.loads(ok(system.docscan("projects", "--json")).stdout))


def test_a_book_goes_in_and_comes_out_in_every_format(system, book, tmp_path, pdftotext):
    first = ok(system.docscan("import", book))

    assert "6 pages in project" in first.stderr
    assert "2 with text of their own, 4 recognised" in first.stderr
    book_id = imported_project(first)
    out = tmp_path / "out"
    for kind in ("pdf", "text-pdf"):
        ok(system.docscan("export", book_id, "--format", kind, "-o", f"{out}-{kind}.pdf", "--language", "de"))
        texts = pdftotext(f"{out}-{kind}.pdf").split("\f")[:6]
        assert [text.split()[0] for text in texts] == SCANNED + TYPED
        with pikepdf.open(f"{out}-{kind}.pdf") as document:
            assert str(document.Root.Lang) == "de"
            assert len(document.pages) == 6
    ok(system.docscan("export", book_id, "-o", f"{out}.txt"))
    pages = (tmp_path / "out.txt").read_text().split("\f")
    assert [page.split()[0] for page in pages] == SCANNED + TYPED
    ok(system.docscan("export", book_id, "-o", f"{out}.json", "--pages", "2,5-"))
    pages = json.loads((tmp_path / "out.json").read_text())["pages"]
    found = [(page["number"], page["text"].split()[0]) for page in pages]
    assert found == [(2, "Banana"), (5, TYPED[0]), (6, TYPED[1])]
    assert "was imported on" in ok(system.docscan("import", book)).stderr


def test_a_file_that_is_no_sound_pdf_fails_with_what_to_do(system, tmp_path):
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7\nnothing of the kind")

    run = system.docscan("import", tmp_path / "bad.pdf")

    assert run.returncode == 6
    assert "bad.pdf: " in run.stderr
    assert "print it to a new PDF" in run.stderr


@pytest.mark.parametrize(("waits_for", "uploads"), [("upload", 2), ("GET /imports/", 1), ("GET /projects/", 1)])
def test_an_import_that_is_killed_in_its_upload_or_while_it_waits_goes_on(detour, book, waits_for, uploads):
    before = count_of_projects(detour.system)
    detour.hold_once(waits_for)
    first = Killed(detour, "import", book)
    assert detour.held.wait(60)
    first.kill()
    detour.release()

    second = ok(detour.system.docscan("import", book))

    assert detour.uploads == uploads
    assert words_of(detour.system, imported_project(second)) == SCANNED + TYPED
    assert count_of_projects(detour.system) == before + 1


def test_an_export_that_is_killed_in_its_download_goes_on(detour, project, pdftotext, tmp_path):
    detour.hold_once("download")
    first = Killed(detour, "export", project, "-o", tmp_path / "out.pdf")
    assert detour.held.wait(60)
    (part,) = eventually(lambda: list(tmp_path.glob(".docscan-*.part")))
    size = eventually(lambda: part.stat().st_size)
    first.kill()
    detour.release()
    assert not (tmp_path / "out.pdf").exists()

    second = ok(detour.system.docscan("export", project, "-o", tmp_path / "out.pdf"))

    assert "Going on with the export" in second.stderr
    assert detour.ranges[0] is None
    assert int(re.fullmatch(r"bytes=(\d+)-", detour.ranges[1]).group(1)) >= size
    assert [text.split()[0] for text in pdftotext(tmp_path / "out.pdf").split("\f")[:4]] == SCANNED
    assert not list(tmp_path.glob(".docscan-*.part"))


@pytest.fixture
def in_recognition(system, project):
    """Lets the project's first page be in recognition for as long as the test runs, so that exports wait for it."""
    first = json.loads(ok(system.docscan("pages", "list", project, "--json")).stdout)[0]["pageId"]

    def set_status(status):
        system.client("dynamodb").update_item(
            TableName=system.output("PagesTableName"),
            Key={"projectId": {"S": project}, "pageId": {"S": first}},
            UpdateExpression="SET #status = :status",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": {"S": status}},
        )

    set_status("recognising")
    yield lambda: set_status("ready")
    set_status("ready")


def test_an_export_that_is_killed_while_it_waits_goes_on(detour, project, in_recognition, tmp_path):
    first = Killed(detour, "export", project, "-o", tmp_path / "out.txt")
    first.reaches("Recognising: 0 of 1 page")
    first.kill()
    in_recognition()

    second = ok(detour.system.docscan("export", project, "-o", tmp_path / "out.txt"))

    assert "Going on with the export" in second.stderr
    assert [page.split()[0] for page in (tmp_path / "out.txt").read_text().split("\f")] == SCANNED


class AtTerminal:
    """A command at a terminal of its own, as a person has it in front of them."""

    def __init__(self, system, *arguments):
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            environment = os.environ | {"DOCSCAN_DATA_DIR": str(system.data_dir), "TERM": "xterm-256color"}
            os.chdir(ROOT)
            os.execve(DOCSCAN, [str(DOCSCAN), *map(str, arguments)], environment)
        self.shown = ""

    def shows(self, what):
        deadline = time.monotonic() + 60
        while what not in self.shown:
            assert time.monotonic() < deadline, self.shown
            try:
                self.shown += os.read(self.terminal, 65536).decode(errors="replace")
            except OSError:  # Linux: the command has ended
                assert what in self.shown, self.shown

    def types(self, text):
        os.write(self.terminal, text.encode())

    def ends(self):
        try:
            while data := os.read(self.terminal, 65536):
                self.shown += data.decode(errors="replace")
        except OSError:
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize(("answer", "status"), [("y", "stopped"), ("n", "running")])
def test_ctrl_c_asks_whether_to_stop_the_export(system, project, in_recognition, tmp_path, answer, status):
    command = AtTerminal(system, "export", project, "-o", tmp_path / "out.txt")
    command.shows("Recognising")
    command.types("\x03")
    command.shows("Stop the export on the system, too?")
    command.types(f"{answer}\n")

    assert command.ends() == 130
    notes = list((tmp_path / "config" / "docscan" / "begun").glob("*.json"))
    assert bool(notes) is (status == "running")
    in_recognition()
    again = ok(system.docscan("export", project, "-o", tmp_path / "out.txt"))
    assert ("Going on with the export" in again.stderr) is (status == "running")
    if status == "stopped":
        assert re.search(r"Export [\w-]{36} is stopped.", command.shown)
        export = re.search(r"Export ([\w-]{36}) is stopped.", command.shown).group(1)
        assert execution_status(system, export) == "ABORTED"


def execution_status(system, export):
    client = system.client("stepfunctions")
    machines = client.list_state_machines()["stateMachines"]
    executions = [
        execution
        for machine in machines
        for execution in client.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
        if execution["name"].endswith(f"_{export}")
    ]
    return executions[0]["status"]


def test_an_interrupt_without_a_terminal_stops_the_export_where_that_is_asked_for(
    detour, project, in_recognition, tmp_path
):
    command = Killed(detour, "export", project, "-o", tmp_path / "out.txt", "--stop-on-interrupt")
    command.reaches("Recognising: 0 of 1 page")
    command.process.send_signal(2)

    told = command.process.stderr.read()
    assert command.process.wait() == 130
    export = re.search(r"Export ([\w-]{36}) is stopped.", told).group(1)
    assert execution_status(detour.system, export) == "ABORTED"
    command.process.stderr.close()


def eventually(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
    return result
