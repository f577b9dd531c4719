"""A kill -9 of any process in the middle of an import: it finishes once, with all pages, or says what happened."""

import httpx
import pytest
from local_system import System, eventually, kill, restarted
from paged_files import letter, photograph, scan, written

PAGES = 40


@pytest.fixture
def system(own, running):
    return System(own.data_dir, running)


@pytest.fixture
def api(system):
    """The API as the demo user, asked again where a process that is killed does not answer."""
    [user] = system.addresses["users"]
    tokens = system.client("cognito-idp").initiate_auth(
        ClientId=system.output("CliClientId"), AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user["username"], "PASSWORD": user["password"]},
    )["AuthenticationResult"]  # fmt: skip
    base = system.addresses["apis"]["ScannerApi"]
    headers = {"authorization": f"Bearer {tokens['AccessToken']}"}

    def ask(method, path, **options):
        def answered():
            try:
                answer = httpx.request(method, base + path, headers=headers, timeout=30, **options)
            except httpx.TransportError:
                return None
            return answer if answer.status_code < 500 else None

        answer = eventually(answered, 120)
        assert answer.status_code < 300, answer.text
        return answer.json()

    return ask


@pytest.fixture(scope="module")
def document():
    """Letters with their text, and a scan now and then, which is recognised."""
    pages = [letter(f"Letter number {number}, which is {'very ' * 10}long") for number in range(PAGES)]
    pages[::10] = [scan(photograph(f"Scan {number}")) for number in range(0, PAGES, 10)]
    return written(*pages)


def begun(api, project, document):
    imported = api("POST", f"/projects/{project}/imports", json={"contentType": "application/pdf"})
    form = imported["upload"]
    answer = httpx.post(form["url"], data=form["fields"], files={"file": document}, timeout=60)
    assert answer.status_code == 204, answer.text
    return f"/imports/{imported['importId']}"


def in_the_middle(api, imported):
    found = eventually(lambda: (now := api("GET", imported))["pagesDone"] > 3 and now)
    assert found["status"] == "running", found


def ended(api, imported):
    return eventually(lambda: (now := api("GET", imported))["status"] in {"completed", "failed"} and now, 180)


def assert_all_is_there(api, project):
    def settled():
        items = api("GET", f"/projects/{project}/pages", params={"limit": 100})["items"]
        return {page["status"] for page in items} == {"ready"} and items

    pages = eventually(settled, 180)
    assert [page["position"] for page in pages] == [*range(pages[0]["position"], pages[0]["position"] + PAGES)]
    whole = [api("GET", f"/projects/{project}/pages/{page['pageId']}") for page in pages]
    assert [page["textSource"] == "recognition" for page in whole] == [n % 10 == 0 for n in range(PAGES)]


@pytest.mark.parametrize("part", ["ImportingFunction", "samhost.gateway"])
def test_an_import_finishes_once_when_a_process_is_killed(api, system, document, part):
    project = api("POST", "/projects", json={"name": part})["projectId"]
    imported = begun(api, project, document)
    in_the_middle(api, imported)

    kill(system, part)

    done = ended(api, imported)
    assert (done["status"], done["pagesDone"]) == ("completed", PAGES), done
    assert_all_is_there(api, project)


def test_an_import_that_the_engine_s_end_interrupts_says_so_and_another_finishes(api, system, document):
    project = api("POST", "/projects", json={"name": "Interrupted"})["projectId"]
    imported = begun(api, project, document)
    in_the_middle(api, imported)
    httpx.post(f"{system.addresses['engine']}/_samhost/snapshot", timeout=60).raise_for_status()

    kill(system, "samhost.engine_process")
    restarted(system)

    interrupted = ended(api, imported)
    if interrupted["status"] == "failed":
        assert interrupted["reason"]["code"] == "import-failed"
        kept = api("GET", f"/projects/{project}")["pageCount"]
        assert kept == interrupted["pagesDone"] > 3
    fresh = api("POST", "/projects", json={"name": "Another"})["projectId"]
    assert ended(api, begun(api, fresh, document))["status"] == "completed"
    assert_all_is_there(api, fresh)
