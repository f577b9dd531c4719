"""Deletion: all that belongs to a project or a page goes, nothing else does, and it can stop and go on anywhere."""

import json
from types import SimpleNamespace

import pytest

import deletion
from scanner.aws import clients, dynamodb, pages_table, queue

ALICE = "alice"


DELETE_PAGE = "DELETE /projects/{projectId}/pages/{pageId}"


def message(project_id, owner=ALICE, **more):
    return {
        "messageId": "deletion-1",
        "body": json.dumps({"owner": owner, "projectId": project_id} | more),
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


@pytest.mark.defect(2)
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


@pytest.mark.defect(2)
def test_a_message_cannot_name_another_users_project_item(stack):
    project_id = stack.project(user="bob")
    stack.consume("deletion", message(project_id, owner=ALICE))
    assert len(stack.items("projects")) == 1


def test_deleting_twice_is_the_same_as_once(stack):
    page = stack.ready_page(stack.project())
    for _ in range(2):
        assert stack.consume("deletion", message(page["projectId"])) == []
    assert (stack.items("pages"), stack.objects()) == ([], [])


@pytest.mark.defect(2)
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


@pytest.mark.defect(2)
def test_more_objects_than_one_answer_of_the_bucket_are_deleted(stack):
    for number in range(1_010):
        put(f"images/proj/page/{number}")
    assert stack.consume("deletion", message("proj")) == []
    assert stack.objects() == []


@pytest.mark.defect(2)
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


def delete_page(stack, page):
    return stack.call(DELETE_PAGE, projectId=page["projectId"], pageId=page["pageId"])


def of_page(page):
    return message(page["projectId"], pageId=page["pageId"])


@pytest.mark.parametrize("status", ["awaiting-upload", "recognising", "ready", "failed"])
def test_a_deleted_page_is_gone_and_counted_out_at_once(stack, status):
    project_id = stack.project()
    kept, page = stack.ready_page(project_id), stack.page(project_id)
    if status == "recognising":
        stack.textract.error = "ThrottlingException"
    if status != "awaiting-upload":
        stack.deliver(page, stack.upload(page, b"junk" if status == "failed" else None))
    assert stack.read_page(page)["status"] == status
    assert delete_page(stack, page) == (202, {})
    assert delete_page(stack, page)[0] == 404
    listed = stack.call("GET /projects/{projectId}/pages", projectId=project_id)[1]["items"]
    assert [item["pageId"] for item in listed] == [kept["pageId"]]
    assert stack.call("GET /projects/{projectId}/pages/count", projectId=project_id)[1] == {"pageCount": 1}
    stack.assert_counters_hold()


def test_the_objects_of_a_deleted_page_follow_and_no_others(stack):
    project_id = stack.project()
    page, kept = stack.ready_page(project_id), stack.ready_page(project_id)
    stack.upload(page)  # a second version
    stack.call("GET /projects/{projectId}/pdf", projectId=project_id)
    delete_page(stack, page)
    (asked,) = stack.queued()
    assert json.loads(asked["body"]) == {"owner": ALICE, "projectId": project_id, "pageId": page["pageId"]}
    assert stack.consume("deletion", asked) == []
    assert not any(page["pageId"] in key for key, _ in stack.objects())
    left = sorted(key.split("/")[0] for key, _ in stack.objects(""))
    assert left == ["documents", "images", "thumbnails", "words"]
    assert stack.read_page(kept)["status"] == "ready"


def test_pages_whose_ids_begin_alike_are_not_touched(stack):
    for page_id in ("page", "page2", "pag"):
        put(f"images/proj/{page_id}/a")
    assert stack.consume("deletion", message("proj", pageId="page")) == []
    assert {key.split("/")[2] for key, _ in stack.objects()} == {"page2", "pag"}


def test_the_consumer_deletes_the_pages_item_too_and_only_once(stack):
    """As after a crash between the message and the deletion of the item; messages come more than once."""
    page = stack.ready_page(stack.project())
    stack.ready_page(page["projectId"])
    for _ in range(2):
        assert stack.consume("deletion", of_page(page)) == []
        assert len(stack.items("pages")) == 1
        stack.assert_counters_hold()


def test_a_page_of_a_deleted_project_loses_its_objects_all_the_same(stack):
    page = stack.ready_page(stack.project())
    stack.call("DELETE /projects/{projectId}", projectId=page["projectId"])
    assert stack.consume("deletion", of_page(page)) == []
    assert stack.objects() == []
    assert stack.items("projects") == []


def test_a_page_that_changes_while_it_is_deleted_is_counted_out_of_its_new_status(stack, overtaken_by_recognition):
    page = stack.page(stack.project())
    overtaken_by_recognition(page)
    pages_table.delete(ALICE, page["projectId"], page["pageId"])
    assert stack.items("pages") == []
    stack.assert_counters_hold()


@pytest.mark.defect(11)
def test_a_page_that_is_deleted_while_it_is_recognised_leaves_nothing(stack):
    page = stack.page(stack.project())
    version = stack.upload(page)
    stack.textract.before_answer = lambda: stack.consume("deletion", of_page(page))
    assert stack.deliver(page, version)
    assert stack.deliver(page, version, receives=2)
    assert (stack.items("pages"), stack.objects(), stack.events) == ([], [], [])
    stack.assert_counters_hold()


def test_an_upload_for_a_deleted_page_is_deleted(stack):
    page = stack.page(stack.project())
    delete_page(stack, page)
    assert stack.deliver(page, stack.upload(page))
    assert (stack.items("pages"), stack.objects()) == ([], [])


def test_a_deletion_of_a_page_that_is_not_queued_deletes_nothing(stack, monkeypatch):
    def refuse(deletion):
        raise ConnectionError

    page = stack.ready_page(stack.project())
    monkeypatch.setattr(queue, "send_deletion", refuse)
    assert delete_page(stack, page)[0] == 500
    assert stack.read_page(page)["status"] == "ready"


def test_the_deletion_of_a_page_goes_on_where_time_ran_out(stack):
    page = stack.ready_page(stack.project())
    assert stack.consume("deletion", of_page(page), milliseconds=1_000) == ["deletion-1"]
    assert stack.items("pages") == []
    assert stack.consume("deletion", of_page(page)) == []
    assert stack.objects() == []


@pytest.mark.parametrize("page_id", ["", "a/b", "x" * 37, None, "*"])
def test_a_message_that_names_no_page_does_not_delete_the_project(stack, page_id):
    page = stack.ready_page(stack.project())
    assert stack.consume("deletion", message(page["projectId"], pageId=page_id)) == ["deletion-1"]
    assert len(stack.items("projects")) == len(stack.items("pages")) == 1
    assert len(stack.objects()) == 3
