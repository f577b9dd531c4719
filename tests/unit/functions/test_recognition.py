"""Recognition: every delivery of an upload, however late or often, has one effect at most."""

import io
import json
from urllib.parse import quote_plus

import pytest
from PIL import Image
from unit.functions.pictures import picture

from scanner import text
from scanner.aws import bucket, clients, dynamodb, pages_table, queue
from scanner.services import recognition
from scanner.settings import SETTINGS

ALICE = "alice"

MAX_ATTEMPTS = 3


def stored(stack, page):
    (item,) = [item for item in stack.items("pages") if item["pageId"] == page["pageId"]]
    return item


def record(key, version, event_name="ObjectCreated:Post"):
    return {"eventName": event_name, "s3": {"object": {"key": quote_plus(key, safe="/"), "versionId": version}}}


def published(stack):
    return [json.loads(event["Detail"]) for event in stack.events]


def test_an_upload_becomes_text_words_a_thumbnail_and_an_event(stack):
    page = stack.page(stack.project())
    version = stack.upload(page, picture(size=(800, 600)))
    assert stack.deliver(page, version)

    item = stored(stack, page)
    assert (item["status"], item["imageVersion"]) == ("ready", version)
    assert (item["text"], item["wordCount"], item["width"], item["height"]) == ("Dear reader\nsecond line", 4, 800, 600)

    image_id = page["upload"]["fields"]["key"].split("/")[-1]
    below = f"{page['projectId']}/{page['pageId']}/{image_id}"
    words = json.loads(bucket.read(f"words/{below}.json"))
    assert (words["width"], words["height"]) == (800, 600)
    assert [line["text"] for line in words["lines"]] == ["Dear reader", "second line"]
    first = words["lines"][0]["words"][0]
    assert first == {
        "text": "Dear",
        "confidence": 90.0,
        "polygon": [[0.1, 0.1], [0.25, 0.1], [0.25, 0.15], [0.1, 0.15]],
    }
    thumbnail = Image.open(io.BytesIO(bucket.read(f"thumbnails/{below}.jpg")))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (400, 300))

    (event,) = stack.events
    assert (event["Source"], event["DetailType"], event["EventBusName"]) == (
        *("docscan.recognition", "PageRecognised", "docscan"),
    )
    assert json.loads(event["Detail"]) == {
        "projectId": page["projectId"],
        "pageId": page["pageId"],
        "imageId": image_id,
        "owner": ALICE,
        "confidence": 90.5,
        "wordCount": 4,
        "recognisedAt": item["updatedAt"],
    }
    stack.assert_counters_hold()


def test_a_redelivery_publishes_again_and_changes_nothing(stack):
    page = stack.page(stack.project())
    version = stack.upload(page)
    stack.deliver(page, version)
    before = (stack.items("pages"), stack.items("projects"), stack.objects())
    assert stack.deliver(page, version, receives=2)
    assert (stack.items("pages"), stack.items("projects"), stack.objects()) == before
    assert published(stack)[0] == published(stack)[1]
    assert len(stack.textract.images) == 1


def test_a_delivery_that_died_half_way_is_taken_up_by_the_next(stack):
    page = stack.page(stack.project())
    version = stack.upload(page)
    stack.textract.error = "InternalServerError"
    assert not stack.deliver(page, version)
    assert stored(stack, page)["status"] == "recognising"
    stack.assert_counters_hold()
    stack.textract.error = None
    assert stack.deliver(page, version, receives=2)
    assert stored(stack, page)["status"] == "ready"
    stack.assert_counters_hold()


def test_two_deliveries_at_the_same_time_have_one_effect(stack):
    """The second is done, from beginning to end, while the first waits for Textract."""
    page = stack.page(stack.project())
    version = stack.upload(page)
    seconds = []

    def second():
        stack.textract.before_answer = None
        seconds.append(stack.deliver(page, version))

    stack.textract.before_answer = second
    assert stack.deliver(page, version)
    assert seconds == [True]
    assert stored(stack, page)["status"] == "ready"
    assert bucket.exists(f"words/{page['projectId']}/{page['pageId']}/{stored(stack, page)['imageId']}.json")
    assert len(published(stack)) == 2
    stack.assert_counters_hold()


def test_a_second_upload_of_the_same_form_is_deleted_and_changes_nothing(stack):
    page = stack.page(stack.project())
    first = stack.upload(page)
    stack.deliver(page, first)
    before = stack.items("pages")
    second = stack.upload(page, picture(size=(50, 50)))
    assert stack.deliver(page, second)
    assert stack.items("pages") == before
    assert [version for _, version in stack.objects("images/")] == [first]


