"""Pages over HTTP: create, list, count, read, replace the image, delete."""

import base64
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from scanner.aws import bucket, clients, dynamodb, pages_table, projects_table
from scanner.page import Page

ALICE, BOB = "alice", "bob"

PAGES = "/projects/{projectId}/pages"
NO_PAGE = "019a9f3c-0000-7000-8000-000000000000"


def test_a_created_page_awaits_its_upload(stack):
    project_id = stack.project()
    page = stack.page(project_id, content_type="image/jpeg")
    assert set(page) == {
        *("pageId", "projectId", "position", "rotation", "status", "contentType", "createdAt", "updatedAt", "upload")
    }
    assert (page["projectId"], page["position"], page["status"]) == (project_id, 1, "awaiting-upload")
    upload = page.pop("upload")
    assert set(upload) == {"url", "fields"}
    assert stack.read_page(page) == page


@pytest.mark.defect(3)
def test_an_upload_form_takes_one_key_one_type_and_at_most_10_mb(stack):
    page = stack.page(stack.project(), content_type="image/tiff")
    fields = page["upload"]["fields"]
    assert fields["Content-Type"] == "image/tiff"
    kind, project_id, page_id, _ = fields["key"].split("/")
    assert (kind, project_id, page_id) == ("images", page["projectId"], page["pageId"])
    conditions = json.loads(base64.b64decode(fields["policy"]))["conditions"]
    assert {"key": fields["key"]} in conditions
    assert {"Content-Type": "image/tiff"} in conditions
    assert ["content-length-range", 1, 10_485_760] in conditions
    assert fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"


def test_links_and_forms_lead_to_the_buckets_own_region(stack):
    """A browser does not follow the redirect that the global address answers with."""
    host = "https://docscan-test.s3.eu-west-1.amazonaws.com/"
    project_id = stack.project()
    assert stack.page(project_id)["upload"]["url"] == host
    read = stack.read_page(stack.ready_page(project_id))
    assert read["imageUrl"].startswith(host)
    assert read["thumbnailUrl"].startswith(host)


@pytest.mark.parametrize("content_type", [None, "image/heic", "IMAGE/PNG", "image/png; x=y", 7, ["image/png"], {}])
def test_other_content_types_are_refused_and_create_nothing(stack, content_type):
    project_id = stack.project()
    status, answer = stack.call(f"POST {PAGES}", body={"contentType": content_type}, projectId=project_id)
    assert (status, answer["code"]) == (400, "invalid-request")
    assert "image/png" in answer["message"]
    assert stack.items("pages") == []


def test_pages_are_numbered_in_the_order_they_are_created(stack):
    project_id = stack.project()
    positions = [stack.page(project_id)["position"] for _ in range(3)]
    assert positions == [1, 2, 3]
    stack.assert_counters_hold()


@pytest.mark.defect(11)
def test_pages_created_at_the_same_time_get_positions_of_their_own(stack, monkeypatch):
    """Another page is created between reading the next position and taking it, three times over."""
    project_id = stack.project()
    read, turns, others = projects_table.get, [1, 2, 3], []

    def read_then_be_overtaken(owner, project_id):
        project = read(owner, project_id)
        if turns:
            turns.pop()
            others.append(pages_table.create(owner, project_id, "image/png"))
        return project

    monkeypatch.setattr(projects_table, "get", read_then_be_overtaken)
    page = pages_table.create(ALICE, project_id, "image/png")
    assert sorted([page.position, *(other.position for other in others)]) == [1, 2, 3, 4]
    stack.assert_counters_hold()


def conflict(times, then):
    """Have the next transactions meet another one that is under way, as DynamoDB answers it."""
    left = [times]

    def write(**parameters):
        if left[0]:
            left[0] -= 1
            reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
            raise clients.dynamodb().exceptions.TransactionCanceledException(
                {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons},
                "TransactWriteItems",
            )
        return then(**parameters)

    return write


def test_a_transaction_that_meets_another_is_tried_again(stack, monkeypatch):
    project_id = stack.project()
    client = clients.dynamodb()
    monkeypatch.setattr(client, "transact_write_items", conflict(dynamodb.ATTEMPTS - 1, client.transact_write_items))
    assert stack.page(project_id)["position"] == 1
    stack.assert_counters_hold()


def test_a_transaction_that_never_gets_through_is_given_up_with_nothing_changed(stack, monkeypatch):
    project_id = stack.project()
    client = clients.dynamodb()
    monkeypatch.setattr(client, "transact_write_items", conflict(1000, client.transact_write_items))
    status, answer = stack.call(f"POST {PAGES}", body={"contentType": "image/png"}, projectId=project_id)
    assert (status, answer["code"]) == (503, "busy")
    assert stack.items("pages") == []
    stack.assert_counters_hold()


