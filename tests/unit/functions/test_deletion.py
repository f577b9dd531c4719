"""Deletion: all that belongs to a project goes, nothing else does, and it can stop and go on anywhere."""

import json
from types import SimpleNamespace

import pytest

import deletion
from scanner.aws import clients, dynamodb

ALICE = "alice"


def message(project_id, owner=ALICE):
    return {
        "messageId": "deletion-1",
        "body": json.dumps({"owner": owner, "projectId": project_id}),
        "attributes": {"ApproximateReceiveCount": "1"},
    }


def put(key):
    clients.s3().put_object(Bucket="docscan-test", Key=key, Body=b"x")


def put_pages(project_id, number, **attributes):
    """Store raw page items, 25 at a time."""
    keys = [{"projectId": project_id, "pageId": f"page-{number:05d}", "position": number} for number in range(number)]
    requests = [{"PutRequest": {"Item": dynamodb.to_item(key | attributes)}} for key in keys]
    for start in range(0, number, 25):
        clients.dynamodb().batch_write_item(RequestItems={"pages": requests[start : start + 25]})


def test_everything_of_the_project_goes(stack):
    project_id = stack.project()
    page = stack.ready_page(project_id)
    stack.ready_page(project_id)
    stack.call("GET /projects/{projectId}/pdf", projectId=project_id)
    stack.upload(page)  # a second version of the same key
    clients.s3().delete_object(Bucket="docscan-test", Key=page["upload"]["fields"]["key"])  # and a delete marker
    assert {key.split("/")[0] for key, _ in stack.objects()} == {"images", "words", "thumbnails", "documents"}
    stack.call("DELETE /projects/{projectId}", projectId=project_id)
    assert stack.consume("deletion", *stack.queued()) == []
    assert stack.items("pages") == []
    assert stack.items("projects") == []
    assert stack.objects() == []


def test_projects_whose_ids_begin_alike_are_not_touched(stack):
    for kind in ("images", "words", "thumbnails", "documents"):
        for project_id in ("proj", "proj2", "proj-1", "pro"):
            put(f"{kind}/{project_id}/a/b")
    for project_id in ("proj", "proj2"):
        put_pages(project_id, 3)
    assert stack.consume("deletion", message("proj")) == []
    assert {key.split("/")[1] for key, _ in stack.objects()} == {"proj2", "proj-1", "pro"}
    assert len(stack.objects()) == 12
    assert {item["projectId"] for item in stack.items("pages")} == {"proj2"}


def test_the_consumer_deletes_the_projects_item_too(stack):
    """As after a crash between the message and the deletion of the item."""
    project_id = stack.project()
    stack.project("another")
    assert stack.consume("deletion", message(project_id)) == []
    assert [item["name"] for item in stack.items("projects")] == ["another"]


def test_a_message_cannot_name_another_users_project_item(stack):
    project_id = stack.project(user="bob")
    stack.consume("deletion", message(project_id, owner=ALICE))
    assert len(stack.items("projects")) == 1


def test_deleting_twice_is_the_same_as_once(stack):
    page = stack.ready_page(stack.project())
    for _ in range(2):
        assert stack.consume("deletion", message(page["projectId"])) == []
    assert (stack.items("pages"), stack.objects()) == ([], [])


def test_more_pages_than_one_answer_of_the_table_are_deleted(stack):
    put_pages("proj", 30, text="x" * 100_000)
    first = clients.dynamodb().query(
        TableName="pages",
        KeyConditionExpression="projectId = :id",
        ExpressionAttributeValues=dynamodb.to_item({":id": "proj"}),
    )
    assert "LastEvaluatedKey" in first, "the test needs more than one answer"
    assert stack.consume("deletion", message("proj")) == []
    assert stack.items("pages") == []


def test_more_objects_than_one_answer_of_the_bucket_are_deleted(stack):
    for number in range(1_010):
        put(f"images/proj/page/{number}")
    assert stack.consume("deletion", message("proj")) == []
    assert stack.objects() == []


def test_when_time_runs_out_the_next_delivery_goes_on(stack):
    put_pages("proj", 60)
    for number in range(3):
        put(f"images/proj/page/{number}")
    left = []
    for checks in range(20):
        # Time is up at the first check, at the second, and so on: wherever it stops, nothing is lost.
        remaining = iter([60_000] * checks + [1_000] * 1_000)
        context = SimpleNamespace(get_remaining_time_in_millis=lambda remaining=remaining: next(remaining))
        answer = deletion.handler({"Records": [message("proj")]}, context)
        left.append(len(stack.items("pages")) + len(stack.objects()))
        if not answer["batchItemFailures"]:
            break
        assert answer == {"batchItemFailures": [{"itemIdentifier": "deletion-1"}]}
    assert left[0] == 63
    assert left == sorted(left, reverse=True)
    assert len(set(left)) > 2, "it went on step by step"
    assert left[-1] == 0


def test_without_time_left_nothing_is_begun(stack):
    put("images/proj/page/1")
    assert stack.consume("deletion", message("proj"), milliseconds=1_000) == ["deletion-1"]
    assert len(stack.objects()) == 1


def test_items_that_the_table_did_not_take_are_sent_again(stack, monkeypatch):
    put_pages("proj", 30)
    client = clients.dynamodb()
    write, refusals = client.batch_write_item, [2, 5]

    def refuse_some(RequestItems):  # noqa: N803 - AWS's name
        requests = RequestItems["pages"]
        kept = refusals.pop() if refusals else 0
        if requests[kept:]:
            write(RequestItems={"pages": requests[kept:]})
        return {"UnprocessedItems": {"pages": requests[:kept]} if kept else {}}

    monkeypatch.setattr(client, "batch_write_item", refuse_some)
    assert stack.consume("deletion", message("proj")) == []
    assert stack.items("pages") == []


def test_objects_that_the_bucket_did_not_delete_are_left_to_the_next_delivery(stack, monkeypatch):
    put("images/proj/page/1")
    refusal = {"Errors": [{"Key": "…", "Code": "InternalError"}]}
    with monkeypatch.context() as patch:
        patch.setattr(clients.s3(), "delete_objects", lambda **_: refusal)
        assert stack.consume("deletion", message("proj")) == ["deletion-1"]
    assert stack.consume("deletion", message("proj")) == []
    assert stack.objects() == []


@pytest.mark.parametrize("project_id", ["", "a/b", "x" * 37, None, "*"])
def test_a_message_that_names_no_project_deletes_nothing(stack, project_id):
    put("images/proj/page/1")
    assert stack.consume("deletion", message(project_id)) == ["deletion-1"]
    assert len(stack.objects()) == 1
