"""Exports as their owners and the event bus see them: where they stand, and what they come to."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from botocore.exceptions import ClientError
from unit.functions.export_runs import build, end, join, plan, recognising, run

from scanner.aws import bucket, bus, clients
from scanner.services import export_plan

ROUTE = "GET /exports/{exportId}"
CONTRACT = yaml.safe_load((Path(__file__).parents[3] / "api" / "scanner.yaml").read_text())
STARTED, STOPPED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC), datetime(2026, 11, 21, 9, 31, tzinfo=UTC)


@dataclass
class FakeStepFunctions:
    """Step Functions as the route sees it: what DescribeExecution answers, by the execution's name."""

    found: dict[str, dict[str, Any]] = field(default_factory=dict)

    class exceptions:  # noqa: N801 - boto3's name
        class ExecutionDoesNotExist(ClientError):  # noqa: N818 - boto3's name
            """There is no such execution."""

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        machine, _, name = executionArn.rpartition(":")
        assert machine == "arn:aws:states:eu-west-1:123456789012:execution:exports"
        if name not in self.found:
            raise self.exceptions.ExecutionDoesNotExist({"Error": {}}, "DescribeExecution")
        return {"startDate": STARTED} | self.found[name]

    def succeeded(self, name: str, output: dict[str, Any]) -> None:
        self.found[name] = {"status": "SUCCEEDED", "stopDate": STOPPED, "output": json.dumps(output)}

    def ended(self, name: str, status: str, error: str | None = None, cause: str | None = None) -> None:
        reason = {"error": error, "cause": cause} if error else {}
        self.found[name] = {"status": status, "stopDate": STOPPED} | reason


@pytest.fixture
def stepfunctions(stack, monkeypatch):
    fake = FakeStepFunctions()
    monkeypatch.setattr(clients, "stepfunctions", lambda: fake)
    return fake


@pytest.fixture
def project(stack):
    project = stack.project("Letters / November")
    for _ in range(2):
        stack.ready_page(project)
    stack.events.clear()
    return project


def read(stack, export="export-1", user="alice"):
    status, answer = stack.call(ROUTE, user, exportId=export)
    schema = CONTRACT["components"]["schemas"]["Export" if status == 200 else "Error"]
    jsonschema.Draft4Validator({**schema, "components": CONTRACT["components"]}).validate(answer)
    return status, answer


def test_the_bus_hears_of_the_documents(stack, project):
    output = run(stack, project)

    (event,) = stack.events
    assert (event["Source"], event["DetailType"]) == ("docscan.exports", "ExportCompleted")
    assert json.loads(event["Detail"]) == {
        "exportId": "export-1",
        "projectId": project,
        "owner": "alice",
        "format": "pdf",
        "pageCount": 2,
        "leftOutCount": 0,
        "completedAt": output["completedAt"],
    }


def test_an_event_that_the_bus_does_not_take_is_tried_again(stack, project, monkeypatch):
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
    with monkeypatch.context() as context:
        context.setattr(clients.events(), "put_events", lambda Entries: refused)  # noqa: N803 - AWS's name
        with pytest.raises(bus.PublishingError):
            run(stack, project)

    assert join(stack)["pageCount"] == 2
    assert [event["DetailType"] for event in stack.events] == ["ExportCompleted"]


def test_an_export_that_runs_says_so(stack, stepfunctions):
    stepfunctions.found["alice_export-1"] = {"status": "RUNNING"}

    assert read(stack) == (
        200,
        {"exportId": "export-1", "status": "running", "startedAt": "2026-11-21T09:30:00.000Z"},
    )


def test_an_export_that_runs_says_how_far_it_is(stack, project, stepfunctions, monkeypatch):
    monkeypatch.setattr(export_plan, "PART_PAGES", 1)
    stepfunctions.found["alice_export-1"] = {"status": "RUNNING"}
    stack.page(project)

    plan(stack, project, format="txt")
    planned = read(stack)[1]
    build(stack, 1)
    build(stack, 1)

    assert (planned["projectId"], planned["format"], planned["leftOutCount"]) == (project, "txt", 1)
    assert (planned["pageCount"], planned["pagesDone"]) == (2, 0)
    assert read(stack)[1]["pagesDone"] == 1, "a part that is built twice counts once"


