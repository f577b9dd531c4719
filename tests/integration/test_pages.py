"""Pages through the gateway, the queue and the recognition function, with IAM enforced."""

import json
import time
from io import BytesIO

import api_contract
import httpx
import pikepdf
import pytest
from PIL import Image


@pytest.mark.defect(10)
def test_an_uploaded_page_is_recognised(system, user, drawn_page):
    project = user.project()
    page = user.settled(project, user.upload(project, drawn_page("Hello recognition")))

    assert page["status"] == "ready"
    assert page["text"] == "Hello recognition"
    assert page["wordCount"] == 2
    assert 50 < page["confidence"] <= 100
    image = httpx.get(page["imageUrl"])
    assert Image.open(BytesIO(image.content)).size == (1200, 300)
    assert Image.open(BytesIO(httpx.get(page["thumbnailUrl"]).content)).size == (400, 100)
    counts = user.api.get(f"/projects/{project}").json()["pagesByStatus"]
    assert counts == {"awaiting-upload": 0, "recognising": 0, "ready": 1, "failed": 0}


def test_pages_keep_the_order_in_which_they_were_added(user, drawn_page):
    project = user.project()
    pages = [user.upload(project, drawn_page(f"Page {number}")) for number in range(3)]

    listed = user.api.get(f"/projects/{project}/pages").json()["items"]

    assert [page["pageId"] for page in listed] == pages
    assert user.api.get(f"/projects/{project}/pages/count").json() == {"pageCount": 3}


@pytest.mark.defect(9)
def test_an_image_that_is_none_fails_with_a_reason(user):
    project = user.project()
    page = user.settled(project, user.upload(project, b"This is text, whatever its name says."))

    assert page["status"] == "failed"
    assert page["reason"]["code"] == "unsupported-image"
    assert "JPEG" in page["reason"]["message"]


def test_an_upload_of_another_type_or_size_is_refused_by_the_store(user):
    project = user.project()
    form = user.api.post(f"/projects/{project}/pages", json={"contentType": "image/jpeg"}).json()["upload"]

    too_large = httpx.post(form["url"], data=form["fields"], files={"file": b"x" * (10 * 1024 * 1024 + 1)}, timeout=60)
    other_type = httpx.post(
        form["url"], data=form["fields"] | {"Content-Type": "text/html"}, files={"file": b"<script>"}
    )

    assert too_large.status_code == 400
    assert "EntityTooLarge" in too_large.text
    assert other_type.status_code == 403


@pytest.mark.defect(3)
def test_a_second_upload_with_the_same_form_changes_nothing(user, drawn_page):
    project = user.project()
    page = user.api.post(f"/projects/{project}/pages", json={"contentType": "image/png"}).json()
    form = page["upload"]

    def post(text):
        assert httpx.post(form["url"], data=form["fields"], files={"file": drawn_page(text)}).status_code == 204

    post("The first")
    assert user.settled(project, page["pageId"])["text"] == "The first"
    post("The second")
    time.sleep(3)  # what must not happen has no event to wait for

    read = user.settled(project, page["pageId"])
    assert read["text"] == "The first"
    assert httpx.get(read["imageUrl"]).content == drawn_page("The first")


def test_recognition_is_announced_on_the_bus(system, user, drawn_page):
    sqs, events = system.client("sqs"), system.client("events")
    queue = sqs.create_queue(QueueName="announcements")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus = system.output("EventBusName")
    events.put_rule(
        Name="announcements", EventBusName=bus, EventPattern=json.dumps({"source": ["docscan.recognition"]})
    )
    events.put_targets(Rule="announcements", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    try:
        project = user.project()
        page = user.upload(project, drawn_page("Announced"))
        user.settled(project, page)
        details = []
        deadline = time.monotonic() + 20
        while not any(detail["pageId"] == page for detail in details) and time.monotonic() < deadline:
            messages = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=10).get(
                "Messages", []
            )
            details += [json.loads(message["Body"])["detail"] for message in messages]
        detail = next(detail for detail in details if detail["pageId"] == page)
        assert detail["owner"] == user.sub
        assert detail["wordCount"] == 1
    finally:
        events.remove_targets(Rule="announcements", EventBusName=bus, Ids=["queue"])
        events.delete_rule(Name="announcements", EventBusName=bus)
        sqs.delete_queue(QueueUrl=queue)


