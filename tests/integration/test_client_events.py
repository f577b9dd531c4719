"""Clients' events, from the gateway to the audit log."""

import time
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError

EVENTS = "/events"


def accepted(answer):
    """The id of an event that the bus has taken. A status of 200 alone does not say so."""
    assert answer.status_code == 200, answer.text
    assert answer.json()["FailedEntryCount"] == 0, answer.text
    return answer.json()["Entries"][0]["EventId"]


@pytest.fixture
def audited(operator):
    """Reads the entries of events in the audit log, once all of them are there."""

    def entries(*event_ids, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            found, query = {}, {"limit": 100}
            while True:
                answer = operator.api.get("/operations/audit", params=query)
                assert answer.status_code == 200, answer.text
                found |= {entry["eventId"]: entry for entry in answer.json()["items"]}
                if "cursor" not in answer.json():
                    break
                query["cursor"] = answer.json()["cursor"]
            if found.keys() >= set(event_ids):
                return [found[event_id] for event_id in event_ids]
            assert time.monotonic() < deadline, f"not in the audit log: {set(event_ids) - found.keys()}"
            time.sleep(0.3)

    return entries


def test_an_event_is_in_the_audit_log_under_the_user_who_sent_it(user, other, audited):
    mine = accepted(user.api.post(EVENTS, json={"action": "opened", "owner": other.sub}))
    theirs = accepted(other.api.post(EVENTS, json={"action": "opened"}))

    first, second = audited(mine, theirs)

    assert first["source"] == f"docscan.client.{user.sub}"
    assert (first["user"], first["detailType"]) == (user.sub, "ClientEvent")
    assert first["detail"] == {"action": "opened", "owner": other.sub}
    assert second["user"] == other.sub


@pytest.mark.parametrize(
    "body",
    [
        {"Source": "docscan.recognition", "DetailType": "PageRecognised"},
        {"a": '"}],"Source":"docscan.recognition","x":"'},
        {"${context.authorizer.claims.sub}": "$request.body"},
    ],
)
def test_nothing_in_a_body_changes_what_the_event_passes_for(user, audited, body):
    (entry,) = audited(accepted(user.api.post(EVENTS, json=body)))

    assert (entry["source"], entry["detailType"]) == (f"docscan.client.{user.sub}", "ClientEvent")
    assert entry["detail"] == body


def test_a_header_or_a_query_changes_nothing_either(user, audited):
    answer = user.ask_anything(
        "POST",
        EVENTS,
        json={"action": "opened"},
        params={"source": "docscan.recognition", "sub": "somebody"},
        headers={"x-sub": "somebody", "x-amz-target": "AWSEvents.PutRule"},
    )

    assert audited(accepted(answer))[0]["user"] == user.sub


def test_what_is_no_json_object_is_answered_200_and_not_accepted(user):
    for body in ("no JSON", "[1]", '"text"'):
        answer = user.ask_anything("POST", EVENTS, content=body, headers={"content-type": "application/json"})

        assert answer.status_code == 200
        assert answer.json()["FailedEntryCount"] == 1
        assert answer.json()["Entries"][0]["ErrorCode"] == "MalformedDetail"


def test_without_a_body_it_is_a_bad_request(user):
    answer = user.api.post(EVENTS)

    assert (answer.status_code, answer.json()) == (400, {"message": "Bad Request"})


def test_our_own_events_are_in_the_audit_log_too(user, audited, operator, drawn_page):
    project = user.project("Audited")
    page = user.upload(project, drawn_page("Some words"))
    user.settled(project, page)

    deadline = time.monotonic() + 30
    while True:
        entries = operator.api.get("/operations/audit", params={"limit": 100}).json()["items"]
        found = [e for e in entries if e["detailType"] == "PageRecognised" and e["detail"]["pageId"] == page]
        if found:
            break
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert (found[0]["source"], found[0]["user"]) == ("docscan.recognition", user.sub)


def test_the_audit_log_is_for_operators(user):
    answer = user.api.get("/operations/audit")

    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_a_day_without_events_is_an_empty_list(operator):
    assert operator.api.get("/operations/audit", params={"day": "2020-02-29"}).json() == {"items": []}


def test_the_route_s_role_reaches_no_other_bus(system):
    """As the engine's IAM sees it; the conditions on source and detail type are for AWS."""
    roles = system.client("iam").list_roles()["Roles"]
    arn = next(role["Arn"] for role in roles if "ClientEventsRole" in role["RoleName"])
    session = system.client("sts").assume_role(RoleArn=arn, RoleSessionName="trial")["Credentials"]
    events = boto3.client(
        "events",
        endpoint_url=system.addresses["engine"],
        region_name=system.addresses["region"],
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    entry = {"Source": "docscan.client.x", "DetailType": "ClientEvent", "Detail": "{}", "Time": datetime.now(UTC)}

    with pytest.raises(ClientError, match="AccessDenied"):
        events.put_events(Entries=[entry])
    with pytest.raises(ClientError, match="AccessDenied"):
        events.list_rules()
