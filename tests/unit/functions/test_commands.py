"""Commands: each page ends as the newest command about it says, however often and in what order commands come."""

import itertools
import json
import logging

import pytest
from unit.functions.conftest import ALICE, MAX_ATTEMPTS
from unit.functions.pictures import picture

from scanner.aws import bucket, clients, pages_table
from scanner.settings import SETTINGS

PAGE = "/projects/{projectId}/pages/{pageId}"


def message(body, sent_at=1_000, user=ALICE, **more):
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": str(sent_at)} | (
        {"MessageGroupId": user} if user is not None else {}
    )
    text = body if isinstance(body, str) else json.dumps(body)
    return {"messageId": f"command-{sent_at}", "body": text, "attributes": attributes} | more


def recognise(page, *more, **options):
    ids = [p["pageId"] for p in (page, *more)]
    return {"command": "recognise-pages", "projectId": page["projectId"], "pageIds": ids} | options


def move(project_id, ids, after):
    return {"command": "move-pages", "projectId": project_id, "pageIds": ids, "after": after}


def delete(page, *ids):
    return {"command": "delete-pages", "projectId": page["projectId"], "pageIds": [page["pageId"], *ids]}


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.INFO, "docscan")

    def outcomes():
        return [outcome for record in caplog.records for outcome in getattr(record, "outcomes", [])]

    return outcomes


def recognise_again(stack, receives=1):
    """Deliver what waits to be recognised again; return the ids of messages that failed."""
    waiting = clients.sqs().receive_message(QueueUrl=stack.queues["recognition"], MaxNumberOfMessages=10)
    failed = []
    for found in waiting.get("Messages", []):
        body, counted = found["Body"], {"ApproximateReceiveCount": str(receives)}
        clients.sqs().delete_message(QueueUrl=stack.queues["recognition"], ReceiptHandle=found["ReceiptHandle"])
        again = {"messageId": "again", "receiptHandle": "handle of message-1", "body": body, "attributes": counted}
        failed += stack.consume("recognition", again)
    return failed


def order(stack, project_id):
    _, listed = stack.call("GET /projects/{projectId}/pages", projectId=project_id)
    return [page["pageId"] for page in listed["items"]]


def everything(stack):
    waiting = [[found["body"] for found in stack.queued(queue)] for queue in stack.queues]
    return stack.items("pages"), stack.items("projects"), stack.objects(), waiting


# ---------------------------------------------------------------- Recognising again


def test_a_ready_page_is_recognised_anew_from_the_same_image(stack):
    page = stack.ready_page(stack.project(), picture(size=(300, 200)))
    before = pages_table.get(page["projectId"], page["pageId"])
    stack.textract.lines = ["Better this time"]

    assert stack.consume("commands", message(recognise(page))) == []

    read = stack.read_page(page)
    assert read["status"] == "recognising"
    assert {"text", "confidence", "thumbnailUrl"}.isdisjoint(read)
    stack.assert_counters_hold()
    assert recognise_again(stack) == []
    after = pages_table.get(page["projectId"], page["pageId"])
    assert (after.status, after.text, after.word_count) == ("ready", "Better this time", 3)
    assert (after.image_id, after.image_version) == (before.image_id, before.image_version)
    words = json.loads(bucket.read(bucket.words_key(after)))
    assert [line["text"] for line in words["lines"]] == ["Better this time"]
    assert len(stack.events) == 2
    stack.assert_counters_hold()


def test_a_failed_page_is_recognised_again_without_a_new_upload(stack):
    page = stack.page(stack.project())
    version = stack.upload(page)
    stack.textract.error = "InternalServerError"
    stack.deliver(page, version, MAX_ATTEMPTS)
    assert stack.read_page(page)["status"] == "failed"
    stack.textract.error = None

    stack.consume("commands", message(recognise(page)))
    assert "reason" not in stack.read_page(page)
    recognise_again(stack)

    assert stack.read_page(page)["status"] == "ready"
    stack.assert_counters_hold()


def test_a_redelivered_command_recognises_nothing_a_second_time(stack):
    page = stack.ready_page(stack.project())
    stack.consume("commands", message(recognise(page)))
    recognise_again(stack)
    before = everything(stack)

    assert stack.consume("commands", message(recognise(page))) == []

    assert everything(stack) == before


def test_a_command_that_was_sent_before_another_changes_nothing_after_it(stack):
    page = stack.ready_page(stack.project())
    stack.consume("commands", message(recognise(page), sent_at=2_000))
    recognise_again(stack)
    before = everything(stack)

    stack.consume("commands", message(recognise(page), sent_at=1_000))

    assert everything(stack) == before