def test_a_pdf_is_made_of_the_ready_pages_and_names_the_others(user, drawn_page):
    project = user.project("Réunion")
    user.settled(project, user.upload(project, drawn_page("In the document")))
    failed = user.upload(project, b"no image")
    user.settled(project, failed)

    answer = user.api.get(f"/projects/{project}/pdf")

    assert answer.status_code == 200
    pdf = answer.json()
    assert pdf["pageCount"] == 1
    assert pdf["leftOut"] == [{"pageId": failed, "status": "failed"}]
    content = httpx.get(pdf["url"])
    assert content.headers["content-type"] == "application/pdf"
    assert content.content.startswith(b"%PDF-")


def test_a_pdf_can_be_the_text_typeset(user, drawn_page, pdftotext, tmp_path):
    project = user.project()
    user.settled(project, user.upload(project, drawn_page("Set in type")))

    answer = user.api.get(f"/projects/{project}/pdf", params={"layout": "text"})

    assert answer.status_code == 200
    file = tmp_path / "typeset.pdf"
    file.write_bytes(httpx.get(answer.json()["url"]).content)
    assert pdftotext(file).split() == ["Set", "in", "type", "1"]
    refused = user.api.get(f"/projects/{project}/pdf", params={"layout": "book"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-request")


def test_a_project_without_pages_has_no_pdf(user):
    answer = user.api.get(f"/projects/{user.project()}/pdf")

    assert answer.status_code == 409
    assert answer.json()["code"] == "nothing-to-export"


@pytest.mark.parametrize("body", [{}, {"contentType": "image/heic"}, {"contentType": 1}, []])
def test_a_page_of_an_unknown_type_is_refused(user, body):
    answer = user.api.post(f"/projects/{user.project()}/pages", json=body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid-request"


def objects_of(system, page):
    return sorted(version["Key"] for version in system.versions() if f"/{page}/" in version["Key"])


def test_the_words_of_a_page_are_what_the_document_says(user, drawn_page):
    project = user.project()
    page = user.upload(project, drawn_page("Words with geometry"))
    user.settled(project, page)

    answer = user.api.get(f"/projects/{project}/pages/{page}/words")

    assert answer.status_code == 200
    words = httpx.get(answer.json()["url"]).json()
    api_contract.validate(words, {"$ref": "#/components/schemas/RecognisedText"})
    assert (words["width"], words["height"]) == (1200, 300)
    assert [line["text"] for line in words["lines"]] == ["Words with geometry"]


@pytest.mark.defect(11)
def test_a_deleted_page_is_gone_at_once_and_its_objects_follow(system, user, drawn_page):
    project = user.project()
    gone, kept = (user.upload(project, drawn_page(text)) for text in ("One", "Two"))
    for page in (gone, kept):
        user.settled(project, page)
    assert len(objects_of(system, gone)) == 3

    assert user.api.delete(f"/projects/{project}/pages/{gone}").status_code == 202

    assert user.api.get(f"/projects/{project}/pages/{gone}").status_code == 404
    assert [page["pageId"] for page in user.api.get(f"/projects/{project}/pages").json()["items"]] == [kept]
    assert user.api.get(f"/projects/{project}").json()["pageCount"] == 1
    deadline = time.monotonic() + 30
    while objects_of(system, gone) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert objects_of(system, gone) == []
    assert len(objects_of(system, kept)) == 3


@pytest.mark.defect(11)
def test_a_page_that_is_added_after_a_gap_overwrites_none(user, drawn_page):
    project = user.project()
    first, second, third = (user.upload(project, drawn_page(text)) for text in ("One", "Two", "Three"))
    for page in (first, second, third):
        user.settled(project, page)
    assert user.api.delete(f"/projects/{project}/pages/{second}").status_code == 202

    fourth = user.upload(project, drawn_page("Four"))

    assert user.settled(project, fourth)["text"] == "Four"
    listed = [page["pageId"] for page in user.api.get(f"/projects/{project}/pages").json()["items"]]
    assert listed == [first, third, fourth]
    assert [user.settled(project, page)["text"] for page in listed] == ["One", "Three", "Four"]


def test_a_new_image_takes_the_place_of_the_old_one(system, user, drawn_page):
    project = user.project()
    page = user.upload(project, drawn_page("The old one"))
    last = user.upload(project, drawn_page("The last one"))
    user.settled(project, page)

    answer = user.api.put(f"/projects/{project}/pages/{page}/image", json={"contentType": "image/png"})
    assert answer.status_code == 200
    assert answer.json()["status"] == "awaiting-upload"
    form = answer.json()["upload"]
    assert httpx.post(form["url"], data=form["fields"], files={"file": drawn_page("The new one")}).status_code == 204

    assert user.settled(project, page)["text"] == "The new one"
    listed = user.api.get(f"/projects/{project}/pages").json()["items"]
    assert [item["pageId"] for item in listed] == [page, last]
    image_id = form["fields"]["key"].split("/")[-1]
    deadline = time.monotonic() + 60
    while len(objects_of(system, page)) > 3 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert [image_id in key for key in objects_of(system, page)] == [True] * 3


@pytest.mark.defect(11)
def test_a_page_is_corrected_turned_and_moved(user, drawn_page):
    project = user.project()
    first, second, third = (user.upload(project, drawn_page(text)) for text in ("One", "Two", "Three"))
    user.settled(project, third)
    path = f"/projects/{project}/pages"

    edited = user.api.patch(f"{path}/{third}", json={"text": "Τρία 三", "rotation": 90, "after": first})

    assert edited.status_code == 200
    read = user.api.get(f"{path}/{third}").json()
    assert (read["text"], read["corrected"], read["rotation"]) == ("Τρία 三", True, 90)
    moved, cursor = [], None
    while len(moved) < 3:
        answer = user.api.get(path, params={"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        moved += [(page["pageId"], page["rotation"]) for page in answer["items"]]
        cursor = answer.get("cursor")
    assert moved == [(first, 0), (third, 90), (second, 0)]
    assert user.api.patch(f"{path}/{second}", json={"after": None}).status_code == 200
    assert [page["pageId"] for page in user.api.get(path).json()["items"]] == [second, first, third]


@pytest.mark.parametrize("body", [{}, {"text": 1}, {"rotation": 45}, {"after": "unknown"}, {"after": 1}, []])
def test_an_edit_that_is_none_is_refused(user, body):
    project = user.project()
    page = user.api.post(f"/projects/{project}/pages", json={"contentType": "image/png"}).json()

    answer = user.api.patch(f"/projects/{project}/pages/{page['pageId']}", json=body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid-request"


def test_the_pdf_has_the_corrected_text_and_the_page_turned(user, drawn_page, pdftotext, tmp_path):
    project = user.project()
    page = user.upload(project, drawn_page("Deer reader"))
    user.settled(project, page)
    edited = user.api.patch(f"/projects/{project}/pages/{page}", json={"text": "Dear reader", "rotation": 180})
    assert edited.status_code == 200

    answer = user.api.get(f"/projects/{project}/pdf")

    assert answer.status_code == 200
    (file := tmp_path / "corrected.pdf").write_bytes(httpx.get(answer.json()["url"]).content)
    assert sorted(pdftotext(file).split()) == ["Dear", "reader"]
    with pikepdf.open(file) as document:
        assert document.pages[0].Rotate == 180