def test_an_export_that_waits_says_for_how_many_pages(stack, project, stepfunctions):
    stepfunctions.found["alice_export-1"] = {"status": "RUNNING"}
    recognising(stack, project)

    plan(stack, project)

    _, export = read(stack)
    assert export["waitingFor"] == 1
    assert not {"pageCount", "pagesDone"} & export.keys()


def test_a_completed_export_has_a_link_to_each_of_its_volumes(stack, project, stepfunctions, monkeypatch):
    monkeypatch.setattr(export_plan, "PART_PAGES", 1)
    monkeypatch.setenv("VOLUME_BYTES", "1")
    stepfunctions.succeeded("alice_export-1", run(stack, project))

    status, export = read(stack)

    assert (status, export["status"], export["pageCount"]) == (200, "completed", 2)
    names = [document["filename"] for document in export["documents"]]
    assert names == ["Letters / November (1 of 2).pdf", "Letters / November (2 of 2).pdf"]
    assert [document["pageCount"] for document in export["documents"]] == [1, 1]


def test_a_completed_export_has_a_link_to_its_document(stack, project, stepfunctions):
    stepfunctions.succeeded("alice_export-1", run(stack, project))

    status, export = read(stack)

    assert (status, export["status"], export["pageCount"], export["format"]) == (200, "completed", 2, "pdf")
    (document,) = export["documents"]
    assert f"exports/{project}/export-1/document.pdf" in document["url"]
    assert "Letters%20_%20November.pdf" in document["url"]
    assert (document["filename"], document["pageCount"]) == ("Letters / November.pdf", 2)
    assert document["size"] == len(bucket.read(f"exports/{project}/export-1/document.pdf"))
    assert export["stoppedAt"] == "2026-11-21T09:31:00.000Z"


def test_a_document_that_is_no_longer_kept_has_expired(stack, project, stepfunctions):
    output = run(stack, project)
    stepfunctions.succeeded("alice_export-1", output)
    for key, version in stack.objects("exports/"):
        bucket.delete_version(key, version)

    status, export = read(stack)

    assert (status, export["status"], export["reason"]["code"]) == (200, "expired", "expired")
    assert "documents" not in export


def test_a_stopped_export_says_so(stack, stepfunctions):
    stepfunctions.ended("alice_export-1", "ABORTED", "stopped", "Its owner has stopped it.")

    _, export = read(stack)

    assert (export["status"], export["reason"]["code"]) == ("stopped", "stopped")


def test_a_refused_export_gives_the_reason_that_it_was_refused_for(stack, stepfunctions):
    refusal = run(stack, "none")
    stepfunctions.ended("alice_export-1", "FAILED", refusal["code"], refusal["message"])

    _, export = read(stack)

    assert export["status"] == "failed"
    assert export["reason"] == {"code": "not-found", "message": "There is no such project."}


@pytest.mark.parametrize("error", ["Runtime.HandlerError", "States.Timeout", "Lambda.Unknown", None])
@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT"])
def test_a_fault_s_cause_is_not_for_users(stack, stepfunctions, status, error):
    stepfunctions.ended("alice_export-1", status, error, '{"errorMessage": "secret", "trace": ["/var/task"]}')

    _, export = read(stack)

    assert (export["status"], export["reason"]["code"]) == ("failed", "export-failed")
    assert "secret" not in json.dumps(export)


def test_each_user_has_their_own_exports(stack, stepfunctions):
    stepfunctions.found["alice_export-1"] = {"status": "RUNNING"}

    assert read(stack, user="bob")[0] == 404
    assert read(stack, "export-2")[0] == 404
    assert read(stack, "x_export-1")[0] == 404


@pytest.mark.parametrize("status", ["FAILED", "ABORTED"])
def test_an_export_that_came_to_nothing_still_says_of_what_it_was(stack, project, stepfunctions, status):
    plan(stack, project)
    end(stack, status)
    stepfunctions.ended("alice_export-1", status)

    _, export = read(stack)

    assert (export["projectId"], export["pageCount"]) == (project, 2)
    assert "pagesDone" not in export


def test_an_export_that_a_crash_has_interrupted_says_so(stack, project, stepfunctions):
    plan(stack, project)
    stepfunctions.ended("alice_export-1", "FAILED", "States.ServiceRestart", "Execution was running …")

    _, export = read(stack)

    assert (export["status"], export["reason"]["code"]) == ("failed", "export-failed")
    assert "interrupted" in export["reason"]["message"]
