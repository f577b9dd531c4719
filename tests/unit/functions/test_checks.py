"""Checks of a project before it is exported."""

import importlib
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from scanner.services import checks

CONTRACT = yaml.safe_load((Path(__file__).parents[3] / "api" / "scanner.yaml").read_text())
NOT_FOUND = {"message": "There is no such project.", "code": "not-found"}


@pytest.fixture
def check(stack):
    """Checks a project; every answer is as the API documents it."""

    def check(project, **user):
        answer = stack.perform("checks", project, **user)
        schema = CONTRACT["components"]["schemas"]["Error" if "code" in answer else "Check"]
        jsonschema.Draft4Validator({**schema, "components": CONTRACT["components"]}).validate(answer)
        return answer

    return check


def codes(answer):
    return [(finding["number"], finding["code"]) for finding in answer["findings"]]


def test_a_project_of_ready_pages_is_ready(stack, check):
    project = stack.project()
    for _ in range(2):
        stack.ready_page(project)

    answer = check(project)

    assert answer["ready"]
    assert answer["pageCount"] == 2
    assert answer["pagesByStatus"] == {"awaiting-upload": 0, "recognising": 0, "ready": 2, "failed": 0}
    assert (answer["findingCount"], answer["findings"]) == (0, [])


def test_each_page_that_is_not_ready_keeps_the_project_back_and_says_why(stack, check):
    project = stack.project()
    stack.ready_page(project)
    waiting = stack.page(project)
    damaged = stack.page(project)
    stack.deliver(damaged, stack.upload(damaged, b"no image"))
    slow = stack.page(project)
    stack.textract.error = "InternalServerError"
    stack.deliver(slow, stack.upload(slow))

    answer = check(project)

    assert not answer["ready"]
    assert codes(answer) == [(2, "image-missing"), (3, "failed"), (4, "still-recognising")]
    assert [finding["pageId"] for finding in answer["findings"]] == [p["pageId"] for p in (waiting, damaged, slow)]
    assert answer["findings"][1]["message"] == stack.read_page(damaged)["reason"]["message"]


def test_an_empty_project_is_not_ready(stack, check):
    answer = check(stack.project())

    assert (answer["ready"], answer["pageCount"], answer["export"]["pages"]) == (False, 0, 0)


def test_weak_pages_are_named_and_do_not_keep_the_project_back(stack, check, monkeypatch):
    project = stack.project()
    stack.ready_page(project)
    stack.textract.lines = []
    stack.ready_page(project)
    monkeypatch.setattr(checks, "WEAK_CONFIDENCE", 99.0)

    answer = check(project)

    assert answer["ready"]
    assert codes(answer) == [(1, "weak"), (2, "no-text")]


def test_a_page_that_somebody_has_corrected_is_not_weak(stack, check, monkeypatch):
    project = stack.project()
    page = stack.ready_page(project)
    monkeypatch.setattr(checks, "WEAK_CONFIDENCE", 99.0)
    assert codes(check(project)) == [(1, "weak")]

    path = {"projectId": project, "pageId": page["pageId"]}
    stack.call("PATCH /projects/{projectId}/pages/{pageId}", body={"text": "Dear reader"}, **path)

    assert codes(check(project)) == []


def test_a_long_project_has_its_first_findings_and_how_many_there_are(stack, check, monkeypatch):
    project = stack.project()
    for _ in range(5):
        stack.page(project)
    monkeypatch.setattr(checks, "MAX_FINDINGS", 3)

    answer = check(project)

    assert answer["findingCount"] == 5
    assert codes(answer) == [(n, "image-missing") for n in (1, 2, 3)]


def test_an_export_takes_longer_the_more_pages_are_ready(stack, check):
    project = stack.project()
    empty = check(project)["export"]["seconds"]
    for _ in range(20):
        stack.ready_page(project)

    assert check(project)["export"]["pages"] == 20
    assert check(project)["export"]["seconds"] > empty > 0


def test_all_findings_fit_into_an_output():
    finding = {"pageId": "x" * 36, "number": 100_000, "code": "still-recognising", "message": "x" * 300}

    assert len(json.dumps([finding] * checks.MAX_FINDINGS)) < 200_000


def test_anothers_project_is_not_found(stack, check):
    assert check(stack.project(), user="bob") == NOT_FOUND


@pytest.mark.parametrize("project", ["", "none", "../x", "a_b", "x" * 37, "alice_project"])
def test_what_is_no_project_is_not_found(stack, check, project):
    assert check(project)["code"] == "not-found"


def test_what_follows_the_underscore_reaches_into_no_other_user_s_projects(stack):
    bobs = stack.project(user="bob")

    assert stack.perform("checks", f"bob_{bobs}")["code"] == "not-found"


@pytest.mark.parametrize("name", ["alice", "", "_project"])
def test_an_execution_of_another_name_is_a_fault(stack, name):
    with pytest.raises(ValueError, match="another name"):
        importlib.import_module("checks").handler({"execution": name}, None)
