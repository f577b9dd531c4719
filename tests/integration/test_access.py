"""Who gets in, and what they see."""

import re

import api_contract
import httpx
import pytest

ROUTES = list(api_contract.OPERATIONS)
# Where a workflow looks the project up, its output says that there is none: test_workflows.py.
OF_A_PROJECT = [(method, path) for method, path in ROUTES if "{projectId}" in path and not path.endswith("/checks")]
BODIES = {
    ("POST", "/projects"): {"name": "x"},
    ("PATCH", "/projects/{projectId}"): {"name": "x"},
    ("POST", "/projects/{projectId}/pages"): {"contentType": "image/png"},
    ("POST", "/projects/{projectId}/imports"): {"contentType": "application/pdf"},
    ("PATCH", "/projects/{projectId}/pages/{pageId}"): {"rotation": 0},
    ("PUT", "/projects/{projectId}/pages/{pageId}/image"): {"contentType": "image/png"},
}


def call(api, method, path, project, page, **options):
    body = BODIES.get((method, path))
    url = path.format(projectId=project, pageId=page, exportId=project, importId=project)
    return api.request(method, url, json=body, **options)


@pytest.fixture(scope="module")
def owned(user, drawn_page):
    project = user.project("Private")
    return project, user.upload(project, drawn_page("Private words"))


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_gets_in_without_a_token(anybody, owned, method, path):
    answer = call(anybody, method, path, *owned)

    assert answer.status_code == 401
    assert answer.json() == {"message": "Unauthorized"}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_an_id_token_does_not_pass(anybody, user, owned, method, path):
    answer = call(anybody, method, path, *owned, headers={"authorization": user.id_token})

    assert answer.status_code == 403


@pytest.mark.defect(1)
@pytest.mark.parametrize(("method", "path"), OF_A_PROJECT)
def test_anothers_project_is_not_there(user, other, owned, method, path):
    project, page = owned

    answer = call(other.api, method, path, project, page)

    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"
    assert user.api.get(f"/projects/{project}").status_code == 200


@pytest.mark.defect(4)
@pytest.mark.parametrize(("method", "path"), OF_A_PROJECT)
@pytest.mark.parametrize("unknown", ["00000000-0000-0000-0000-000000000000", "x", "a%20b", "%2e%2e", "x" * 37, "💥"])
def test_what_does_not_exist_is_not_found(user, method, path, unknown):
    assert call(user.api, method, path, unknown, unknown).status_code == 404


@pytest.mark.defect(2)
def test_nothing_in_a_body_says_who_asks(user, other, owned):
    project, _ = owned
    identity = {"identityId": user.sub, "username": user.sub, "owner": user.sub, "sub": user.sub, "name": "Private"}

    answer = other.api.request("DELETE", f"/projects/{project}", json=identity)

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert user.api.get(f"/projects/{project}/pages/count").json() == {"pageCount": 1}


@pytest.mark.defect(3)
def test_a_form_uploads_to_no_page_but_its_own(user, other, drawn_page):
    own = other.api.post(f"/projects/{other.project()}/pages", json={"contentType": "image/png"}).json()
    project = user.project("Not to be overwritten")
    page = user.api.post(f"/projects/{project}/pages", json={"contentType": "image/png"}).json()
    form, key = own["upload"], page["upload"]["fields"]["key"]

    refused = httpx.post(form["url"], data=form["fields"] | {"key": key}, files={"file": drawn_page("Forged")})

    assert refused.status_code == 403
    assert user.api.get(f"/projects/{project}/pages/{page['pageId']}").json()["status"] == "awaiting-upload"


@pytest.mark.defect(1)
def test_megabytes_of_others_pages_are_neither_seen_nor_counted(sign_up, drawn_page):
    one, another = sign_up(), sign_up()
    mine, theirs = one.project("Mine"), another.project("Theirs")
    pages = [one.upload(mine, drawn_page(f"Mine {number}")) for number in range(2)]
    for number in range(4):
        page = another.upload(theirs, drawn_page(f"Theirs {number}"))
        another.settled(theirs, page)
        # 400 KB of UTF-8 in one item; a table answers at most 1 MB at a time.
        long = another.api.patch(f"/projects/{theirs}/pages/{page}", json={"text": "\N{GRINNING FACE}" * 100_000})
        assert long.status_code == 200
    for page in pages:
        one.settled(mine, page)

    assert [item["projectId"] for item in one.api.get("/projects").json()["items"]] == [mine]
    assert [item["pageId"] for item in one.api.get(f"/projects/{mine}/pages").json()["items"]] == pages
    assert one.api.get(f"/projects/{mine}/pages/count").json() == {"pageCount": 2}
    assert one.api.get(f"/projects/{mine}/pdf").json()["pageCount"] == 2
    assert len(another.api.get(f"/projects/{theirs}/pages").json()["items"]) == 4
    assert another.api.get(f"/projects/{theirs}/pages/count").json() == {"pageCount": 4}


def test_a_path_without_a_route_is_not_found(user):
    answer = user.api.get("/nowhere")

    assert answer.status_code == 404
    assert answer.json() == {"message": "Not Found"}


@pytest.mark.defect(12)
def test_a_browser_of_an_allowed_origin_may_call(anybody):
    preflight = {"origin": "http://localhost:8000", "access-control-request-method": "POST"}
    allowed = anybody.options("/projects", headers=preflight)
    foreign = anybody.options("/projects", headers=preflight | {"origin": "https://evil.example"})

    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == "http://localhost:8000"
    assert "access-control-allow-origin" not in foreign.headers


@pytest.mark.defect(8)
def test_no_log_names_a_token_or_a_text(system, user, drawn_page):
    project = user.project("Confidential name")
    user.settled(project, user.upload(project, drawn_page("Confidentialword")))
    logs = "".join(file.read_text(errors="replace") for file in (system.data_dir / "logs").glob("*.log"))

    assert user.sub in logs, "the logs that are searched are the right ones"
    assert "Confidential" not in logs
    assert not re.search(r"eyJ[\w-]{20,}\.eyJ", logs)
