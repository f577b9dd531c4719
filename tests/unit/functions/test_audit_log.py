"""The audit log: events of the bus, written as they come and listed for operators."""

import json
from datetime import UTC, datetime

import pytest
from unit.functions.conftest import sqs_message

from scanner.audit import RETENTION_DAYS
from scanner.aws import bus, clients
from scanner.page import Page
from scanner.services.audit import MAX_DETAIL_BYTES
from scanner.text import RecognisedText

ROUTE = "GET /operations/audit"
DAY = "2026-11-21"


def delivery(number=0, at=f"{DAY}T09:30:00Z", detail=None, **changes):
    """An event as EventBridge puts it into the queue."""
    event = {
        "version": "0",
        "id": f"event-{number}",
        "detail-type": "ClientEvent",
        "source": "docscan.client.alice",
        "account": "123456789012",
        "time": at,
        "region": "eu-west-1",
        "resources": [],
        "detail": {"action": "opened"} if detail is None else detail,
    }
    return sqs_message(json.dumps(event | changes), message_id=f"message-{number}")


def listing(stack, **query):
    status, answer = stack.call(ROUTE, "operator", query=query)
    assert status == 200, answer
    return answer


def test_an_entry_says_who_did_what_and_when(stack):
    assert stack.consume("auditing", delivery(7)) == []

    assert listing(stack, day=DAY) == {
        "items": [
            {
                "eventId": "event-7",
                "at": f"{DAY}T09:30:00Z",
                "source": "docscan.client.alice",
                "detailType": "ClientEvent",
                "user": "alice",
                "detail": {"action": "opened"},
            }
        ]
    }


def test_our_own_events_are_of_the_document_s_owner(stack):
    page = Page.create("bob", "project", 1, "image/png").arrived("version").recognised(RecognisedText(1, 1, ()))
    entry = bus.page_recognised(page)
    own = {"source": entry["Source"], "detail-type": entry["DetailType"]}
    stack.consume("auditing", delivery(detail=json.loads(entry["Detail"]), **own))

    assert [(e["user"], e["detailType"]) for e in listing(stack, day=DAY)["items"]] == [("bob", "PageRecognised")]


def test_what_a_client_writes_into_its_event_makes_it_nobody_else_s(stack):
    stack.consume("auditing", delivery(detail={"owner": "bob", "source": "docscan.recognition"}))

    (entry,) = listing(stack, day=DAY)["items"]
    assert (entry["user"], entry["source"]) == ("alice", "docscan.client.alice")


def test_an_event_that_comes_again_is_one_entry(stack):
    for _ in range(3):
        assert stack.consume("auditing", delivery(1), delivery(1)) == []

    assert len(listing(stack, day=DAY)["items"]) == 1


def test_the_newest_come_first_a_page_at_a_time(stack):
    stack.consume("auditing", *(delivery(n, f"{DAY}T09:30:{n:02}Z") for n in range(7)))
    seen, query = [], {"limit": "3"}
    while True:
        answer = listing(stack, day=DAY, **query)
        seen.append([entry["eventId"] for entry in answer["items"]])
        if "cursor" not in answer:
            break
        query["cursor"] = answer["cursor"]

    assert seen == [["event-6", "event-5", "event-4"], ["event-3", "event-2", "event-1"], ["event-0"]]


def test_events_of_the_same_second_are_all_there(stack):
    stack.consume("auditing", *(delivery(n) for n in range(5)))

    assert len(listing(stack, day=DAY)["items"]) == 5


def test_each_day_is_a_list_of_its_own(stack):
    stack.consume("auditing", delivery(1, "2026-11-20T23:59:59Z"), delivery(2, f"{DAY}T00:00:00Z"))

    assert [entry["eventId"] for entry in listing(stack, day="2026-11-20")["items"]] == ["event-1"]
    assert [entry["eventId"] for entry in listing(stack, day=DAY)["items"]] == ["event-2"]


def test_without_a_day_it_is_today_s(stack):
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    stack.consume("auditing", delivery(1, now), delivery(2, "2020-01-01T00:00:00Z"))

    assert [entry["eventId"] for entry in listing(stack)["items"]] == ["event-1"]


def test_a_cursor_keeps_to_its_day(stack):
    """Even past midnight; and it is not taken for another day's."""
    stack.consume("auditing", *(delivery(n) for n in range(3)))
    cursor = listing(stack, day=DAY, limit="2")["cursor"]

    assert [entry["eventId"] for entry in listing(stack, cursor=cursor)["items"]] == ["event-0"]
    status, answer = stack.call(ROUTE, "operator", query={"cursor": cursor, "day": "2026-11-20"})
    assert (status, answer["code"]) == (400, "invalid-request")


@pytest.mark.parametrize("day", ["", "today", "2026-13-01", "20261121", "2026-W47-6", "2026-11-21T00:00:00", "#"])
def test_a_day_that_is_none_is_refused(stack, day):
    status, answer = stack.call(ROUTE, query={"day": day})

    assert (status, answer["code"]) == (400, "invalid-request")


def test_a_long_detail_is_kept_whole_behind_a_link(stack):
    detail = {"note": "x" * MAX_DETAIL_BYTES}
    assert stack.consume("auditing", delivery(1, detail=detail)) == []

    (entry,) = listing(stack, day=DAY)["items"]
    assert "detail" not in entry
    assert f"audit/{DAY}/event-1.json" in entry["detailUrl"]
    stored = clients.s3().get_object(Bucket="docscan-test", Key=f"audit/{DAY}/event-1.json")["Body"].read()
    assert json.loads(stored) == detail


@pytest.mark.parametrize("detail", [{}, [], "text", 5, {"note": "\ud800"}, {"note": "😀" * 3000}])
def test_any_json_can_be_a_detail(stack, detail):
    assert stack.consume("auditing", delivery(1, detail=detail)) == []

    (entry,) = listing(stack, day=DAY)["items"]
    assert entry["detail"] == ({"note": "?"} if detail == {"note": "\ud800"} else detail)


@pytest.mark.parametrize(
    "changes", [{"id": "../../words/x"}, {"id": None}, {"time": "yesterday"}, {"time": None}, {"source": None}]
)
def test_what_is_no_event_is_left_to_the_dead_letters_and_stops_no_other(stack, changes):
    assert stack.consume("auditing", delivery(1, **changes), delivery(2)) == ["message-1"]
    assert stack.consume("auditing", sqs_message("no JSON", message_id="message-3")) == ["message-3"]

    assert [entry["eventId"] for entry in listing(stack, day=DAY)["items"]] == ["event-2"]


def test_entries_go_after_three_months(stack):
    stack.consume("auditing", delivery(1))

    (item,) = stack.items("audit")
    written = datetime.fromisoformat(item["at"])
    assert (datetime.fromtimestamp(int(item["expiresAt"]), UTC) - written).days == RETENTION_DAYS
