"""Workflows behind routes: checks, which are waited for, and exports, which are started, looked at and stopped."""

import json
import time
import uuid

import httpx
import pytest


def new_id():
    return str(uuid.uuid4())


@pytest.fixture(scope="module")
def project(user, drawn_page):
    """A project of two pages that are ready and one without an image."""
    project = user.project("To export")
    pages = [user.upload(project, drawn_page(f"Page number {number}")) for number in (1, 2)]
    for page in pages:
        assert user.settled(project, page)["status"] == "ready"
    user.api.post(f"/projects/{project}/pages", json={"contentType": "image/jpeg"}).raise_for_status()
    return project


def checked(user, project):
    answer = user.api.post(f"/projects/{project}/checks")
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "SUCCEEDED", answer.text
    return json.loads(answer.json()["output"])


def started(user, body, export=None):
    export = export or new_id()
    answer = user.api.put(f"/exports/{export}", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["executionArn"].endswith(f":{user.sub}_{export}")
    return export


def ended(user, export, seconds=60):
    """The export once it no longer runs."""
    deadline = time.monotonic() + seconds
    while True:
        answer = user.api.get(f"/exports/{export}")
        assert answer.status_code == 200, answer.text
        if answer.json()["status"] != "running":
            return answer.json()
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_check_says_what_is_missing(user, project):
    found = checked(user, project)

    assert not found["ready"]
    assert found["pagesByStatus"] == {"awaiting-upload": 1, "recognising": 0, "ready": 2, "failed": 0}
    assert [(f["number"], f["code"]) for f in found["findings"] if f["code"] != "weak"] == [(3, "image-missing")]


@pytest.mark.parametrize("path", ["00000000-0000-0000-0000-000000000000", "x", "x" * 36, "a%20b", "%F0%9F%92%A5"])
def test_a_check_of_what_does_not_exist_finds_nothing(user, path):
    answer = user.api.post(f"/projects/{path}/checks")

    assert answer.status_code in {200, 400}, "400: a name that Step Functions does not take"
    if answer.status_code == 200:
        assert json.loads(answer.json()["output"])["code"] == "not-found"


def test_anothers_project_is_not_found_by_a_check(other, project):
    assert checked(other, project)["code"] == "not-found"


def test_no_body_tells_a_check_whose_project_it_is(user, other, project):
    forged = f"{user.sub}_{project}"
    answer = other.ask_anything("POST", f"/projects/{project}/checks", json={"execution": forged, "name": forged})

    assert json.loads(answer.json()["output"])["code"] == "not-found"


def test_no_path_tells_a_check_whose_project_it_is(user, other, project):
    answer = other.api.post(f"/projects/{user.sub}_{project}/checks")

    assert answer.status_code == 400 or json.loads(answer.json()["output"])["code"] == "not-found"


@pytest.mark.parametrize("wanted", ["pdf", "text-pdf"])
def test_an_export_ends_with_a_link_to_its_document(user, project, wanted):
    export = ended(user, started(user, {"projectId": project, "format": wanted}))

    assert (export["status"], export["format"]) == ("completed", wanted)
    assert (export["pageCount"], export["leftOutCount"]) == (2, 1)
    (link,) = export["documents"]
    document = httpx.get(link["url"])
    assert document.status_code == 200
    assert document.headers["content-type"] == "application/pdf"
    assert document.content.startswith(b"%PDF-")
    assert (link["filename"], link["size"], link["pageCount"]) == ("To export.pdf", len(document.content), 2)


def test_an_export_that_cannot_be_made_says_why(user):
    empty = ended(user, started(user, {"projectId": user.project("Empty")}))

    assert (empty["status"], empty["reason"]["code"]) == ("failed", "nothing-to-export")


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b"{}", b'{"code": "x", "message": "y"}', b'{"projectId": "x_y"}'])
def test_an_order_that_is_none_is_the_reason_to_fail(user, body):
    """Step Functions may refuse it at once, where it is no JSON; the engine does not."""
    export = new_id()
    answer = user.ask_anything("PUT", f"/exports/{export}", content=body)
    if answer.status_code == 400:
        return
    failed = ended(user, export)
    assert (failed["status"], failed["reason"]["code"]) == ("failed", "invalid-request")


def test_nobody_exports_another_s_project(other, project):
    export = ended(other, started(other, {"projectId": project}))

    assert (export["status"], export["reason"]["code"]) == ("failed", "not-found")


def test_nobody_sees_or_stops_another_s_export(user, other, project):
    export = started(user, {"projectId": project})

    assert other.api.get(f"/exports/{export}").status_code == 404
    assert other.api.get(f"/exports/{user.sub}_{export}").status_code == 404
    for name in (export, f"{user.sub}_{export}", f"x:{user.sub}_{export}"):
        answer = other.api.delete(f"/exports/{name}")
        assert answer.status_code == 400
        assert answer.json()["__type"].endswith(("ExecutionDoesNotExist", "InvalidArn"))
    assert ended(user, export)["status"] == "completed"


def test_two_users_may_choose_the_same_id(user, other, project):
    export = started(user, {"projectId": project})
    started(other, {"projectId": project}, export)

    assert ended(user, export)["status"] == "completed"
    assert ended(other, export)["status"] == "failed"


def test_an_id_is_used_up_by_one_attempt(user, project):
    export = started(user, {"projectId": project})
    ended(user, export)

    again = user.api.put(f"/exports/{export}", json={"projectId": project, "format": "text-pdf"})

    assert again.status_code == 400
    assert again.json()["__type"].endswith("ExecutionAlreadyExists")
    assert ended(user, export)["format"] == "pdf"


def test_a_stopped_export_stays_stopped(user, project):
    export = started(user, {"projectId": project})
    stopped = user.api.delete(f"/exports/{export}")
    if stopped.status_code == 400:
        pytest.fail(f"it was over before it could be stopped: {stopped.text}")

    assert stopped.json()["stopDate"]
    assert ended(user, export)["reason"]["code"] == "stopped"


def test_an_export_needs_a_body(user):
    answer = user.api.put(f"/exports/{new_id()}")

    assert (answer.status_code, answer.json()) == (400, {"message": "Bad Request"})


def test_a_finished_export_is_in_the_audit_log(user, operator, project):
    export = started(user, {"projectId": project})
    ended(user, export)

    deadline = time.monotonic() + 30
    while True:
        entries = operator.api.get("/operations/audit", params={"limit": 100}).json()["items"]
        found = [e for e in entries if e["detailType"] == "ExportCompleted" and e["detail"]["exportId"] == export]
        if found:
            break
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert (found[0]["source"], found[0]["user"]) == ("docscan.exports", user.sub)
