"""A kill -9 of any process in the middle of a scan: what was acknowledged is there, and the system goes on."""

import json
import os
import re
import shutil
import subprocess
import time

import httpx
import pytest
from local_system import DOCSCAN, ROOT, System, eventually, kill, processes, restarted
from PIL import Image, ImageDraw, ImageFont

WORDS = ["Apple", "Banana", "Cherry", "Damson"]


@pytest.fixture
def system(own, running):
    return System(own.data_dir, running)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for word in WORDS:
        image = Image.new("L", (1200, 800), 255)
        ImageDraw.Draw(image).text((100, 300), f"{word} orchard", fill=0, font=ImageFont.load_default(90))
        image.save(folder / f"{word}.png")
    return [folder / f"{word}.png" for word in WORDS]


class Scan:
    """A `docscan scan` that runs beside the test."""

    def __init__(self, system, images, folder):
        self.text = folder / "out.txt"
        self.log = folder / "scan.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [DOCSCAN, "scan", *images, "--text", self.text, "--timeout", "90"],
                cwd=ROOT, env=os.environ | {"DOCSCAN_DATA_DIR": str(system.data_dir)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def reaches(self, what):
        """Wait until it says so; it must still be at work then."""
        eventually(lambda: what in self.log.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()

    def ends(self):
        self.process.wait(180)
        return self.process.returncode

    @property
    def project(self):
        return re.search(r"Project ([\w-]{36})", self.log.read_text()).group(1)

    def assert_all_is_read(self):
        assert self.ends() == 0, self.log.read_text()
        pages = self.text.read_text().split("\f")
        assert [word for word, page in zip(WORDS, pages, strict=True) if word in page] == WORDS


@pytest.mark.parametrize("part", ["samhost.gateway", "samhost.textract"])
def test_a_scan_goes_on_when_a_process_is_killed(system, images, tmp_path, part):
    scan = Scan(system, images, tmp_path)
    scan.reaches("recognising")

    kill(system, part)

    scan.assert_all_is_read()
    assert processes(system, part)


def test_a_scan_goes_on_when_functions_are_killed(system, images, tmp_path):
    # Nothing but its timeout brings the message of a function back that is dead: six minutes, here a few seconds.
    queue = system.output("RecognitionQueueUrl")
    system.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "8"})
    scan = Scan(system, images, tmp_path)
    scan.reaches("recognising")

    kill(system, "RecognitionFunction")

    scan.assert_all_is_read()
    system.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "360"})


def test_the_engine_comes_back_with_its_last_snapshot(system, images, tmp_path):
    before = Scan(system, images, tmp_path)
    before.assert_all_is_read()
    finished = time.time_ns()
    eventually(lambda: any(int(s.name) > finished for s in snapshots(system)), seconds=30)
    interrupted = tmp_path / "interrupted"
    interrupted.mkdir()
    scan = Scan(system, images, interrupted)
    scan.reaches("recognising")

    kill(system, "samhost.engine_process")
    restarted(system)
    scan.ends()  # its project is in the snapshot, or is not

    assert json.loads((system.data_dir / "addresses.json").read_text()) == system.addresses
    again = system.docscan("text", before.project)
    assert again.returncode == 0, again.stderr
    assert again.stdout.split() == before.text.read_text().split()
    after = tmp_path / "after"
    after.mkdir()
    Scan(system, images, after).assert_all_is_read()


def snapshots(system):
    return [path for path in (system.data_dir / "engine" / "snapshots").iterdir() if path.name.isdigit()]


def test_an_upload_that_is_newer_than_the_snapshot_is_recognised(system, images):
    user = system.addresses["users"][0]
    tokens = system.client("cognito-idp").initiate_auth(
        ClientId=system.output("CliClientId"), AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user["username"], "PASSWORD": user["password"]},
    )["AuthenticationResult"]  # fmt: skip
    api = httpx.Client(
        base_url=system.addresses["apis"]["ScannerApi"],
        headers={"authorization": f"Bearer {tokens['AccessToken']}"}, timeout=30,
    )  # fmt: skip
    project = api.post("/projects", json={"name": "Newer than the snapshot"}).json()["projectId"]
    page = api.post(f"/projects/{project}/pages", json={"contentType": "image/png"}).json()
    httpx.post(f"{system.addresses['engine']}/_samhost/snapshot", timeout=60).raise_for_status()
    kill_at_once = processes(system, "samhost.engine_process")

    form = page["upload"]
    uploaded = httpx.post(form["url"], data=form["fields"], files={"file": images[0].read_bytes()})
    for engine in kill_at_once:
        engine.kill()

    assert uploaded.status_code == 204
    restarted(system)
    read = eventually(
        lambda: (now := api.get(f"/projects/{project}/pages/{page['pageId']}").json()).get("status") == "ready" and now
    )
    assert "Apple" in read["text"]


def test_the_engine_may_be_killed_again_while_the_system_catches_up(system, images, tmp_path):
    supervisor = system.addresses["pid"]
    for _ in range(2):  # the second time while the supervisor asks the engine what is deployed
        kill(system, "samhost.engine_process")
        restarted(system)

    Scan(system, images, tmp_path).assert_all_is_read()
    assert json.loads((system.data_dir / "addresses.json").read_text())["pid"] == supervisor


def test_without_any_snapshot_it_is_deployed_again_at_the_same_addresses(system, images, tmp_path):
    def addresses():
        return json.loads((system.data_dir / "addresses.json").read_text())

    def snapshots_are_gone():
        shutil.rmtree(snapshots, ignore_errors=True)  # which fails while the writer of one lives on
        return not snapshots.exists()

    gateways, snapshots = processes(system, "samhost.gateway"), system.data_dir / "engine" / "snapshots"
    kill(system, "samhost.engine_process")
    eventually(snapshots_are_gone)  # before it is started again, a second later

    eventually(lambda: addresses()["outputs"] != system.addresses["outputs"], seconds=120)
    assert addresses()["apis"] == system.addresses["apis"]
    eventually(lambda: processes(system, "samhost.gateway") not in ([], gateways))
    Scan(system, images, tmp_path).assert_all_is_read()
