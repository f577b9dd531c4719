"""Service integrations that do not come to an answer, and parameters that do not come to a value."""

import pytest

from samhost.gateway.messages import BODY_BYTES

SEND = {"QueueUrl": "http://127.0.0.1/000000000000/queue", "MessageBody": "$request.body.message"}


@pytest.fixture
def api(service):
    return service("SQS-SendMessage", SEND)


def seen(answer):
    return answer.status_code, answer.json()["message"]


def test_a_service_that_takes_too_long_is_503(service, engine):
    engine.seconds = 60
    api = service("SQS-SendMessage", SEND, changes={"timeoutInMillis": 50})
    assert seen(api.request("POST", "/calls", json={"message": "x"})) == (503, "Service Unavailable")
    assert "more than 0.05 s" in api.last_log["error"]


def test_a_service_that_cannot_be_reached_is_503_and_called_once(api, engine):
    engine.failure = ConnectionError("refused")
    assert seen(api.request("POST", "/calls", json={"message": "x"})) == (503, "Service Unavailable")
    assert len(engine.calls) == 1


@pytest.mark.parametrize("body", [b"", b"no json", b"{}", b'{"message": null}', b'{"message": "\\ud800"}'])
def test_a_parameter_without_a_value_is_400(api, body):
    assert seen(api.request("POST", "/calls", content=body)) == (400, "Bad Request")
    assert api.engine.calls == []


def test_a_json_path_into_a_body_over_100_kb_is_400(api):
    assert seen(api.request("POST", "/calls", json={"message": "x", "y": "x" * 102_400})) == (400, "Bad Request")


def test_an_optional_parameter_that_is_mapped_must_have_a_value_too(service):
    api = service("SQS-SendMessage", SEND | {"DelaySeconds": "$request.querystring.delay"})
    assert seen(api.request("POST", "/calls", json={"message": "x"})) == (400, "Bad Request")


def test_the_log_names_the_parameter_and_never_its_value(api):
    api.request("POST", "/calls", json={"massage": "private text"})
    assert api.last_log["error"] == "SQS-SendMessage: MessageBody has no value: $request.body.message"
    assert "private text" not in api.log[-1]


def test_a_body_over_10_mb_is_413_even_where_nothing_is_mapped_from_it(service):
    api = service("SQS-SendMessage", SEND | {"MessageBody": "x"})
    answer = api.request("POST", "/calls", headers={"content-length": str(BODY_BYTES + 1)})
    assert seen(answer) == (413, "Request Entity Too Large")
    assert api.engine.calls == []


def test_a_region_is_where_the_service_is_called(service):
    api = service("SQS-SendMessage", SEND | {"Region": "eu-west-1"})
    api.request("POST", "/calls", json={"message": "x"})
    assert api.call.region == "eu-west-1"
    assert "Region" not in api.call.form


@pytest.mark.parametrize("region", ["", "eu west", "us-east-1/sqs", "é"])
def test_a_region_that_is_none_is_400(service, region):
    api = service("SQS-SendMessage", SEND | {"Region": "$request.querystring.region"})
    answer = api.request("POST", "/calls", params={"region": region}, json={"message": "x"})
    assert seen(answer) == (400, "Bad Request")


def test_without_a_region_it_is_the_apis(api):
    api.request("POST", "/calls", json={"message": "x"})
    assert api.call.region == "us-east-1"


def test_a_services_answer_is_mapped_as_any_other(service):
    changes = {"responseParameters": {"200": {"append:header.x": "$response.body", "overwrite:statuscode": "202"}}}
    answer = service("SQS-SendMessage", SEND, changes=changes).request("POST", "/calls", json={"message": "x"})
    assert (answer.status_code, answer.headers["x"]) == (202, "done")
