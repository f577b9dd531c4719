"""The sample events of `sam local invoke` are accepted by the handlers."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from paged_files import letter, written
from unit.functions.pictures import picture

from scanner.aws import clients, imports_table, pages_table, projects_table
from scanner.imports import Import, Order
from scanner.page import Failure
from scanner.project import Project

EVENTS = Path(__file__).parents[3] / "events"


def sample(handler):
    return json.loads((EVENTS / f"{handler}.json").read_text())


USER = sample("projects")["requestContext"]["authorizer"]["jwt"]["claims"]["sub"]
PROJECT = sample("pages")["pathParameters"]["projectId"]


@pytest.fixture
def project(stack):
    projects_table.put(Project(USER, PROJECT, "Sample", "2026-11-21T09:30:00.000Z"))
    return stack


def test_projects_creates_a_project(stack):
    status, project = stack.invoke("projects", sample("projects"))
    assert status == 201
    assert project["name"] == json.loads(sample("projects")["body"])["name"]


def test_pages_creates_a_page(project):
    status, page = project.invoke("pages", sample("pages"))
    assert (status, page["projectId"]) == (201, PROJECT)


def test_imports_creates_an_import(project):
    status, imported = project.invoke("imports", sample("imports"))
    assert (status, imported["projectId"]) == (201, PROJECT)


def test_documents_answers_for_the_project(project):
    status, answer = project.invoke("documents", sample("documents"))
    assert (status, answer["code"]) == (409, "nothing-to-export")


def test_usage_tells_of_today(stack):
    status, answer = stack.invoke("usage", sample("usage"))
    assert (status, answer["days"][0]["uploaded"]) == (200, 0)


@pytest.mark.parametrize("handler", ["pages", "documents", "imports"])
def test_without_the_project_it_is_not_found(stack, handler):
    status, answer = stack.invoke(handler, sample(handler))
    assert (status, answer["code"]) == (404, "not-found")


def test_recognition_recognises_the_upload(project, monkeypatch):
    event = sample("recognition")
    notification = json.loads(event["Records"][0]["body"])["Records"][0]["s3"]["object"]
    _, _, page_id, image_id = notification["key"].split("/")
    ids = iter([page_id, image_id])
    monkeypatch.setattr("scanner.page.new_id", lambda: next(ids))
    pages_table.create(USER, PROJECT, "image/jpeg")
    version = clients.s3().put_object(Bucket="docscan-test", Key=notification["key"], Body=picture("JPEG"))["VersionId"]
    event["Records"][0]["body"] = event["Records"][0]["body"].replace(notification["versionId"], version)
    assert importlib.import_module("recognition").handler(event, None) == {"batchItemFailures": []}
    page = pages_table.get(PROJECT, page_id)
    assert (page.status, page.image_version) == ("ready", version)


def test_recognition_acknowledges_the_upload_of_a_page_that_is_not_there(stack):
    assert importlib.import_module("recognition").handler(sample("recognition"), None) == {"batchItemFailures": []}


def test_deletion_deletes_the_project(project):
    assert project.consume("deletion", *sample("deletion")["Records"]) == []
    assert project.items("projects") == []


def test_auditing_writes_the_event_that_audit_then_lists(stack):
    assert stack.consume("auditing", *sample("auditing")["Records"]) == []
    status, listed = stack.invoke("audit", sample("audit"))
    assert status == 200
    assert [(entry["user"], entry["detailType"]) for entry in listed["items"]] == [(USER, "ClientEvent")]


def test_checks_checks_the_project(project):
    answer = importlib.import_module("checks").handler(sample("checks"), None)
    assert (answer["ready"], answer["pageCount"]) == (False, 0)


def test_export_plan_answers_for_the_project(project):
    answer = importlib.import_module("export_plan").handler(sample("export_plan"), None)
    assert answer["code"] == "nothing-to-export"


@pytest.mark.parametrize("task", ["export_part", "export_join"])
def test_an_export_that_was_not_planned_has_no_parts(project, task):
    assert importlib.import_module(task).handler(sample(task), None) == {"ended": True}


def test_export_cleanup_ends_the_export(stack):
    assert stack.consume("export_cleanup", *sample("export_cleanup")["Records"]) == []
    assert [item["owner"] for item in stack.items("exports")] == [USER]


def test_exports_finds_no_export_that_was_not_started(stack):
    status, answer = stack.invoke("exports", sample("exports"))
    assert (status, answer["code"]) == (404, "not-found")


def test_importing_opens_the_file_that_has_arrived(project):
    event = sample("importing")
    import_id = event["object"]["key"].split("/")[-1]
    imported = Import.create(USER, PROJECT, Order("application/pdf", recognise_anyway=False))
    imports_table.put(replace(imported, import_id=import_id))
    answer = clients.s3().put_object(Bucket="docscan-test", Key=event["object"]["key"], Body=written(letter()))
    event["object"]["version-id"] = answer["VersionId"]

    opened = importlib.import_module("importing").handler(event, None)

    assert (opened["importId"], [len(part["places"]) for part in opened["parts"]]) == (import_id, [1])


def test_commands_has_the_page_recognised_again(project, monkeypatch):
    (message,) = sample("commands")["Records"]
    (page_id,) = json.loads(message["body"])["pageIds"]
    monkeypatch.setattr("scanner.page.new_id", lambda: page_id)
    page = pages_table.create(USER, PROJECT, "image/jpeg").arrived("1")
    pages_table.transition(pages_table.get(PROJECT, page_id), page)
    pages_table.transition(page, page.failed(Failure("recognition-failed", "…")))
    assert project.consume("commands", message) == []
    assert pages_table.get(PROJECT, page_id).status == "recognising"


def test_operations_sends_back_no_dead_letters_where_there_are_none(stack):
    assert stack.invoke("operations", sample("operations")) == (200, {"redriven": 0, "left": 0, "more": False})


def test_telemetry_adds_the_report_up(stack):
    assert importlib.import_module("telemetry").handler(sample("telemetry"), None) == {"batchItemFailures": []}
    (sums,) = stack.items("telemetry")
    assert (sums["owner"], sums["document.failures"]) == (USER, 1)


def test_tokens_adds_the_scopes():
    answer = importlib.import_module("tokens").handler(sample("tokens"), None)
    generation = answer["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"]
    assert generation == {"scopesToAdd": ["docscan/use", "docscan/operate"]}