def test_the_upload_whose_message_comes_first_is_the_pages_image(stack):
    page = stack.page(stack.project())
    first = stack.upload(page, picture(size=(300, 300)))
    second = stack.upload(page, picture(size=(500, 500)))
    assert stack.deliver(page, second)
    assert stack.deliver(page, first)
    assert stored(stack, page)["imageVersion"] == second
    assert stored(stack, page)["width"] == 500
    assert [version for _, version in stack.objects("images/")] == [second]
    assert len(stack.textract.images) == 1


def test_a_second_upload_during_recognition_is_not_what_is_recognised(stack):
    page = stack.page(stack.project())
    first = stack.upload(page, picture(size=(300, 300)))
    stack.textract.error = "ThrottlingException"
    assert stack.deliver(page, first), "it is postponed"
    second = stack.upload(page, picture(size=(500, 500)))
    assert stack.deliver(page, second)
    stack.textract.error = None
    assert stack.deliver(page, first, receives=2)
    assert stored(stack, page)["width"] == 300


@pytest.mark.defect(3)
def test_the_upload_of_a_page_that_never_was_is_deleted(stack):
    project_id = stack.project()
    key = f"images/{project_id}/no-such-page/no-such-image"
    version = clients.s3().put_object(Bucket="docscan-test", Key=key, Body=picture())["VersionId"]
    assert stack.deliver_records([record(key, version)])
    assert stack.objects() == []
    assert stack.textract.images == []


def test_the_upload_of_an_image_that_was_replaced_is_deleted_and_changes_nothing(stack):
    page = stack.page(stack.project())
    version = stack.upload(page)
    clients.dynamodb().update_item(
        TableName="pages",
        Key=dynamodb.to_item({"projectId": page["projectId"], "pageId": page["pageId"]}),
        UpdateExpression="SET imageId = :other",
        ExpressionAttributeValues=dynamodb.to_item({":other": "another-image"}),
    )
    before = stack.items("pages")
    assert stack.deliver(page, version)
    assert stack.items("pages") == before
    assert stack.objects() == []
    stack.assert_counters_hold()


def test_an_upload_into_a_deleted_project_is_deleted(stack):
    page = stack.page(stack.project())
    version = stack.upload(page)
    stack.call("DELETE /projects/{projectId}", projectId=page["projectId"])
    assert stack.deliver(page, version)
    assert stored(stack, page)["status"] == "awaiting-upload", "the page itself follows with the queue"
    assert stack.objects() == []
    assert stack.textract.images == []


@pytest.mark.defect(11)
@pytest.mark.parametrize("pages_too", [False, True])
def test_a_project_deleted_during_recognition_is_not_revived(stack, pages_too):
    page = stack.page(stack.project())
    version = stack.upload(page)

    def delete():
        stack.call("DELETE /projects/{projectId}", projectId=page["projectId"])
        if pages_too:
            stack.consume("deletion", *stack.queued())

    stack.textract.before_answer = delete
    assert stack.deliver(page, version)
    assert stack.items("projects") == []
    assert len(stack.items("pages")) == (0 if pages_too else 1)
    assert stack.objects() == []
    assert stack.events == []


@pytest.mark.parametrize("gone", ["page", "image"])
def test_what_an_attempt_that_died_wrote_of_a_page_or_image_that_has_gone_is_deleted(stack, monkeypatch, gone):
    page = stack.page(stack.project())
    version = stack.upload(page)
    path = {"projectId": page["projectId"], "pageId": page["pageId"]}

    def go():
        if gone == "page":
            stack.call("DELETE /projects/{projectId}/pages/{pageId}", **path)
        else:
            route = "PUT /projects/{projectId}/pages/{pageId}/image"
            stack.call(route, body={"contentType": "image/png"}, **path)
        for message in stack.queued():
            assert stack.consume("deletion", message) == []

    def die(*_):
        raise SystemExit

    stack.textract.before_answer = go
    with monkeypatch.context() as dying:
        dying.setattr(queue, "REPLACEMENT_SECONDS", 0)
        dying.setattr("scanner.page.Page.recognised", die)
        with pytest.raises(SystemExit):
            stack.deliver(page, version)
    assert {key.partition("/")[0] for key, _ in stack.objects()} == {"words", "thumbnails"}

    assert stack.deliver(page, version, receives=2)

    assert stack.objects() == []


def test_test_events_and_other_objects_are_acknowledged_and_ignored(stack):
    page = stack.page(stack.project())
    version = stack.upload(page)
    key = page["upload"]["fields"]["key"]
    message = {"messageId": "m", "attributes": {"ApproximateReceiveCount": "1"}}
    test_event = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "docscan-test"})
    assert stack.consume("recognition", message | {"body": test_event}) == []
    assert stack.deliver_records([record(key, version, "ObjectRemoved:Delete"), record("images/somewhere/else", "1")])
    assert stored(stack, page)["status"] == "awaiting-upload"
    assert len(stack.objects()) == 1