def test_a_command_that_died_between_page_and_queue_is_finished_by_the_next_delivery(stack, monkeypatch):
    page = stack.ready_page(stack.project())
    with monkeypatch.context() as patch:
        patch.setattr("scanner.aws.queue.send_recognition", lambda _: 1 / 0)
        assert stack.consume("commands", message(recognise(page))) == ["command-1000"]
    assert stack.read_page(page)["status"] == "recognising"
    assert stack.queued("recognition") == []

    assert stack.consume("commands", message(recognise(page))) == []

    recognise_again(stack)
    assert stack.read_page(page)["status"] == "ready"


@pytest.mark.parametrize("receives", [1, MAX_ATTEMPTS, MAX_ATTEMPTS + 1])
def test_a_late_delivery_of_the_upload_does_no_harm_to_the_new_recognition(stack, receives):
    page = stack.page(stack.project())
    version = stack.upload(page)
    stack.deliver(page, version)
    stack.consume("commands", message(recognise(page)))
    before, seen = everything(stack), len(stack.textract.images)
    stack.textract.error = "InternalServerError"

    stack.deliver(page, version, receives)

    assert everything(stack) == before, "it is not failed, not settled, and keeps its image"
    assert len(stack.textract.images) == seen
    stack.textract.error = None
    recognise_again(stack)
    assert stack.read_page(page)["status"] == "ready"


def test_a_result_that_comes_after_the_page_was_asked_for_again_is_dropped(stack):
    """The upload is delivered twice; the second is done, and the command and its recognition, while the first waits."""
    page = stack.page(stack.project())
    version = stack.upload(page)

    def meanwhile():
        stack.textract.before_answer = None
        stack.deliver(page, version)
        stack.textract.lines = ["The new recognition"]
        stack.consume("commands", message(recognise(page)))
        recognise_again(stack)
        stack.textract.lines = ["A late result"]

    stack.textract.before_answer = meanwhile
    assert stack.deliver(page, version)

    read = pages_table.get(page["projectId"], page["pageId"])
    assert (read.status, read.text) == ("ready", "The new recognition")
    words = json.loads(bucket.read(bucket.words_key(read)))
    assert [line["text"] for line in words["lines"]] == ["The new recognition"], "the objects are the page's, too"
    assert len(stack.objects("images/")) == 1
    stack.assert_counters_hold()


def test_a_result_that_comes_between_the_question_and_its_answer_is_dropped(stack):
    page = stack.page(stack.project())
    version = stack.upload(page)

    def meanwhile():
        stack.textract.before_answer = None
        stack.deliver(page, version)
        stack.consume("commands", message(recognise(page)))

    stack.textract.before_answer = meanwhile
    assert stack.deliver(page, version)

    assert stack.read_page(page)["status"] == "recognising"
    assert len(stack.objects("images/")) == 1, "the image is still to be recognised"
    recognise_again(stack)
    assert stack.read_page(page)["status"] == "ready"


def test_an_image_that_was_replaced_since_the_command_is_not_recognised_for_it(stack):
    page = stack.ready_page(stack.project())
    stack.consume("commands", message(recognise(page)))
    path = {"projectId": page["projectId"], "pageId": page["pageId"]}
    _, replaced = stack.call(f"PUT {PAGE}/image", body={"contentType": "image/png"}, **path)

    recognise_again(stack)
    assert stack.read_page(page)["status"] == "awaiting-upload"

    stack.deliver(replaced, stack.upload(replaced))
    assert stack.read_page(page)["status"] == "ready"
    stack.assert_counters_hold()


def test_a_correction_is_lost_only_on_demand(stack, logged):
    page = stack.ready_page(stack.project())
    path = {"projectId": page["projectId"], "pageId": page["pageId"]}
    stack.call(f"PATCH {PAGE}", body={"text": "What it really says"}, **path)

    stack.consume("commands", message(recognise(page), 1_000))
    assert stack.read_page(page)["text"] == "What it really says"
    stack.consume("commands", message(recognise(page, discardCorrections=True), 2_000))
    recognise_again(stack)

    assert stack.read_page(page)["text"] == "Dear reader\nsecond line"
    assert [outcome["pages"] for outcome in logged() if "pages" in outcome] == [{"unchanged": 1}, {"recognising": 1}]


def test_rotation_and_place_outlast_a_new_recognition(stack):
    page = stack.ready_page(stack.project())
    path = {"projectId": page["projectId"], "pageId": page["pageId"]}
    stack.call(f"PATCH {PAGE}", body={"rotation": 90}, **path)
    before = stack.read_page(page)
    stack.consume("commands", message(recognise(page)))
    recognise_again(stack)
    after = stack.read_page(page)
    assert [after[name] for name in ("rotation", "position")] == [before[name] for name in ("rotation", "position")]


def test_a_page_without_a_result_is_not_recognised_again(stack, logged):
    page = stack.page(stack.project())
    stack.consume("commands", message(recognise(page)))
    assert stack.read_page(page)["status"] == "awaiting-upload"
    assert logged()[-1]["pages"] == {"pages-not-ready": 1}


