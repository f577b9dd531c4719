"""Who gets in, and what they see."""

import re
from pathlib import Path

import pytest
import yaml

API = yaml.safe_load((Path(__file__).parents[2] / "api" / "scanner.yaml").read_text())
ROUTES = [
    (method.upper(), path)
    for path, item in API["paths"].items()
    for method in item
    if method in {"get", "put", "post", "patch", "delete"}
]
OF_A_PROJECT = [(method, path) for method, path in ROUTES if "{projectId}" in path]
BODIES = {
    ("POST", "/projects"): {"name": "x"},
    ("PATCH", "/projects/{projectId}"): {"name": "x"},
    ("POST", "/projects/{projectId}/pages"): {"contentType": "image/png"},
    ("PATCH", "/projects/{projectId}/pages/{pageId}"): {"rotation": 0},
    ("PUT", "/projects/{projectId}/pages/{pageId}/image"): {"contentType": "image/png"},
}


def call(api, method, path, project, page, **options):
    body = BODIES.get((method, path))
    return api.request(method, path.format(projectId=project, pageId=page), json=body, **options)


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


@pytest.mark.parametrize(("method", "path"), OF_A_PROJECT)
def test_anothers_project_is_not_there(user, other, owned, method, path):
    project, page = owned

    answer = call(other.api, method, path, project, page)

    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"
    assert user.api.get(f"/projects/{project}").status_code == 200


@pytest.mark.parametrize(("method", "path"), OF_A_PROJECT)
@pytest.mark.parametrize("unknown", ["00000000-0000-0000-0000-000000000000", "x", "a%20b", "%2e%2e", "x" * 37, "💥"])
def test_what_does_not_exist_is_not_found(user, method, path, unknown):
    assert call(user.api, method, path, unknown, unknown).status_code == 404


def test_a_path_without_a_route_is_not_found(user):
    answer = user.api.get("/nowhere")

    assert answer.status_code == 404
    assert answer.json() == {"message": "Not Found"}


def test_a_browser_of_an_allowed_origin_may_call(anybody):
    preflight = {"origin": "http://localhost:8000", "access-control-request-method": "POST"}
    allowed = anybody.options("/projects", headers=preflight)
    foreign = anybody.options("/projects", headers=preflight | {"origin": "https://evil.example"})

    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == "http://localhost:8000"
    assert "access-control-allow-origin" not in foreign.headers


def test_no_log_names_a_token_or_a_text(system, user, drawn_page):
    project = user.project("Confidential name")
    user.settled(project, user.upload(project, drawn_page("Confidentialword")))
    logs = "".join(file.read_text(errors="replace") for file in (system.data_dir / "logs").glob("*.log"))

    assert user.sub in logs, "the logs that are searched are the right ones"
    assert "Confidential" not in logs
    assert not re.search(r"eyJ[\w-]{20,}\.eyJ", logs)