def test_keys_in_notifications_are_url_encoded():
    encoded = {"eventName": "ObjectCreated:Post", "s3": {"object": {"key": "images/p%2D1/a/i", "versionId": "v"}}}
    (arrival,) = recognition.arrivals(json.dumps({"Records": [encoded]}))
    assert (arrival.project_id, arrival.key) == ("p-1", "images/p-1/a/i")


@pytest.mark.defect(4)
def test_every_record_of_a_message_is_handled(stack):
    project_id = stack.project()
    pages = [stack.page(project_id) for _ in range(3)]
    records = [record(page["upload"]["fields"]["key"], stack.upload(page)) for page in pages]
    assert stack.deliver_records(records)
    assert {item["status"] for item in stack.items("pages")} == {"ready"}
    stack.assert_counters_hold()


@pytest.mark.defect(4)
def test_only_the_messages_that_failed_are_reported(stack):
    page = stack.page(stack.project())
    good = json.dumps({"Records": [record(page["upload"]["fields"]["key"], stack.upload(page))]})
    count = {"attributes": {"ApproximateReceiveCount": "1"}}
    failed = stack.consume(
        "recognition",
        {"messageId": "poison", "body": "no JSON"} | count,
        {"messageId": "good", "body": good} | count,
    )
    assert failed == ["poison"]
    assert stored(stack, page)["status"] == "ready"


@pytest.mark.defect(9)
@pytest.mark.parametrize(
    ("image", "code"),
    [
        (b"", "damaged-image"),
        (b"%PDF-1.7", "unsupported-image"),
        (picture()[:-60], "damaged-image"),
        (picture("TIFF", save_all=True, append_images=[Image.new("L", (9, 9))]), "unsupported-image"),
        (picture(size=(10_001, 1)), "too-many-pixels"),
    ],
)
def test_an_image_that_cannot_be_read_fails_the_page_at_once_with_a_reason(stack, image, code):
    page = stack.page(stack.project())
    assert stack.deliver(page, stack.upload(page, image))
    read = stack.read_page(page)
    assert (read["status"], read["reason"]["code"]) == ("failed", code)
    assert len(read["reason"]["message"]) > 20
    assert "text" not in read
    assert stack.textract.images == []
    assert stack.events == []
    stack.assert_counters_hold()


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        ("UnsupportedDocumentException", "unsupported-image"),
        ("BadDocumentException", "damaged-image"),
        ("DocumentTooLargeException", "image-too-large"),
        ("InvalidParameterException", "recognition-failed"),
    ],
)
def test_what_textract_refuses_for_good_fails_the_page_at_once(stack, refusal, code):
    stack.textract.error = refusal
    page = stack.page(stack.project())
    assert stack.deliver(page, stack.upload(page))
    assert stack.read_page(page)["reason"]["code"] == code
    stack.assert_counters_hold()


@pytest.mark.parametrize("fault", ["InternalServerError", "AccessDeniedException"])
def test_faults_are_left_to_the_queue_until_the_last_attempt(stack, fault):
    stack.textract.error = fault
    page = stack.page(stack.project())
    version = stack.upload(page)
    for receives in range(1, MAX_ATTEMPTS):
        assert not stack.deliver(page, version, receives)
        assert stored(stack, page)["status"] == "recognising"
    assert not stack.deliver(page, version, MAX_ATTEMPTS), "the message goes to the dead letters"
    assert stack.read_page(page)["reason"]["code"] == "recognition-failed"
    stack.assert_counters_hold()


def test_attempts_that_ended_without_a_word_fail_the_page_at_the_delivery_after_them(stack):
    page = stack.page(stack.project())
    version = stack.upload(page)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner.services.recognition.give_up", lambda arrival: None)  # as if it had been killed
        stack.textract.error = "InternalServerError"
        assert not stack.deliver(page, version, MAX_ATTEMPTS)
    assert stored(stack, page)["status"] == "recognising"
    seen = len(stack.textract.images)

    assert not stack.deliver(page, version, MAX_ATTEMPTS + 1), "the message goes to the dead letters"

    assert stack.read_page(page)["reason"]["code"] == "recognition-failed"
    assert len(stack.textract.images) == seen, "and is not tried again"
    stack.assert_counters_hold()


@pytest.mark.parametrize("code", ["ThrottlingException", "ProvisionedThroughputExceededException"])
def test_throttling_uses_up_no_attempt(stack, code, monkeypatch):
    postponed = []
    monkeypatch.setattr("scanner.aws.queue.postpone_recognition", postponed.append)
    page = stack.page(stack.project())
    version = stack.upload(page)
    stack.textract.error = code

    assert stack.deliver(page, version, MAX_ATTEMPTS), "the message is done with"

    assert stored(stack, page)["status"] == "recognising"
    (body,) = postponed
    stack.textract.error = None
    assert stack.deliver_records(json.loads(body)["Records"], 1)
    assert stack.read_page(page)["status"] == "ready"
    stack.assert_counters_hold()