def test_recognition_that_is_throttled_keeps_what_it_is_about(stack):
    page = stack.ready_page(stack.project())
    stack.consume("commands", message(recognise(page)))
    stack.textract.error = "ThrottlingException"
    sent = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner.aws.queue.postpone_recognition", sent.append)
        assert recognise_again(stack) == []
    assert json.loads(sent[0])["askedAgainAt"] == 1_000


# ---------------------------------------------------------------- Moving


@pytest.fixture
def five(stack):
    project_id = stack.project()
    return project_id, [stack.page(project_id)["pageId"] for _ in range(5)]


def test_pages_come_after_another_in_the_order_in_which_they_are_named(stack, five):
    project_id, (a, b, c, d, e) = five
    assert stack.consume("commands", message(move(project_id, [e, a], c))) == []
    assert order(stack, project_id) == [b, c, e, a, d]


def test_pages_come_to_the_front(stack, five):
    project_id, (a, b, c, d, e) = five
    stack.consume("commands", message(move(project_id, [d, b], None)))
    assert order(stack, project_id) == [d, b, a, c, e]


def test_a_redelivered_move_moves_nothing(stack, five):
    project_id, (a, b, c, d, e) = five
    stack.consume("commands", message(move(project_id, [e, a], c), 1_000))
    stack.consume("commands", message(move(project_id, [a], None), 2_000))
    before = everything(stack)
    stack.consume("commands", message(move(project_id, [e, a], c), 1_000))
    assert everything(stack) == before
    assert order(stack, project_id) == [a, b, c, e, d]


def test_moves_in_any_order_come_to_the_same(stack):
    for permutation in itertools.permutations(range(3)):
        project_id = stack.project()
        a, b, c, d, e = (stack.page(project_id)["pageId"] for _ in range(5))
        moves = [
            message(move(project_id, [d, e], a), 1_000),
            message(move(project_id, [d], None), 2_000),
            message(move(project_id, [b], c), 3_000),
        ]
        for number in permutation:
            stack.consume("commands", moves[number])
        assert order(stack, project_id) == [d, a, e, c, b], permutation


