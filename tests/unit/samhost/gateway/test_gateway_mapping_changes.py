"""`requestParameters` and `responseParameters`: what they change about requests and responses.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samhost.gateway.errors import UnsupportedError
from samhost.gateway.mapping.changes import RequestChanges, ResponseChanges
from samhost.gateway.messages import Response

from .exchanges import source


@pytest.fixture
def event(serve, operation):
    """What a function gets of a request to an API with these `requestParameters`."""

    def build(parameters, url="/pets/1?a=1&b=2", path="/pets/{id}", **options):
        api = serve(paths={path: {"post": operation(requestParameters=parameters)}})
        assert api.request("POST", url, **options).status_code == 200
        return api.event

    return build


@pytest.fixture
def answer(serve, operation, functions):
    """What a client gets of a function's answer from an API with these `responseParameters`."""

    def build(parameters, status=200, headers=None, body="{}", **options):
        functions.value = {"statusCode": status, "headers": headers or {}, "body": body}
        api = serve(paths={"/pets": {"get": operation(responseParameters=parameters)}}, functions=functions, **options)
        return api.get("/pets")

    return build


def test_append_adds_a_header_beside_the_one_that_is_there(event):
    seen = event({"append:header.x-kind": "$request.path.id"}, headers={"x-kind": "cat"})
    assert seen["headers"]["x-kind"] == "cat,1"


def test_overwrite_replaces_a_header_with_all_its_values(event):
    seen = event({"overwrite:header.X-Kind": "dog"}, headers=[("x-kind", "cat"), ("x-kind", "cow")])
    assert seen["headers"]["x-kind"] == "dog"


def test_remove_takes_a_header_away_whatever_its_value_says(event):
    assert "x-kind" not in event({"remove:header.x-kind": "''"}, headers={"x-kind": "cat"})["headers"]


def test_query_parameters_are_appended_overwritten_and_removed(event):
    changes = {"append:querystring.a": "3", "overwrite:querystring.b": "$request.path.id", "append:querystring.c": "4"}
    seen = event(changes, "/pets/x%26y?a=1&b=2&b=3")
    assert seen["rawQueryString"] == "a=1&a=3&b=x%26y&c=4"
    assert event({"remove:querystring.a": ""})["rawQueryString"] == "b=2"


def test_a_query_that_nothing_changes_stays_as_it_was(event):
    assert event({"append:header.x": "1"}, "/pets/1?a=%7e&&b")["rawQueryString"] == "a=%7e&&b"


def test_the_path_is_overwritten(event):
    assert event({"overwrite:path": "/animals/${request.path.id}"})["rawPath"] == "/animals/1"


def test_the_routes_own_parameters_stay_as_the_client_sent_them(event):
    assert event({"overwrite:path": "/animals/2"})["pathParameters"] == {"id": "1"}


def test_values_come_from_the_body_too_and_the_body_goes_on(event):
    seen = event({"append:header.x-name": "$request.body.name"}, json={"name": "Tom"})
    assert seen["headers"]["x-name"] == "Tom"
    assert seen["body"] == '{"name":"Tom"}'


def test_a_value_that_is_absent_adds_nothing(event):
    absent = "$request.header.y"
    seen = event(
        {"append:header.x": absent, "append:querystring.a": absent, "overwrite:path": absent}, headers={"x": "1"}
    )
    assert (seen["headers"]["x"], seen["rawQueryString"], seen["rawPath"]) == ("1", "a=1&b=2", "/pets/1")


def test_what_a_client_sends_does_not_pass_for_a_value_that_is_absent(event):
    absent = "$context.authorizer.claims.sub"
    seen = event({"overwrite:header.x-user": absent, "overwrite:querystring.a": absent}, headers={"x-user": "forged"})
    assert "x-user" not in seen["headers"]
    assert seen["rawQueryString"] == "b=2"


def test_a_header_cannot_be_injected_by_a_value(serve, operation):
    api = serve(paths={"/pets": {"post": operation(requestParameters={"append:header.x": "$request.body.x"})}})
    answer = api.request("POST", "/pets", json={"x": "1\r\nx-admin: yes"})
    assert (answer.status_code, answer.json()) == (400, {"message": "Bad Request"})
    assert api.functions.invoked == []


