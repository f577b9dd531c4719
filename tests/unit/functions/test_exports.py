"""Exports: the making of a document as a workflow's task, and where an export stands."""

import io
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pikepdf
import pytest
import yaml
from botocore.exceptions import ClientError

from scanner.aws import bucket, bus, clients, projects_table
from scanner.errors import ContendedError
from scanner.services import documents

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


def assemble(stack, project, export="export-1", user="alice", **order):
    return stack.perform("assembly", export, user, input={"projectId": project} | order)


def exported(stack):
    return [key for key, _ in stack.objects("exports/")]


def read(stack, export="export-1", user="alice"):
    status, answer = stack.call(ROUTE, user, exportId=export)
    schema = CONTRACT["components"]["schemas"]["Export" if status == 200 else "Error"]
    jsonschema.Draft4Validator({**schema, "components": CONTRACT["components"]}).validate(answer)
    return status, answer


def document(key):
    return pikepdf.open(io.BytesIO(bucket.read(key)))


@pytest.mark.parametrize("wanted", [{}, {"format": "pdf"}, {"format": "text-pdf"}])
def test_the_document_has_every_page_that_is_ready(stack, project, wanted):
    stack.page(project)

    output = assemble(stack, project, **wanted)

    assert (output["pageCount"], output["leftOutCount"]) == (2, 1)
    with document(output["volumes"][0]["key"]) as pdf:
        assert [bool(page.get_images()) for page in pdf.pages] == [wanted.get("format") != "text-pdf"] * 2


def test_a_document_lies_below_its_project_and_goes_with_it(stack, project):
    assemble(stack, project)
    assert exported(stack) == [f"exports/{project}/export-1/document.pdf"]

    stack.call("DELETE /projects/{projectId}", projectId=project)
    (message,) = stack.queued()
    assert stack.consume("deletion", message) == []

    assert stack.objects("exports/") == []


def test_the_bus_hears_of_the_document(stack, project):
    output = assemble(stack, project)

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


def test_a_task_that_is_done_again_makes_no_second_document(stack, project, monkeypatch):
    first = assemble(stack, project)
    monkeypatch.setattr(documents, "_build", None)

    again = assemble(stack, project)

    assert again["volumes"] == first["volumes"]
    assert len(exported(stack)) == 1


def test_an_event_that_the_bus_does_not_take_is_tried_again(stack, project, monkeypatch):
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
    with monkeypatch.context() as context:
        context.setattr(clients.events(), "put_events", lambda Entries: refused)  # noqa: N803 - AWS's name
        with pytest.raises(bus.PublishingError):
            assemble(stack, project)

    assemble(stack, project)
    assert [event["DetailType"] for event in stack.events] == ["ExportCompleted"]


def test_a_project_that_changes_meanwhile_is_tried_again(stack, project, monkeypatch):
    def build(*_):
        raise ContendedError("The project has changed.")

    monkeypatch.setattr(documents, "_build", build)

    with pytest.raises(ContendedError):
        assemble(stack, project)


def test_a_project_that_goes_meanwhile_leaves_nothing_behind(stack, project, monkeypatch):
    write = bucket.write

    def write_late(*arguments):
        projects_table.delete("alice", project)
        return write(*arguments)

    monkeypatch.setattr(bucket, "write", write_late)

    assert assemble(stack, project)["code"] == "not-found"
    assert stack.objects("exports/") == []
    assert stack.events == []


@pytest.mark.parametrize(
    "order", [None, "text", [], {}, {"projectId": 5}, {"projectId": "../x"}, {"projectId": "p", "format": "docx"}]
)
def test_an_order_that_is_none_is_refused(stack, order):
    answer = stack.perform("assembly", "export-1", input=order)

    assert answer["code"] == "invalid-request"


@pytest.mark.parametrize("format_", [None, 5, [], {}, "PDF"])
def test_a_format_that_there_is_not_is_refused(stack, project, format_):
    assert assemble(stack, project, format=format_)["code"] == "invalid-request"


def test_nobody_exports_another_s_project(stack, project):
    assert assemble(stack, project, user="bob") == {"message": "There is no such project.", "code": "not-found"}
    assert stack.objects("exports/") == []


def test_the_owner_is_not_who_the_order_says(stack, project):
    answer = assemble(stack, project, user="bob", owner="alice", execution="alice_export-1")

    assert answer["code"] == "not-found"


@pytest.mark.parametrize("export", ["", "a_b", "../x", "x" * 37])
def test_an_id_that_is_none_is_refused(stack, project, export):
    assert assemble(stack, project, export)["code"] == "not-found"


def test_what_is_not_ready_yet_and_what_is_empty_is_refused(stack, project):
    assert assemble(stack, stack.project())["code"] == "nothing-to-export"

    slow = stack.page(project)
    stack.textract.error = "InternalServerError"
    stack.deliver(slow, stack.upload(slow))
    assert assemble(stack, project)["code"] == "pages-not-ready"


def test_what_is_too_large_is_refused_with_advice(stack, project, monkeypatch):
    monkeypatch.setattr(documents, "EXPORTED", replace(documents.EXPORTED, pages=1))

    answer = assemble(stack, project)

    assert answer["code"] == "project-too-large"
    assert "exports" not in answer["message"], "no advice to do what was just done"


def test_what_is_too_large_at_once_is_exported(stack, project, monkeypatch):
    monkeypatch.setattr(documents, "AT_ONCE", replace(documents.AT_ONCE, pages=1))
    status, answer = stack.call("GET /projects/{projectId}/pdf", projectId=project)
    assert (status, answer["code"]) == (409, "project-too-large")

    assert assemble(stack, project)["pageCount"] == 2


def test_an_export_that_runs_says_so(stack, stepfunctions):
    stepfunctions.found["alice_export-1"] = {"status": "RUNNING"}

    assert read(stack) == (
        200,
        {"exportId": "export-1", "status": "running", "startedAt": "2026-11-21T09:30:00.000Z"},
    )


def test_a_completed_export_has_a_link_to_its_document(stack, project, stepfunctions):
    stepfunctions.succeeded("alice_export-1", assemble(stack, project))

    status, export = read(stack)

    assert (status, export["status"], export["pageCount"], export["format"]) == (200, "completed", 2, "pdf")
    (document,) = export["documents"]
    assert f"exports/{project}/export-1/document.pdf" in document["url"]
    assert "Letters%20_%20November.pdf" in document["url"]
    assert (document["filename"], document["pageCount"]) == ("Letters / November.pdf", 2)
    assert document["size"] == len(bucket.read(f"exports/{project}/export-1/document.pdf"))
    assert export["stoppedAt"] == "2026-11-21T09:31:00.000Z"


def test_a_document_that_is_no_longer_kept_has_expired(stack, project, stepfunctions):
    output = assemble(stack, project)
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
    refusal = assemble(stack, "none")
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
