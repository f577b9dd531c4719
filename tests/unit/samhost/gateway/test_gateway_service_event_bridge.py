"""EventBridge-PutEvents: one event a request, and a 200 that may still be a refusal."""

import pytest

from samhost.gateway.engine import Reply

EVENT = {"Source": "client.${request.path.name}", "DetailType": "Noticed", "Detail": "$request.body"}


def test_a_request_is_one_event(service):
    api = service("EventBridge-PutEvents", EVENT | {"EventBusName": "bus"}, "POST /events/{name}")
    assert api.request("POST", "/events/shop", content='{ "a": "é" }').status_code == 200
    assert (api.call.service, api.call.action) == ("events", "AWSEvents.PutEvents")
    assert api.call.headers["content-type"] == "application/x-amz-json-1.1"
    assert api.call.json == {
        "Entries": [{"Source": "client.shop", "DetailType": "Noticed", "Detail": '{ "a": "é" }', "EventBusName": "bus"}]
    }


def test_nothing_in_the_detail_changes_the_source(service):
    api = service("EventBridge-PutEvents", EVENT, "POST /events/{name}")
    body = '{"x": "\\",\\"Source\\":\\"ours"}'
    api.request("POST", "/events/a%22,%22Source%22:%22ours", content=body)
    [entry] = api.call.json["Entries"]
    assert entry == {"Source": 'client.a","Source":"ours', "DetailType": "Noticed", "Detail": body}


def test_a_refused_entry_is_still_200_and_the_answer_says_so(service, engine):
    body = b'{"FailedEntryCount":1,"Entries":[{"ErrorCode":"InternalFailure"}]}'
    engine.reply = Reply(200, {"content-type": "application/x-amz-json-1.1"}, body)
    answer = service("EventBridge-PutEvents", EVENT, "POST /events/{name}").request("POST", "/events/a", content="{}")
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"


@pytest.mark.parametrize("detail", ["text", "[]", "1", "{", '"{}"', "[" * 100_000])
def test_a_detail_that_is_no_object_is_malformed_with_status_200(service, detail):
    api = service("EventBridge-PutEvents", EVENT, "POST /events/{name}")
    answer = api.request("POST", "/events/a", content=detail)
    assert answer.status_code == 200
    assert answer.json() == {
        "FailedEntryCount": 1,
        "Entries": [{"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}],
    }
    assert api.engine.calls == []


@pytest.mark.parametrize("query", ["r=arn:a&r=arn:b", "r=arn:a,arn:b", 'r=["arn:a","arn:b"]'])
def test_resources_are_a_list(service, query):
    api = service("EventBridge-PutEvents", EVENT | {"Resources": "$request.querystring.r"}, "POST /events/{name}")
    api.request("POST", f"/events/a?{query}", content="{}")
    assert api.call.json["Entries"][0]["Resources"] == ["arn:a", "arn:b"]


@pytest.mark.parametrize("time", ["1795275468", "1795275468.0", "2026-11-21T15:37:48Z"])
def test_a_time_is_seconds_or_rfc_3339(service, time):
    api = service("EventBridge-PutEvents", EVENT | {"Time": "$request.querystring.t"}, "POST /events/{name}")
    api.request("POST", "/events/a", params={"t": time}, content="{}")
    assert api.call.json["Entries"][0]["Time"] == 1795275468


@pytest.mark.parametrize("time", ["yesterday", "", "1.2.3", "²"])
def test_a_time_that_is_none_is_400(service, time):
    api = service("EventBridge-PutEvents", EVENT | {"Time": "$request.querystring.t"}, "POST /events/{name}")
    assert api.request("POST", "/events/a", params={"t": time}, content="{}").status_code == 400