def test_what_is_postponed_is_delivered_anew_and_later(stack, monkeypatch):
    url = clients.sqs().create_queue(QueueName="uploads")["QueueUrl"]
    monkeypatch.setattr(type(SETTINGS), "recognition_queue_url", url)
    sent = []
    monkeypatch.setattr(clients.sqs(), "send_message", lambda **message: sent.append(message))

    queue.postpone_recognition("{}")

    (message,) = sent
    assert message["MessageBody"] == "{}"
    assert 5 <= message["DelaySeconds"] <= 60


def test_what_failed_is_delivered_again_soon_at_first_then_later(stack, monkeypatch):
    monkeypatch.setenv("MAX_ATTEMPTS", "8")
    stack.textract.error = "InternalServerError"
    page = stack.page(stack.project())
    version = stack.upload(page)
    for receives in range(1, 9):
        assert not stack.deliver(page, version, receives)
    assert stack.pauses == [5, 20, 80, 320, 360, 360, 360], "and none before the dead letters"


def test_what_was_recognised_is_not_asked_for_again(stack):
    stack.ready_page(stack.project())
    assert stack.pauses == []


def test_a_failed_page_stays_so_when_its_message_is_delivered_again(stack):
    stack.textract.error = "BadDocumentException"
    page = stack.page(stack.project())
    version = stack.upload(page)
    stack.deliver(page, version)
    before = stack.items("pages")
    stack.textract.error = None
    assert stack.deliver(page, version, receives=2)
    assert stack.items("pages") == before


def test_giving_up_does_not_touch_a_page_that_is_ready(stack, monkeypatch, caplog):
    page = stack.page(stack.project())
    version = stack.upload(page)
    stack.deliver(page, version)
    monkeypatch.setattr("scanner.aws.bus.publish", lambda event: 1 / 0)
    assert not stack.deliver(page, version, MAX_ATTEMPTS)
    assert stored(stack, page)["status"] == "ready"
    (error,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert error.exc_info[0] is ZeroDivisionError, "what went wrong is what the log says"


def test_an_event_that_the_bus_does_not_take_is_published_by_the_next_delivery(stack, monkeypatch):
    page = stack.page(stack.project())
    version = stack.upload(page)
    refusal = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
    with monkeypatch.context() as patch:
        patch.setattr(clients.events(), "put_events", lambda Entries: refusal)  # noqa: N803 - AWS's name
        assert not stack.deliver(page, version)
    assert stored(stack, page)["status"] == "ready"
    assert stack.deliver(page, version, receives=2)
    assert len(stack.events) == 1


def test_objects_are_stored_before_the_page_is_ready(stack, monkeypatch):
    page = stack.page(stack.project())
    version = stack.upload(page)
    seen = []
    transition = pages_table.transition

    def watched(before, after):
        seen.append((after.status, sorted(key.split("/")[0] for key, _ in stack.objects())))
        transition(before, after)

    monkeypatch.setattr(pages_table, "transition", watched)
    stack.deliver(page, version)
    assert seen == [("recognising", ["images"]), ("ready", ["images", "thumbnails", "words"])]


def test_counters_hold_through_any_order_of_steps(stack):
    """Uploads, deliveries, faults and failures of several pages, interleaved."""
    project_id = stack.project()
    pages = [stack.page(project_id) for _ in range(4)]
    versions = [stack.upload(page, b"junk" if number == 3 else None) for number, page in enumerate(pages)]
    steps = [
        (0, None),
        (1, "ThrottlingException"),
        (3, None),
        (0, None),
        (1, None),
        (2, "BadDocumentException"),
        (1, None),
    ]
    for number, error in steps:
        stack.textract.error = error
        stack.deliver(pages[number], versions[number])
        stack.assert_counters_hold()
    (project,) = stack.items("projects")
    assert [int(project[status]) for status in ("awaiting-upload", "recognising", "ready", "failed")] == [0, 0, 2, 2]


def test_what_is_recognised_is_upright_and_so_is_the_geometry(stack):
    page = stack.page(stack.project())
    stack.deliver(page, stack.upload(page, picture("JPEG", size=(640, 480), mode="RGB", orientation=6)))
    item = stored(stack, page)
    assert (item["width"], item["height"]) == (480, 640)
    assert Image.open(io.BytesIO(stack.textract.images[0])).size == (480, 640)
    words = text.from_json(bucket.read(f"words/{page['projectId']}/{page['pageId']}/{item['imageId']}.json"))
    assert (words.width, words.height) == (480, 640)
