"""A page's new image: it starts again, and of the old image nothing is left and nothing comes back."""

import json

import pytest
from unit.functions.pictures import picture

from scanner.aws import pages_table, queue

ALICE = "alice"


@pytest.fixture(autouse=True)
def _messages_at_once(monkeypatch):
    monkeypatch.setattr(queue, "REPLACEMENT_SECONDS", 0)


def replace(stack, page, content_type="image/png", expected=200):
    path = {"projectId": page["projectId"], "pageId": page["pageId"]}
    route = "PUT /projects/{projectId}/pages/{pageId}/image"
    status, answer = stack.call(route, body={"contentType": content_type}, **path)
    assert status == expected
    return answer


def image_id(page):
    return page["upload"]["fields"]["key"].split("/")[-1]


@pytest.mark.parametrize("status", ["awaiting-upload", "recognising", "ready", "failed"])
def test_a_page_starts_again_whatever_became_of_its_old_image(stack, status):
    project_id = stack.project()
    page = stack.page(project_id)
    stack.page(project_id)
    if status == "recognising":
        stack.textract.error = "ThrottlingException"
    if status != "awaiting-upload":
        stack.deliver(page, stack.upload(page, b"junk" if status == "failed" else None))
    before = stack.read_page(page)
    assert before["status"] == status

    replaced = replace(stack, page, "image/jpeg")

    assert image_id(replaced) != image_id(page)
    assert replaced["upload"]["fields"]["Content-Type"] == "image/jpeg"
    assert {name: replaced[name] for name in ("pageId", "position", "createdAt", "status", "contentType")} == {
        **{name: before[name] for name in ("pageId", "position", "createdAt")},
        "status": "awaiting-upload",
        "contentType": "image/jpeg",
    }
    read = stack.read_page(page)
    assert read == {name: value for name, value in replaced.items() if name != "upload"}
    assert not set(read) & {"text", "imageUrl", "thumbnailUrl", "confidence", "wordCount", "reason"}
    stack.assert_counters_hold()

    stack.textract.error = None
    stack.textract.lines = ["The new image"]
    assert stack.deliver(replaced, stack.upload(replaced, picture("JPEG")))
    assert stack.read_page(page)["text"] == "The new image"
    stack.assert_counters_hold()


def test_the_old_image_and_what_was_made_of_it_follow_and_nothing_else(stack):
    page = stack.ready_page(stack.project())
    stack.upload(page)  # a second version
    replaced = replace(stack, page)
    assert stack.deliver(replaced, stack.upload(replaced))
    (message,) = stack.queued()
    assert json.loads(message["body"]) == {
        "owner": ALICE,
        "projectId": page["projectId"],
        "pageId": page["pageId"],
        "imageId": image_id(page),
    }
    for _ in range(2):
        assert stack.consume("deletion", message) == []
        keys = [key for key, _ in stack.objects()]
        assert len(keys) == 3
        assert all(image_id(replaced) in key for key in keys)


def test_an_image_that_was_not_replaced_after_all_is_kept(stack, monkeypatch):
    """As after a crash between the message and the change."""
    page = stack.ready_page(stack.project())

    def crash(before, after):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(pages_table, "transition", crash)
        replace(stack, page, expected=500)
    assert stack.consume("deletion", *stack.queued()) == []
    assert len(stack.objects()) == 3
    assert stack.read_page(page)["status"] == "ready"


def test_an_image_whose_deletion_is_not_queued_is_not_replaced(stack, monkeypatch):
    def refuse(deletion):
        raise ConnectionError

    page = stack.ready_page(stack.project())
    monkeypatch.setattr(queue, "send_deletion", refuse)
    replace(stack, page, expected=500)
    assert stack.read_page(page)["status"] == "ready"


def test_the_deletion_waits_until_the_replacement_is_over(stack, monkeypatch):
    monkeypatch.setattr(queue, "REPLACEMENT_SECONDS", 900)
    replace(stack, stack.ready_page(stack.project()))
    assert stack.queued() == []


def test_a_late_upload_of_the_old_image_is_deleted(stack):
    page = stack.page(stack.project())
    replace(stack, page)
    assert stack.deliver(page, stack.upload(page))
    assert stack.read_page(page)["status"] == "awaiting-upload"
    assert stack.objects() == []


def test_a_late_result_for_the_old_image_changes_nothing_and_leaves_nothing(stack):
    page = stack.page(stack.project())
    version = stack.upload(page)
    stack.textract.before_answer = lambda: replace(stack, page)
    assert stack.deliver(page, version)
    assert stack.read_page(page)["status"] == "awaiting-upload"
    assert (stack.objects(), stack.events) == ([], [])
    stack.assert_counters_hold()


def test_a_page_that_becomes_ready_while_it_is_replaced_starts_again(stack, overtaken_by_recognition):
    page = stack.page(stack.project())
    overtaken_by_recognition(page)
    replace(stack, page)
    assert stack.read_page(page)["status"] == "awaiting-upload"
    stack.assert_counters_hold()


@pytest.mark.parametrize("content_type", [None, "image/heic", 7])
def test_a_type_that_is_none_replaces_nothing(stack, content_type):
    page = stack.ready_page(stack.project())
    assert replace(stack, page, content_type, expected=400)["code"] == "invalid-request"
    assert stack.read_page(page)["status"] == "ready"
    assert stack.queued() == []


def test_a_message_about_an_image_of_no_page_deletes_nothing(stack):
    page = stack.ready_page(stack.project())
    body = {"owner": ALICE, "projectId": page["projectId"], "imageId": image_id(page)}
    message = {"messageId": "m", "body": json.dumps(body), "attributes": {"ApproximateReceiveCount": "1"}}
    assert stack.consume("deletion", message) == ["m"]
    assert len(stack.objects()) == 3
