"""Projects over HTTP: create, list, read, rename, delete."""

import base64
import json

import pytest

from scanner import cursors
from scanner.aws import clients, dynamodb, projects_table, queue
from scanner.project import Project

ALICE, BOB = "alice", "bob"

NO_PROJECT = "019a9f3c-0000-7000-8000-000000000000"


def names(answer):
    return [item["name"] for item in answer["items"]]


@pytest.mark.defect(7)
def test_a_created_project_is_empty_and_can_be_read(stack):
    status, created = stack.call("POST /projects", body={"name": "Receipts / November"})
    assert status == 201
    assert created["name"] == "Receipts / November"
    assert created["pageCount"] == 0
    assert created["pagesByStatus"] == {"awaiting-upload": 0, "recognising": 0, "ready": 0, "failed": 0}
    assert stack.call("GET /projects/{projectId}", projectId=created["projectId"]) == (200, created)


@pytest.mark.defect(4)
@pytest.mark.parametrize(
    "name", ["a", " padded ", "x" * 200, "Rechnung für Ölfarbe", "חשבונית", "🧾" * 200, '"><script>', "a%2Fb/../c"]
)
def test_names_are_kept_as_they_were_typed(stack, name):
    _, created = stack.call("POST /projects", body={"name": name})
    assert created["name"] == name
    assert names(stack.call("GET /projects")[1]) == [name]


@pytest.mark.defect(7)
@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        "[]",
        '"name"',
        "[" * 100_000,
        {},
        {"name": None},
        {"name": 7},
        {"name": ""},
        {"name": " \t "},
        {"name": "\u200b\u3000"},
        {"name": "two\nlines"},
        {"name": "x" * 201},
        '{"name": "\\ud800"}',
    ],
)
def test_a_body_without_a_name_is_refused_and_creates_nothing(stack, body):
    status, answer = stack.call("POST /projects", body=body)
    assert (status, answer["code"]) == (400, "invalid-request")
    assert answer["message"]
    assert stack.items("projects") == []


def test_bodies_may_come_in_base64(stack):
    event = {
        "routeKey": "POST /projects",
        "requestContext": {"authorizer": {"jwt": {"claims": {"sub": ALICE}}}},
        "body": base64.b64encode('{"name": "Öl"}'.encode()).decode(),
        "isBase64Encoded": True,
    }
    assert stack.invoke("projects", event)[1]["name"] == "Öl"
    for damaged in ("***", base64.b64encode(b'{"name": "\xff"}').decode()):
        status, answer = stack.invoke("projects", event | {"body": damaged})
        assert (status, answer["code"]) == (400, "invalid-request")


@pytest.mark.parametrize(
    "route",
    [
        "POST /projects",
        "GET /projects",
        "GET /projects/{projectId}",
        "PATCH /projects/{projectId}",
        "DELETE /projects/{projectId}",
        "POST /projects/{projectId}/pages",
        "GET /projects/{projectId}/pages",
        "GET /projects/{projectId}/pages/count",
        "GET /projects/{projectId}/pages/{pageId}",
        "PATCH /projects/{projectId}/pages/{pageId}",
        "GET /projects/{projectId}/pages/{pageId}/words",
        "DELETE /projects/{projectId}/pages/{pageId}",
        "PUT /projects/{projectId}/pages/{pageId}/image",
        "GET /projects/{projectId}/pdf",
    ],
)
def test_nobody_gets_in_without_verified_claims(stack, route):
    path = {"projectId": NO_PROJECT, "pageId": NO_PROJECT}
    status, answer = stack.call(route, user=None, body={"name": "x", "owner": ALICE, "sub": ALICE}, **path)
    assert (status, answer["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("variables", [{"AWS_SAM_LOCAL": "true"}, {"DOCSCAN_DEVELOPMENT_USER": "dev"}])
def test_a_development_user_is_not_heard_outside_sam_local(stack, monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert stack.call("GET /projects", user=None)[0] == 401


def test_under_sam_local_the_development_user_calls_unless_there_are_claims(stack, monkeypatch):
    monkeypatch.setenv("AWS_SAM_LOCAL", "true")
    monkeypatch.setenv("DOCSCAN_DEVELOPMENT_USER", "dev")
    stack.project("of dev", user=None)
    stack.project("of alice", user=ALICE)
    assert names(stack.call("GET /projects", user=None)[1]) == ["of dev"]
    assert names(stack.call("GET /projects", user="dev")[1]) == ["of dev"]


def test_projects_are_listed_newest_first_page_by_page(stack, monkeypatch):
    created = [f"019a9f3c-{number:04d}-7000-8000-000000000000" for number in range(5)]
    ids = iter(created)
    monkeypatch.setattr("scanner.project.new_id", lambda: next(ids))
    for number in range(5):
        stack.project(f"project {number}")
    seen, query = [], {"limit": "2"}
    while True:
        status, answer = stack.call("GET /projects", query=query)
        assert status == 200
        seen.append(names(answer))
        if "cursor" not in answer:
            break
        query["cursor"] = answer["cursor"]
    assert seen == [["project 4", "project 3"], ["project 2", "project 1"], ["project 0"]]


def test_the_last_page_of_a_list_has_no_cursor_even_if_it_is_full(stack):
    for _ in range(2):
        stack.project()
    answer = stack.call("GET /projects", query={"limit": "2"})[1]
    assert len(answer["items"]) == 2
    assert "cursor" not in answer


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "ten", "", "٣", " 5", "1" * 50])
def test_a_limit_out_of_range_is_refused(stack, limit):
    status, answer = stack.call("GET /projects", query={"limit": limit})
    assert (status, answer["code"]) == (400, "invalid-request")


def test_a_cursor_says_nothing_of_its_owner_and_fits_no_other_list(stack):
    for user in (ALICE, BOB):
        for _ in range(3):
            stack.project(user=user)
    cursor = stack.call("GET /projects", ALICE, query={"limit": "1"})[1]["cursor"]
    assert ALICE.encode() not in base64.urlsafe_b64decode(cursor + "==")
    status, answer = stack.call("GET /projects", BOB, query={"cursor": cursor})
    assert (status, answer["code"]) == (400, "invalid-request")


def test_every_change_to_a_cursor_is_noticed(stack):
    for _ in range(2):
        stack.project()
    cursor = stack.call("GET /projects", query={"limit": "1"})[1]["cursor"]
    changed = [cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :] for at in range(len(cursor))]
    for tampered in ["", "=", "é", cursor[:-1], cursor + "A", cursor + "=", *changed]:
        status, answer = stack.call("GET /projects", query={"cursor": tampered})
        assert (status, answer["code"]) == (400, "invalid-request"), tampered


