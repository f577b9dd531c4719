"""The log: one line for each invocation, and never a text, a token or a claim."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

import tokens

FUNCTIONS = Path(__file__).parents[3] / "functions"


def lines(caplog, level=logging.INFO):
    return [record for record in caplog.records if record.levelno == level and record.name == "docscan"]


@pytest.fixture(autouse=True)
def _everything(caplog):
    caplog.set_level(logging.DEBUG, "docscan")


@pytest.mark.parametrize("user", ["alice", None])
def test_a_request_writes_one_line_with_its_route_status_and_user(stack, caplog, user):
    project_id = stack.project("The secret name")
    caplog.clear()
    status, _ = stack.call("GET /projects/{projectId}", user, projectId=project_id)
    (line,) = lines(caplog)
    assert line.getMessage().startswith("GET /projects/{projectId} ")
    assert line.status == status
    if user:
        assert (line.sub, line.projectId) == (user, project_id)
    else:
        assert line.code == "unauthenticated"


def test_what_the_path_names_is_logged_only_if_it_is_an_id(stack, caplog):
    stack.call("GET /projects/{projectId}", projectId="x\nINFO forged line")
    (line,) = lines(caplog)
    assert "forged" not in line.getMessage()


def test_messages_write_one_line_whatever_becomes_of_them(stack, caplog):
    page = stack.page(stack.project())
    version = stack.upload(page)
    for error in ("ThrottlingException", "BadDocumentException"):
        caplog.clear()
        stack.textract.error = error
        stack.deliver(page, version)
        (line,) = lines(caplog)
        assert line.received == 1
    assert line.outcomes == [{"projectId": page["projectId"], "pageId": page["pageId"], "outcome": "failed"}]


def test_a_token_writes_one_line(caplog):
    request = {"userAttributes": {"sub": "alice", "email": "alice@example.com"}, "groupConfiguration": {}}
    tokens.handler({"request": request, "response": {}}, None)
    (line,) = lines(caplog)
    assert line.sub == "alice"
    assert "example.com" not in caplog.text


@pytest.mark.defect(5)
@pytest.mark.defect(8)
def test_no_text_claim_or_link_reaches_the_log(stack, caplog):
    stack.textract.lines = ["confidential words"]
    project_id = stack.project("Confidential name")
    page = stack.ready_page(project_id)
    stack.call("GET /projects/{projectId}/pages/{pageId}", projectId=project_id, pageId=page["pageId"])
    stack.call("GET /projects/{projectId}/pdf", projectId=project_id)
    stack.call("POST /projects", body={"name": "\ud800 Confidential"})
    event = {"routeKey": "GET /projects", "headers": {"authorization": "Bearer confidential"}}
    claims = {"sub": "alice", "email": "confidential@example.com"}
    stack.invoke("projects", event | {"requestContext": {"authorizer": {"jwt": {"claims": claims}}}})
    logged = caplog.text + json.dumps([str(vars(record)) for record in caplog.records])
    assert "onfidential" not in logged
    assert "X-Amz-Signature" not in logged


def test_a_fault_is_logged_with_its_trace_and_answered_without(stack, caplog, monkeypatch):
    monkeypatch.setattr("scanner.services.projects.listing", lambda *_: 1 / 0)
    status, answer = stack.call("GET /projects")
    assert (status, answer["code"]) == (500, "internal-error")
    assert "division" not in answer["message"]
    (error,) = lines(caplog, logging.ERROR)
    assert error.exc_info[0] is ZeroDivisionError
    (line,) = lines(caplog)
    assert line.status == 500


def test_without_a_logging_set_up_the_line_is_printed():
    """As in local engines, where the runtime sets none up."""
    code = "import tokens; tokens.handler({'request': {'userAttributes': {'sub': 'alice'}}, 'response': {}}, None)"
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=FUNCTIONS, capture_output=True, text=True, check=True
    ).stdout
    assert output.splitlines() == ["INFO tokens sub=alice scopes=['docscan/use']"]