def test_pages_are_listed_in_page_order_without_texts(stack):
    project_id = stack.project()
    ready = stack.ready_page(project_id)
    waiting = stack.page(project_id)
    status, answer = stack.call(f"GET {PAGES}", projectId=project_id)
    assert status == 200
    assert [item["pageId"] for item in answer["items"]] == [ready["pageId"], waiting["pageId"]]
    assert set(answer["items"][0]) >= {"confidence", "wordCount", "thumbnailUrl"}
    assert not set(answer["items"][0]) & {"text", "imageUrl"}
    assert "thumbnailUrl" not in answer["items"][1]
    assert "cursor" not in answer


def many_pages(project_id, number):
    """Store pages as `pages_table.create` does, but many at once."""
    client = clients.dynamodb()
    pages = [Page.create(ALICE, project_id, Decimal(position), "image/jpeg") for position in range(1, number + 1)]
    requests = [{"PutRequest": {"Item": pages_table._page_item(page)}} for page in pages]  # noqa: SLF001
    for start in range(0, number, 25):
        client.batch_write_item(RequestItems={"pages": requests[start : start + 25]})
    client.update_item(
        TableName="projects",
        Key=projects_table.key(ALICE, project_id),
        UpdateExpression="SET pageCount = :n, nextPosition = :next, #status = :n",
        ExpressionAttributeNames={"#status": "awaiting-upload"},
        ExpressionAttributeValues=dynamodb.to_item({":n": number, ":next": number + 1}),
    )
    return [page.page_id for page in pages]


def test_a_cursor_leads_through_all_pages_in_order(stack):
    project_id = stack.project()
    created = many_pages(project_id, 250)
    seen, sizes, query = [], [], {"limit": "100"}
    while True:
        answer = stack.call(f"GET {PAGES}", query=query, projectId=project_id)[1]
        seen += [item["pageId"] for item in answer["items"]]
        sizes.append(len(answer["items"]))
        if "cursor" not in answer:
            break
        query["cursor"] = answer["cursor"]
    assert seen == created
    assert sizes == [100, 100, 50]


def test_a_cursor_of_pages_fits_no_other_project(stack):
    projects = [stack.project(), stack.project()]
    for project_id in projects:
        many_pages(project_id, 3)
    cursor = stack.call(f"GET {PAGES}", query={"limit": "1"}, projectId=projects[0])[1]["cursor"]
    assert stack.call(f"GET {PAGES}", query={"cursor": cursor}, projectId=projects[0])[0] == 200
    status, answer = stack.call(f"GET {PAGES}", query={"cursor": cursor}, projectId=projects[1])
    assert (status, answer["code"]) == (400, "invalid-request")


@pytest.mark.defect(1)
def test_the_count_is_kept_and_reads_no_page(stack, monkeypatch):
    project_id = stack.project()
    many_pages(project_id, 120)
    monkeypatch.setattr(clients.dynamodb(), "query", None)
    monkeypatch.setattr(clients.dynamodb(), "scan", None)
    assert stack.call(f"GET {PAGES}/count", projectId=project_id) == (200, {"pageCount": 120})


def test_a_ready_page_has_its_text_and_links_to_its_own_image(stack):
    stack.textract.lines = ["Sehr geehrte Frau", "Müller"]
    project_id = stack.project()
    page = stack.page(project_id)
    version = stack.upload(page)
    stack.deliver(page, version)
    read = stack.read_page(page)
    assert read["text"] == "Sehr geehrte Frau\nMüller"
    assert read["wordCount"] == 4
    assert read["confidence"] == 90.75
    key = page["upload"]["fields"]["key"]
    assert f"/{key}?" in read["imageUrl"]
    assert f"versionId={version}" in read["imageUrl"]
    assert "X-Amz-Expires=900" in read["imageUrl"]
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in read["thumbnailUrl"]


def test_a_text_too_large_for_the_table_is_read_from_its_object(stack):
    stack.textract.lines = ["ä" * 9_999 + " ö"] * 10
    page = stack.ready_page(stack.project())
    (item,) = stack.items("pages")
    assert "text" not in item
    assert stack.read_page(page)["text"] == "\n".join(stack.textract.lines)


def test_a_text_that_just_fits_is_kept_in_the_table(stack):
    stack.textract.lines = ["x" * pages_table.MAX_TEXT_BYTES]
    stack.ready_page(stack.project())
    (item,) = stack.items("pages")
    assert item["text"] == stack.textract.lines[0]


def test_an_empty_page_is_ready_with_an_empty_text(stack):
    stack.textract.lines = []
    page = stack.ready_page(stack.project())
    read = stack.read_page(page)
    assert (read["text"], read["wordCount"], read["confidence"]) == ("", 0, 0)