def test_a_cursor_with_a_right_checksum_and_no_key_is_refused(stack):
    forged = cursors.encode(f"GET /projects {ALICE}", ("",))

    status, answer = stack.call("GET /projects", query={"cursor": forged})

    assert (status, answer["code"]) == (400, "invalid-request")


def test_a_list_longer_than_one_answer_of_the_table_is_complete(stack):
    """DynamoDB ends an answer at 1 MB, wherever that is."""
    filler = "é" * 200_000  # about 400 KB an item, the most there can be
    for number in range(7):
        project = Project.create(ALICE, f"project {number}")
        projects_table.put(project)
        key = projects_table.key(ALICE, project.project_id)
        update = {"UpdateExpression": "SET filler = :filler", "ExpressionAttributeValues": {":filler": {"S": filler}}}
        clients.dynamodb().update_item(TableName="projects", Key=key, **update)
    first = clients.dynamodb().query(
        TableName="projects",
        KeyConditionExpression="#owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues=dynamodb.to_item({":owner": ALICE}),
    )
    assert "LastEvaluatedKey" in first, "the test needs more than one answer"
    answer = stack.call("GET /projects")[1]
    assert len(answer["items"]) == 7
    assert "cursor" not in answer


@pytest.mark.parametrize("project_id", [NO_PROJECT, "x" * 37, "../etc", "a b", "ä", ""])
def test_what_is_not_there_is_not_found(stack, project_id):
    for route in ("GET /projects/{projectId}", "PATCH /projects/{projectId}", "DELETE /projects/{projectId}"):
        status, answer = stack.call(route, body={"name": "new"}, projectId=project_id)
        assert (status, answer["code"]) == (404, "not-found")
    assert stack.queued() == []
    assert stack.items("projects") == []


@pytest.mark.defect(1)
def test_users_never_see_or_change_each_others_projects(stack):
    project_id = stack.project("Letters", user=ALICE)
    for route in ("GET /projects/{projectId}", "PATCH /projects/{projectId}", "DELETE /projects/{projectId}"):
        status, answer = stack.call(route, BOB, {"name": "mine"}, projectId=project_id)
        assert (status, answer["code"]) == (404, "not-found")
    assert stack.call("GET /projects", BOB)[1]["items"] == []
    assert names(stack.call("GET /projects", ALICE)[1]) == ["Letters"]
    assert len(stack.items("projects")) == 1
    assert stack.queued() == []


def test_a_project_keeps_all_but_its_name_when_it_is_renamed(stack):
    project_id = stack.project("Letters")
    stack.page(project_id)
    before = stack.call("GET /projects/{projectId}", projectId=project_id)[1]
    status, renamed = stack.call("PATCH /projects/{projectId}", body={"name": "Briefe ✉"}, projectId=project_id)
    assert (status, renamed) == (200, before | {"name": "Briefe ✉"})
    assert stack.call("GET /projects/{projectId}", projectId=project_id) == (200, renamed)


@pytest.mark.parametrize("body", ["{", {}, {"name": None}, {"name": ""}, {"name": " "}, {"name": "x" * 201}])
def test_a_name_that_is_none_renames_nothing(stack, body):
    project_id = stack.project("Letters")
    status, answer = stack.call("PATCH /projects/{projectId}", body=body, projectId=project_id)
    assert (status, answer["code"]) == (400, "invalid-request")
    assert names(stack.call("GET /projects")[1]) == ["Letters"]


def test_a_deleted_project_is_gone_at_once_and_its_deletion_is_queued(stack):
    project_id = stack.project()
    assert stack.call("DELETE /projects/{projectId}", projectId=project_id) == (202, {})
    assert stack.call("GET /projects")[1]["items"] == []
    assert stack.call("GET /projects/{projectId}", projectId=project_id)[0] == 404
    (message,) = stack.queued()
    assert json.loads(message["body"]) == {"owner": ALICE, "projectId": project_id}


def test_a_deletion_that_is_not_queued_deletes_nothing(stack, monkeypatch):
    def refuse(deletion):
        raise ConnectionError

    project_id = stack.project()
    monkeypatch.setattr(queue, "send_deletion", refuse)
    status, answer = stack.call("DELETE /projects/{projectId}", projectId=project_id)
    assert (status, answer["code"]) == (500, "internal-error")
    assert stack.call("GET /projects/{projectId}", projectId=project_id)[0] == 200
