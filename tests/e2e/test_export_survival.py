"""A kill -9 of any process in the middle of an export: it ends once, with all pages, or says what interrupted it."""

import io
import time
import uuid

import httpx
import pikepdf
import psutil
import pytest
from local_system import System, access_token, family
from PIL import Image, ImageDraw, ImageFont
from project_copies import multiply

PAGES = 300  # six parts, of which four are built at once


@pytest.fixture
def system(own, running):
    return System(own.data_dir, running)


@pytest.fixture
def api(system):
    headers = {"authorization": f"Bearer {access_token(system, system.output('CliClientId'))}"}
    with httpx.Client(base_url=system.addresses["apis"]["ScannerApi"], headers=headers, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def projects():
    """The one project of this module, once it is made."""
    return []


@pytest.fixture
def project(projects, system, api, tmp_path):
    """A project of many pages of which no parts are built."""
    if not projects:
        projects.append(many_pages(system, api, tmp_path / "page.jpg"))
    (project,) = projects
    bucket = system.output("BucketName")
    for key, version in objects(system, f"parts/{project}/").items():
        system.client("s3").delete_object(Bucket=bucket, Key=key, VersionId=version)
    return project


def many_pages(system, api, file):
    project = api.post("/projects", json={"name": "Many pages"}).json()["projectId"]
    page = api.post(f"/projects/{project}/pages", json={"contentType": "image/jpeg"}).json()
    image = Image.effect_noise((1200, 1000), 60)
    ImageDraw.Draw(image).text((60, 100), "Some words", fill=0, font=ImageFont.load_default(72))
    image.save(file, quality=90)
    form = page["upload"]
    httpx.post(form["url"], data=form["fields"], files={"file": file.read_bytes()}).raise_for_status()
    eventually(lambda: api.get(f"/projects/{project}/pages/{page['pageId']}").json()["status"] == "ready")
    pool = system.client("cognito-idp").list_users(UserPoolId=system.output("UserPoolId"))
    [sub] = [a["Value"] for user in pool["Users"] for a in user["Attributes"] if a["Name"] == "sub"]
    multiply(system, sub, project, page["pageId"], PAGES)
    return project


def eventually(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
    return result


def kill(system, part):
    """Kill processes of the system whose command line has this in it; not the copies that write snapshots."""

    def found():
        processes = []
        for process in family(system.addresses):
            try:
                if part in " ".join(process.cmdline()) and process.nice() == 0:
                    processes.append(process)
            except psutil.Error:  # it has just ended
                continue
        return processes

    for victim in eventually(found):
        victim.kill()


def start(api, project, **order):
    export = str(uuid.uuid4())
    api.put(f"/exports/{export}", json={"projectId": project} | order).raise_for_status()
    return export


def read(api, export):
    """The export; nothing while the gateway or the engine is on its way back."""
    try:
        answer = api.get(f"/exports/{export}")
    except httpx.TransportError:
        return {}
    return answer.json() if answer.status_code == 200 else {}


def ended(api, export):
    return eventually(lambda: (now := read(api, export)).get("status") not in {None, "running"} and now)


def under_way(api, export):
    """Wait until some parts of the export are built, and some are not."""
    now = eventually(lambda: (now := read(api, export)).get("pagesDone") and now)
    assert now["status"] == "running"
    assert now["pagesDone"] < PAGES, "it was too fast to be interrupted"


def assert_complete(system, export, project):
    """It has all pages in order, in one document that exists once."""
    assert export["status"] == "completed", export
    (document,) = export["documents"]
    assert (export["pageCount"], export["leftOutCount"], document["pageCount"]) == (PAGES, 0, PAGES)
    with pikepdf.open(io.BytesIO(httpx.get(document["url"]).content)) as pdf:
        assert len(pdf.pages) == PAGES
        for place, sheet in enumerate(pdf.pages, 1):
            [image] = sheet.get_images().values()
            assert f"copy {place}".encode() == image.read_raw_bytes()[6:].split(b"\xff")[0]
    documents = [key for key in objects(system, f"exports/{project}/{export['exportId']}/") if "document" in key]
    assert len(documents) == 1


def objects(system, prefix):
    pages = system.client("s3").get_paginator("list_object_versions")
    answers = pages.paginate(Bucket=system.output("BucketName"), Prefix=prefix)
    return {v["Key"]: v["VersionId"] for a in answers for v in a.get("Versions", [])}


def test_an_export_goes_on_when_the_functions_that_build_its_parts_are_killed(system, api, project):
    export = start(api, project)
    under_way(api, export)

    kill(system, "ExportPartFunction")

    assert_complete(system, ended(api, export), project)


@pytest.mark.parametrize("function", ["ExportPlanFunction", "ExportJoinFunction"])
def test_an_export_goes_on_when_the_function_that_plans_or_joins_is_killed(system, api, project, function):
    export = start(api, project)
    if function == "ExportJoinFunction":
        eventually(lambda: read(api, export).get("pagesDone") == PAGES)

    kill(system, function)

    assert_complete(system, ended(api, export), project)


def test_an_export_goes_on_when_the_gateway_is_killed(system, api, project):
    export = start(api, project)
    under_way(api, export)

    kill(system, "samhost.gateway")

    assert_complete(system, ended(api, export), project)


def test_an_export_that_the_engine_s_end_interrupts_says_so_and_the_next_one_uses_what_was_built(system, api, project):
    export = start(api, project)
    under_way(api, export)
    httpx.post(f"{system.addresses['engine']}/_samhost/snapshot", timeout=60).raise_for_status()
    built = objects(system, f"parts/{project}/")

    kill(system, "samhost.engine_process")

    interrupted = ended(api, export)
    assert (interrupted["status"], interrupted["reason"]["code"]) == ("failed", "export-failed")
    assert "interrupted" in interrupted["reason"]["message"]
    again = ended(api, start(api, project))
    assert_complete(system, again, project)
    used = objects(system, f"parts/{project}/")
    assert built
    assert {key: used[key] for key in built} == built