@pytest.mark.defect(4)
@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("GET {}", None),
        ("PATCH {}", {"rotation": 90}),
        ("GET {}/words", None),
        ("DELETE {}", None),
        ("PUT {}/image", {"contentType": "image/png"}),
    ],
)
@pytest.mark.parametrize("page_id", [NO_PAGE, "x" * 37, "a/b", "ä"])
def test_a_page_that_is_not_there_is_not_found(stack, route, body, page_id):
    route = route.format(f"{PAGES}/{{pageId}}")
    status, answer = stack.call(route, body=body, projectId=stack.project(), pageId=page_id)
    assert (status, answer["code"]) == (404, "not-found")
    assert stack.queued() == []


def test_a_page_is_found_in_its_own_project_only(stack):
    page = stack.page(stack.project("one"))
    other = stack.project("other")
    assert stack.call(f"GET {PAGES}/{{pageId}}", projectId=other, pageId=page["pageId"])[0] == 404


@pytest.mark.defect(1)
def test_users_never_reach_each_others_pages(stack):
    project_id = stack.project(user=ALICE)
    page = stack.ready_page(project_id)
    bobs = stack.project(user=BOB)
    for route, body in (
        (f"POST {PAGES}", {"contentType": "image/png"}),
        (f"GET {PAGES}", None),
        (f"GET {PAGES}/count", None),
        (f"GET {PAGES}/{{pageId}}", None),
        (f"PATCH {PAGES}/{{pageId}}", {"rotation": 90}),
        (f"GET {PAGES}/{{pageId}}/words", None),
        (f"DELETE {PAGES}/{{pageId}}", None),
        (f"PUT {PAGES}/{{pageId}}/image", {"contentType": "image/png"}),
        ("GET /projects/{projectId}/pdf", None),
    ):
        status, answer = stack.call(route, BOB, body, projectId=project_id, pageId=page["pageId"])
        assert (status, answer["code"]) == (404, "not-found"), route
    assert stack.call(f"GET {PAGES}/{{pageId}}", BOB, projectId=bobs, pageId=page["pageId"])[0] == 404
    assert stack.call(f"GET {PAGES}", BOB, projectId=bobs)[1] == {"items": []}
    assert len(stack.items("pages")) == 1


def test_the_pages_of_a_deleted_project_are_gone_at_once(stack):
    project_id = stack.project()
    page = stack.ready_page(project_id)
    stack.call("DELETE /projects/{projectId}", projectId=project_id)
    for route, body in (
        (f"POST {PAGES}", {"contentType": "image/png"}),
        (f"GET {PAGES}", None),
        (f"GET {PAGES}/count", None),
        (f"GET {PAGES}/{{pageId}}", None),
        (f"PATCH {PAGES}/{{pageId}}", {"rotation": 90}),
        (f"GET {PAGES}/{{pageId}}/words", None),
        (f"DELETE {PAGES}/{{pageId}}", None),
        (f"PUT {PAGES}/{{pageId}}/image", {"contentType": "image/png"}),
    ):
        assert stack.call(route, body=body, projectId=project_id, pageId=page["pageId"])[0] == 404, route
    assert len(stack.items("pages")) == 1, "the page itself follows with the queue"


def test_the_words_of_a_ready_page_are_linked(stack):
    page = stack.ready_page(stack.project())
    path = {"projectId": page["projectId"], "pageId": page["pageId"]}
    status, answer = stack.call(f"GET {PAGES}/{{pageId}}/words", **path)
    assert status == 200
    assert set(answer) == {"url", "expiresAt"}
    key = page["upload"]["fields"]["key"].replace("images/", "words/") + ".json"
    assert f"/{key}?" in answer["url"]
    assert "X-Amz-Expires=900" in answer["url"]
    assert datetime.now(UTC) < datetime.fromisoformat(answer["expiresAt"]) < datetime.now(UTC) + timedelta(minutes=16)


def test_a_page_that_is_not_ready_has_no_words(stack):
    project_id = stack.project()
    waiting, failed = stack.page(project_id), stack.page(project_id)
    stack.deliver(failed, stack.upload(failed, b"junk"))
    for page in (waiting, failed):
        path = {"projectId": project_id, "pageId": page["pageId"]}
        status, answer = stack.call(f"GET {PAGES}/{{pageId}}/words", **path)
        assert (status, answer["code"]) == (409, "pages-not-ready")


@pytest.mark.defect(3)
def test_keys_that_we_never_gave_name_no_image():
    assert bucket.parse_image_key("images/p-1/a-1/i-1") == ("p-1", "a-1", "i-1")
    for key in ("images/p/a", "images/p/a/i/x", "words/p/a/i", "images/p//i", "images/p/a b/i", "images/../a/i", ""):
        assert bucket.parse_image_key(key) is None