@pytest.mark.parametrize(
    "header",
    [
        "Authorization", "connection", "Content-Encoding", "content-length", "Content-Location", "forwarded",
        "keep-alive", "Origin", "proxy-authenticate", "proxy-authorization", "TE", "trailers", "transfer-encoding",
        "upgrade", "via", "x-forwarded-for", "x-forwarded-host", "X-Forwarded-Proto", "access-control-allow-origin",
        "apigw-requestid", "x-amz-date", "x-amzn-trace-id",
    ],
)  # fmt: skip
@pytest.mark.parametrize("action", ["append", "overwrite", "remove"])
def test_reserved_headers_are_refused_in_requests_and_responses(action, header):
    with pytest.raises(UnsupportedError, match="reserved"):
        RequestChanges.load({f"{action}:header.{header}": "1"})
    with pytest.raises(UnsupportedError, match="reserved"):
        ResponseChanges.load({"200": {f"{action}:header.{header}": "1"}})


@pytest.mark.parametrize(
    "key", ["header.x", "set:header.x", "append:path", "remove:path", "append:body", "append:header."]
)
def test_other_request_parameters_are_refused_by_name(key):
    with pytest.raises(UnsupportedError, match=key):
        RequestChanges.load({key: "1"})


@pytest.mark.parametrize("key", ["append:querystring.a", "overwrite:path", "remove:statuscode", "header.x"])
def test_other_response_parameters_are_refused_by_name(key):
    with pytest.raises(UnsupportedError, match=key):
        ResponseChanges.load({"200": {key: "1"}})


@pytest.mark.parametrize("status", ["199", "600", "2xx", "default"])
def test_responses_are_changed_by_statuses_from_200_to_599(status):
    with pytest.raises(UnsupportedError, match=status):
        ResponseChanges.load({status: {"append:header.x": "1"}})


def test_a_route_with_a_refused_parameter_answers_501(serve, operation):
    api = serve(paths={"/pets": {"get": operation(requestParameters={"overwrite:header.via": "1"})}})
    assert api.api.refused == [("GET /pets", "the header via, which is reserved")]
    assert api.get("/pets").status_code == 501


def test_headers_of_a_response_are_appended_overwritten_and_removed(answer):
    changes = {
        "append:header.x-one": "$response.body.kind",
        "overwrite:header.X-Two": "${context.routeKey} ${response.header.x-two}",
        "remove:header.x-three": "''",
    }
    seen = answer({"200": changes}, headers={"x-one": "1", "x-two": "2", "x-three": "3"}, body='{"kind": "cat"}')
    assert seen.headers.get_list("x-one") == ["1", "cat"]
    assert seen.headers["x-two"] == "GET /pets 2"
    assert "x-three" not in seen.headers


def test_only_responses_of_that_status_are_changed(answer):
    assert "x" not in answer({"404": {"append:header.x": "1"}}).headers
    assert answer({"404": {"append:header.x": "1"}}, status=404).headers["x"] == "1"


def test_the_status_is_overwritten_and_the_body_stays(answer):
    seen = answer({"500": {"overwrite:statuscode": "403"}}, status=500, body="why")
    assert (seen.status_code, seen.text) == (403, "why")


def test_the_status_may_come_from_the_response(answer):
    changes = {"200": {"overwrite:statuscode": "$response.body.status"}}
    assert answer(changes, body='{"status": 409}').status_code == 409
    assert answer(changes, body='{"status": "no status"}').status_code == 200


@pytest.mark.parametrize("status", ["99", "600", "teapot"])
def test_a_status_that_is_none_is_refused(status):
    with pytest.raises(UnsupportedError, match=status):
        ResponseChanges.load({"200": {"overwrite:statuscode": status}})


def test_a_status_without_a_body_has_none(answer):
    assert answer({"200": {"overwrite:statuscode": "204"}}, body="text").content == b""


def test_errors_of_the_gateway_itself_are_not_changed(serve, operation, functions):
    functions.function_error = "Unhandled"
    changes = {"500": {"overwrite:statuscode": "418"}}
    api = serve(paths={"/pets": {"get": operation(responseParameters=changes)}}, functions=functions)
    assert api.get("/pets").status_code == 500


@given(st.text())
def test_no_value_of_a_response_reaches_another_header(value):
    changes = ResponseChanges.load({"200": {"overwrite:header.x": "$context.authorizer.claims.name"}})
    before = [("content-type", "text/plain"), ("x", "before")]
    response = Response(200, before, b"")
    after = changes.apply(source(claims={"name": value}, response=response), response).headers
    assert after[0] == before[0]
    assert len(after) == 2
    assert not set(after[1][1]) & {"\r", "\n", "\0"}


@given(st.text(st.characters(codec="utf-8")))
def test_a_mapped_query_parameter_never_becomes_two(value):
    changes = RequestChanges.load({"overwrite:querystring.a": "$request.path.id"})
    mapped = source(query="a=1&b=2", parameters={"id": value})
    request = changes.apply(mapped)
    assert source(query=request.query).query == {"b": "2", "a": value}
