"""Usage: what counts, exactly once; and the day's quota, which holds."""

from datetime import UTC, datetime, timedelta

import pytest

from scanner import usage
from scanner.aws import clients, dynamodb
from scanner.settings import SETTINGS

ALICE, BOB = "alice", "bob"


def used(stack, user=ALICE):
    status, answer = stack.call("GET /usage", user)
    assert status == 200
    return answer


def today(stack, user=ALICE):
    day = used(stack, user)["days"][0]
    return day["uploaded"], day["recognised"]


def replace(stack, page):
    path = {"projectId": page["projectId"], "pageId": page["pageId"]}
    return stack.call("PUT /projects/{projectId}/pages/{pageId}/image", body={"contentType": "image/png"}, **path)


def add(stack, project_id):
    return stack.call("POST /projects/{projectId}/pages", body={"contentType": "image/png"}, projectId=project_id)


@pytest.fixture
def quota(monkeypatch):
    def set_quota(pages):
        monkeypatch.setitem(vars(SETTINGS), "pages_per_day", pages)

    return set_quota


def test_who_has_used_nothing_sees_today_and_the_quota(stack):
    day = datetime.now(UTC).date().isoformat()
    assert used(stack) == {"quota": {"pagesPerDay": 1000}, "days": [{"day": day, "uploaded": 0, "recognised": 0}]}


def test_uploads_and_recognitions_count_for_the_user_alone(stack):
    project_id = stack.project()
    stack.ready_page(project_id)
    stack.page(project_id)
    assert today(stack) == (2, 1)
    assert today(stack, BOB) == (0, 0)


def test_a_message_that_comes_twice_counts_once(stack):
    page = stack.page(stack.project())
    version = stack.upload(page)
    for receives in (1, 2, 3):
        assert stack.deliver(page, version, receives)
    assert today(stack) == (1, 1)


def test_what_cannot_be_recognised_counts_as_uploaded_only(stack):
    page = stack.page(stack.project())
    stack.deliver(page, stack.upload(page, b"junk"))
    assert today(stack) == (1, 0)


def test_a_new_image_counts_like_a_new_page(stack):
    page = stack.ready_page(stack.project())
    status, replaced = replace(stack, page)
    assert status == 200
    stack.deliver(replaced, stack.upload(replaced))
    assert today(stack) == (2, 2)


def test_deleting_gives_nothing_back(stack, quota):
    quota(1)
    page = stack.page(stack.project())
    path = {"projectId": page["projectId"], "pageId": page["pageId"]}
    stack.call("DELETE /projects/{projectId}/pages/{pageId}", **path)
    assert today(stack) == (1, 0)
    assert add(stack, page["projectId"])[0] == 429


def test_beyond_the_quota_nothing_is_added_and_the_user_is_told_when_it_goes_on(stack, quota):
    quota(2)
    project_id = stack.project()
    stack.page(project_id)
    stack.page(project_id)

    status, answer = add(stack, project_id)

    assert (status, answer["code"]) == (429, "quota-exceeded")
    assert "2 pages" in answer["message"]
    assert "tomorrow" in answer["message"]
    assert len(stack.items("pages")) == 2
    stack.assert_counters_hold()
    assert today(stack) == (2, 0)


def test_beyond_the_quota_a_page_keeps_its_image(stack, quota):
    quota(1)
    page = stack.ready_page(stack.project())
    before = stack.read_page(page)

    status, answer = replace(stack, page)

    assert (status, answer["code"]) == (429, "quota-exceeded")
    assert stack.read_page(page)["text"] == before["text"]
    for message in stack.queued():  # the message that would delete the old image went out first
        assert stack.consume("deletion", message) == []
    assert stack.read_page(page)["text"] == before["text"]
    assert stack.objects(f"images/{page['projectId']}/{page['pageId']}/") != []


def test_others_and_other_days_have_a_quota_of_their_own(stack, quota, monkeypatch):
    quota(1)
    project_id = stack.project()
    stack.page(project_id)
    assert add(stack, project_id)[0] == 429
    stack.page(stack.project(user=BOB), BOB)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    monkeypatch.setattr("scanner.aws.usage_table.today", lambda: tomorrow)
    assert add(stack, project_id)[0] == 201


def test_a_page_that_is_recognised_beyond_the_quota_is_recognised(stack, quota):
    quota(1)
    page = stack.page(stack.project())
    version = stack.upload(page)
    assert add(stack, page["projectId"])[0] == 429
    assert stack.deliver(page, version)
    assert stack.read_page(page)["status"] == "ready"


def test_a_month_is_told_newest_first(stack):
    for days_ago in (0, 1, 30, 31):
        clients.dynamodb().put_item(
            TableName="usage",
            Item=dynamodb.to_item({"owner": ALICE, "day": usage.today(days_ago), "uploaded": days_ago + 5}),
        )
    days = used(stack)["days"]
    assert [(day["day"], day["uploaded"]) for day in days] == [
        (usage.today(days_ago), days_ago + 5) for days_ago in (0, 1, 30)
    ]


def test_counts_are_deleted_in_the_end(stack):
    stack.page(stack.project())
    (item,) = stack.items("usage")
    expiry = datetime.fromtimestamp(int(item["expiresAt"]), UTC)
    assert expiry - datetime.now(UTC) > timedelta(days=365)