def test_a_move_that_died_half_way_is_finished_by_the_next_delivery(stack, five, monkeypatch):
    project_id, (a, b, c, d, e) = five
    place, calls = pages_table.place, itertools.count()

    def die_at_the_second(*arguments):
        return 1 / 0 if next(calls) == 1 else place(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(pages_table, "place", die_at_the_second)
        assert stack.consume("commands", message(move(project_id, [e, d, c], a))) == ["command-1000"]
    assert order(stack, project_id) == [a, e, b, c, d]
    assert stack.consume("commands", message(move(project_id, [e, d, c], a))) == []
    assert order(stack, project_id) == [a, e, d, c, b]


def test_a_page_that_its_user_has_moved_since_then_stays(stack, five):
    project_id, (a, b, c, d, e) = five
    stack.call(f"PATCH {PAGE}", body={"after": None}, projectId=project_id, pageId=e)
    stack.consume("commands", message(move(project_id, [e, d], a), sent_at=1_000))
    assert order(stack, project_id) == [e, a, d, b, c]


def test_two_moves_of_a_page_at_once_leave_it_where_the_later_one_says(stack, five, monkeypatch):
    """The later command is done, from beginning to end, between the earlier one's reading and writing."""
    project_id, (a, b, c, d, e) = five
    place, nested = pages_table.place, []

    def slow(*arguments):
        found = place(*arguments)
        if not nested:
            nested.append(True)
            stack.consume("commands", message(move(project_id, [b], a), 2_000))  # where it is already
        return found

    monkeypatch.setattr(pages_table, "place", slow)
    stack.consume("commands", message(move(project_id, [b], e), 1_000))
    assert order(stack, project_id) == [a, b, c, d, e]


def test_after_a_page_that_is_not_there_nothing_moves(stack, five, logged):
    project_id, pages = five
    before = everything(stack)
    assert stack.consume("commands", message(move(project_id, pages[3:], "unknown"))) == []
    assert everything(stack) == before
    assert logged()[-1]["pages"] == {"invalid-request": 2}


# ---------------------------------------------------------------- Deleting


def test_pages_are_deleted_with_what_belongs_to_them(stack):
    project_id = stack.project()
    gone, kept = stack.ready_page(project_id), stack.ready_page(project_id)
    for _ in range(2):
        assert stack.consume("commands", message(delete(gone))) == []
    assert [item["pageId"] for item in stack.items("pages")] == [kept["pageId"]]
    assert stack.consume("deletion", *stack.queued()) == []
    assert not [key for key, _ in stack.objects() if gone["pageId"] in key]
    stack.assert_counters_hold()


# ---------------------------------------------------------------- What is refused


def test_a_page_that_is_not_there_does_not_keep_the_others_from_it(stack, logged):
    page = stack.ready_page(stack.project())
    assert stack.consume("commands", message(delete(page, "unknown"))) == []
    assert stack.items("pages") == []
    assert logged()[-1]["pages"] == {"deleted": 1, "not-found": 1}


@pytest.mark.parametrize("make", [recognise, delete, lambda page: move(page["projectId"], [page["pageId"]], None)])
def test_a_command_for_anothers_project_changes_nothing_and_is_logged_as_refused(stack, make, logged):
    page = stack.ready_page(stack.project())
    before = everything(stack)
    assert stack.consume("commands", message(make(page), user="mallory")) == []
    assert everything(stack) == before
    outcome = logged()[-1]
    assert (outcome["sub"], outcome["refused"]) == ("mallory", "not-found")


def test_a_page_of_another_project_is_not_found_in_ones_own(stack, logged):
    victim = stack.ready_page(stack.project(user="bob"), user="bob")
    own = stack.project()
    before = everything(stack)
    stack.consume("commands", message(delete(victim) | {"projectId": own}))
    assert everything(stack) == before
    assert logged()[-1]["pages"] == {"not-found": 1}


@pytest.mark.parametrize("user", [None, ""])
def test_a_message_that_did_not_come_through_the_gateway_is_nobodys(stack, user, logged):
    page = stack.ready_page(stack.project())
    before = everything(stack)
    body = delete(page) | {"owner": ALICE, "sub": ALICE}
    attributes = {"sub": {"stringValue": ALICE, "dataType": "String"}}
    assert stack.consume("commands", message(body, user=user, messageAttributes=attributes)) == []
    assert everything(stack) == before
    assert logged()[-1]["refused"] == "unauthenticated"


WELL_FORMED = {"command": "delete-pages", "projectId": "project", "pageIds": ["page"]}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[" * 100_000,
        "[]",
        "null",
        '"text"',
        {},
        WELL_FORMED | {"command": "drop-tables"},
        WELL_FORMED | {"command": {}},
        WELL_FORMED | {"projectId": "../x"},
        WELL_FORMED | {"projectId": None},
        WELL_FORMED | {"pageIds": []},
        WELL_FORMED | {"pageIds": "page"},
        WELL_FORMED | {"pageIds": ["page", "page"]},
        WELL_FORMED | {"pageIds": [["page"]]},
        WELL_FORMED | {"pageIds": [f"page-{number}" for number in range(101)]},
        WELL_FORMED | {"after": None},
        WELL_FORMED | {"owner": "bob"},
        WELL_FORMED | {"command": "move-pages"},
        WELL_FORMED | {"command": "move-pages", "after": "page"},
        WELL_FORMED | {"command": "move-pages", "after": ""},
        WELL_FORMED | {"command": "move-pages", "after": {}},
        WELL_FORMED | {"command": "recognise-pages", "discardCorrections": "yes"},
    ],
)
def test_a_malformed_command_is_refused_and_done_with(stack, body, logged):
    assert stack.consume("commands", message(body)) == []
    assert logged()[-1]["refused"] == "invalid-request"


def test_no_word_of_a_malformed_command_is_logged(stack, logged, caplog):
    stack.consume("commands", message(WELL_FORMED | {"confidential": "secret", "command": "Confidential"}))
    assert "onfidential" not in caplog.text + str(logged())


def test_only_the_commands_that_failed_are_delivered_again(stack, monkeypatch):
    project_id = stack.project()
    first, second = stack.ready_page(project_id), stack.ready_page(project_id)
    get = pages_table.get

    def fail(project, page):
        return 1 / 0 if page == first["pageId"] else get(project, page)

    monkeypatch.setattr(pages_table, "get", fail)
    assert stack.consume("commands", message(delete(first), 1), message(delete(second), 2)) == ["command-1"]
    assert [item["pageId"] for item in stack.items("pages")] == [first["pageId"]]


def test_recognising_again_counts_towards_the_quota_and_once(stack, monkeypatch, logged):
    project_id = stack.project()
    first, second = stack.ready_page(project_id), stack.ready_page(project_id)
    monkeypatch.setenv("PAGES_PER_DAY", "3")
    del SETTINGS.pages_per_day

    for _ in range(2):
        stack.consume("commands", message(recognise(first, second)))

    assert stack.read_page(first)["status"] == "recognising"
    assert stack.read_page(second)["status"] == "ready"
    assert logged()[-1]["pages"] == {"recognising": 1, "quota-exceeded": 1}
    recognise_again(stack)
    (day,) = stack.items("usage")
    assert (day["uploaded"], day["recognised"]) == (3, 3)
