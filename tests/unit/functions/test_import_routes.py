"""The routes of imports: the form that uploads a file, and where the import stands."""

import base64
import json
import time

import api_contract
import pytest

from scanner import imports

ROUTE = "POST /projects/{projectId}/imports"
READ = "GET /imports/{importId}"


@pytest.fixture
def project(stack):
    return stack.project()


def created(stack, project, user="alice", **body):
    status, answer = stack.call(ROUTE, user, {"contentType": "application/pdf"} | body, projectId=project)
    name = {201: "ImportWithUpload"}.get(status, "Error")
    api_contract.validate(answer, {"$ref": f"#/components/schemas/{name}"})
    return status, answer


def read(stack, import_id, user="alice"):
    status, answer = stack.call(READ, user, importId=import_id)
    name = {200: "Import"}.get(status, "Error")
    api_contract.validate(answer, {"$ref": f"#/components/schemas/{name}"})
    return status, answer


@pytest.mark.parametrize("content_type", imports.CONTENT_TYPES)
def test_the_form_is_for_that_key_type_and_size(stack, project, content_type):
    status, answer = created(stack, project, contentType=content_type)

    assert (status, answer["status"]) == (201, "awaiting-upload")
    fields = answer["upload"]["fields"]
    conditions = json.loads(base64.b64decode(fields["policy"]))["conditions"]
    key = f"imports/{project}/{answer['importId']}"
    assert (fields["key"], fields["Content-Type"]) == (key, content_type)
    assert {"key": key} in conditions
    assert {"Content-Type": content_type} in conditions
    assert ["content-length-range", 1, imports.MAX_BYTES] in conditions


def test_an_import_can_be_read_by_its_owner_alone(stack, project):
    _, answer = created(stack, project)

    status, imported = read(stack, answer["importId"])
    assert status == 200
    assert imported == {name: value for name, value in answer.items() if name != "upload"}
    assert read(stack, answer["importId"], "bob")[0] == 404
    assert read(stack, project)[0] == 404


def test_nothing_is_imported_into_another_s_project(stack, project):
    assert created(stack, project, "bob")[0] == 404
    assert stack.items("imports") == []


@pytest.mark.parametrize(
    "body", [{"contentType": "image/png"}, {"contentType": None}, {"contentType": ["x"]}, {"recogniseAnyway": "no"}]
)
def test_what_is_no_order_is_refused(stack, project, body):
    status, answer = created(stack, project, **body)

    assert (status, answer["code"]) == (400, "invalid-request")
    assert stack.items("imports") == []


def test_without_any_quota_left_there_is_no_form(stack, project, monkeypatch):
    monkeypatch.setenv("PAGES_PER_DAY", "1")
    stack.page(project)

    status, answer = created(stack, project)

    assert (status, answer["code"]) == (429, "quota-exceeded")


def test_an_import_is_forgotten_after_a_month(stack, project):
    created(stack, project)

    (item,) = stack.items("imports")
    assert 29 < (float(item["expiresAt"]) - time.time()) / 86400 <= 30
