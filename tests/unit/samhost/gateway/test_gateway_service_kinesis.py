"""Kinesis-PutRecord: the record's data is what the client sent, byte for byte."""

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

RECORD = {"StreamName": "stream", "PartitionKey": "$request.path.key", "Data": "$request.body"}


def test_plain_text_is_encoded_for_the_service(service):
    api = service("Kinesis-PutRecord", RECORD, "POST /records/{key}")
    assert api.request("POST", "/records/k", content=b"plain text").status_code == 200
    assert (api.call.service, api.call.action) == ("kinesis", "Kinesis_20131202.PutRecord")
    assert api.call.headers["content-type"] == "application/x-amz-json-1.1"
    assert api.call.json == {
        "StreamName": "stream", "PartitionKey": "k", "Data": base64.b64encode(b"plain text").decode(),
    }  # fmt: skip


@given(st.binary(min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_bytes_come_out_as_they_went_in(service, data):
    api = service("Kinesis-PutRecord", RECORD, "POST /records/{key}")
    assert api.request("POST", "/records/k", content=data).status_code == 200
    assert base64.b64decode(api.call.json["Data"]) == data


def test_a_member_of_the_body_may_be_the_data(service):
    api = service("Kinesis-PutRecord", RECORD | {"Data": "$request.body.data"}, "POST /records/{key}")
    api.request("POST", "/records/k", json={"data": {"a": 1}})
    assert base64.b64decode(api.call.json["Data"]) == b'{"a":1}'


def test_only_data_may_be_bytes(service):
    api = service("Kinesis-PutRecord", RECORD | {"PartitionKey": "$request.body"}, "POST /records/{key}")
    assert api.request("POST", "/records/k", content=b"\xff").status_code == 400
    assert api.engine.calls == []


@pytest.mark.parametrize("body", [b"", None])
def test_an_empty_body_is_no_record(service, body):
    api = service("Kinesis-PutRecord", RECORD, "POST /records/{key}")
    assert api.request("POST", "/records/k", content=body).status_code == 400
