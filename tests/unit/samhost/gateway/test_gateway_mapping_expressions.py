"""Mapping expressions: what each reads, what has no value, and what is refused when an API is loaded.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samhost.gateway.errors import UnsupportedError
from samhost.gateway.mapping.expressions import JSON_BYTES, request_expression, response_expression
from samhost.gateway.messages import Response

from .exchanges import source


def value(expression, *arguments, **options):
    return request_expression(expression).value(source(*arguments, **options))


def test_a_header_is_read_whatever_the_case_of_its_name():
    assert value("$request.header.X-Kind", headers=[("x-kind", "cat")]) == "cat"


def test_a_headers_values_are_joined_by_commas():
    assert value("$request.header.x", headers=[("x", "1,2"), ("y", "-"), ("x", "3")]) == "1,2,3"


def test_a_header_is_read_as_utf_8():
    assert value("$request.header.x", headers=[("x", "é".encode().decode("latin-1"))]) == "é"


def test_a_query_parameters_name_has_its_case():
    assert value("$request.querystring.Kind", query="kind=dog&Kind=cat") == "cat"


def test_a_query_parameters_values_are_joined_by_commas():
    assert value("$request.querystring.k", query="k=Value1,Value2&k=3") == "Value1,Value2,3"


def test_a_query_parameter_is_decoded():
    assert value("$request.querystring.k", query="k=a%26b%3Dc+d%C3%A9") == "a&b=c dé"


def test_an_empty_query_parameter_is_there():
    assert value("$request.querystring.k", query="k=") == ""


def test_a_path_parameter():
    assert value("$request.path.petId", parameters={"petId": 'a"b/é'}) == 'a"b/é'


def test_the_path_is_without_the_stage():
    assert value("$request.path", path="/dev/pets/1") == "/pets/1"


def test_the_whole_body_is_as_it_was_sent():
    assert value("$request.body", b'{ "a" : 1 }\n') == '{ "a" : 1 }\n'


def test_the_whole_body_may_be_larger_than_100_kb():
    assert value("$request.body", b"x" * (JSON_BYTES + 1)) == "x" * (JSON_BYTES + 1)


def test_an_empty_body_has_no_value():
    assert value("$request.body", b"") is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".name", "Tom"),
        (".owner.name", "Ann"),
        ("['first name']", "T."),
        ('["first name"]', "T."),
        (".toys[0]", "ball"),
        (".toys[-1]", "mouse"),
        (".toys[*]", '["ball","mouse"]'),
        (".kittens[*].name", '["a","b"]'),
        (".kittens[*].toys[*]", '["x","y","z"]'),
        (".age", "3"),
        (".weight", "4.5"),
        (".big", "123456789012345678901234567890"),
        (".tame", "true"),
        (".owner", '{"name":"Ann","city":"Köln"}'),
        (".toys", '["ball","mouse"]'),
        (".empty", ""),
    ],
)
def test_a_json_path_leads_to_text_and_all_else_as_json(path, expected):
    pet = {
        "name": "Tom", "first name": "T.", "age": 3, "weight": 4.5, "tame": True, "empty": "",
        "big": 123456789012345678901234567890, "owner": {"name": "Ann", "city": "Köln"}, "toys": ["ball", "mouse"],
        "kittens": [{"name": "a", "toys": ["x"]}, {"name": "b", "toys": ["y", "z"]}, {}],
    }  # fmt: skip
    assert value(f"$request.body{path}", pet) == expected


@pytest.mark.parametrize(
    "path", [".none", ".owner.none", ".toys[9]", ".name.first", ".toys.name", ".owner[0]", ".null"]
)
def test_what_is_not_in_the_body_has_no_value(path):
    assert value(f"$request.body{path}", {"name": "Tom", "owner": {}, "toys": ["ball"], "null": None}) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1e999}', b"\xff\xfe", b'{"a": ' + b"9" * 5000 + b"}"],
)
def test_a_body_that_is_not_json_has_no_value_for_a_json_path(body):
    assert value("$request.body.a", body) is None


def test_half_a_surrogate_pair_in_json_is_no_text():
    assert value("$request.body.a", b'{"a": "\\ud800"}') is None


def test_a_json_path_sees_100_kb_of_the_body():
    fits = json.dumps({"a": "here", "padding": ""}).encode()
    fits = fits.replace(b'""', b'"' + b"x" * (JSON_BYTES - len(fits)) + b'"')
    assert len(fits) == 102_400
    assert value("$request.body.a", fits) == "here"
    assert value("$request.body.a", fits.replace(b"xx", b"xxx", 1)) is None


def test_a_context_variable():
    assert value("$context.authorizer.claims.sub", claims={"sub": "user-1"}) == "user-1"
    assert value("$context.requestId") == "request-1"


def test_a_stage_variable():
    assert value("$stageVariables.queue") == "orders"
    assert value("$stageVariables.other") is None


@pytest.mark.parametrize("text", ["", "text", "cost: $5", "a $request.header.x b", "{}", "{a}", "5$"])
def test_all_else_is_text_as_it_stands(text):
    expression = request_expression(text)
    assert expression.is_static
    assert expression.value(source()) == text


def test_several_expressions_compose_one_text():
    composed = "${context.authorizer.claims.sub}_${request.path.id}: $5 {${stageVariables.queue}}"
    assert value(composed, claims={"sub": "user-1"}, parameters={"id": "e1"}) == "user-1_e1: $5 {orders}"


def test_one_expression_in_braces():
    assert value("${request.header.x}", headers=[("x", "1")]) == "1"


def test_what_is_composed_has_no_value_where_one_part_has_none():
    assert value("${context.authorizer.claims.sub}_${request.path.id}", parameters={"id": "e1"}) is None


def test_values_are_never_read_as_expressions():
    hostile = "${context.requestId}$context.requestId"
    assert value("${request.path.id}-${request.path.id}", parameters={"id": hostile}) == f"{hostile}-{hostile}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$", "begins with none of"),
        ("$request.cookie.a", "begins with none of"),
        ("$requests.header.a", "begins with none of"),
        ("$response.header.a", "begins with none of"),
        ("$request.header", "a name must follow"),
        ("$request.header.", "a name must follow"),
        ("$request.querystring", "a name must follow"),
        ("$stageVariables", "a name must follow"),
        ("$context", "a name must follow"),
        ("$context.nothing", "which HTTP APIs do not have"),
        ("$request.body..name", "names, indexes and wildcards"),
        ("$request.body.a[?(@.b>1)]", "names, indexes and wildcards"),
        ("$request.body.a[0:2]", "names, indexes and wildcards"),
        ("$request.body.", "names, indexes and wildcards"),
        ("a-${request.path.id", "has no end"),
        ("${$request.path.id}", "begins with none of"),
        ("${}", "begins with none of"),
        ("$request.header.Authorization", "is reserved"),
        ("$request.header.x-amz-date", "is reserved"),
        ("$request.header.a b", "no header's name"),
    ],
)
def test_what_is_no_expression_is_refused_by_name(text, reason):
    with pytest.raises(UnsupportedError) as refusal:
        request_expression(text)
    assert reason in str(refusal.value)


def test_responses_have_headers_and_a_body():
    answer = Response(200, [("x", "1"), ("x", "2")], b'{"a": {"b": 1}}')
    read = source(b'{"a": "the request"}', response=answer)
    values = [
        response_expression(text).value(read)
        for text in ("$response.header.X", "$response.body.a.b", "${response.body}!", "$context.requestId")
    ]
    assert values == ["1,2", "1", '{"a": {"b": 1}}!', "request-1"]


def test_responses_read_nothing_of_requests():
    with pytest.raises(UnsupportedError):
        response_expression("$request.header.x")


text = st.text(st.characters(codec="utf-8"))


@given(text)
def test_a_path_parameter_comes_out_as_it_went_in(given_text):
    assert value("${request.path.id}", parameters={"id": given_text}) == given_text


@given(st.binary(min_size=1))
def test_a_bodys_bytes_come_out_as_they_went_in(body):
    assert value("$request.body", body).encode(errors="surrogateescape") == body


@given(text)
def test_text_in_a_json_body_comes_out_as_it_went_in(given_text):
    assert value("$request.body.a[0]", {"a": [given_text]}) == given_text


json_values = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda children: st.lists(children) | st.dictionaries(text, children),
    max_leaves=10,
)


@given(st.lists(json_values) | st.dictionaries(text, json_values))
def test_objects_and_lists_come_out_as_the_same_json(document):
    assert json.loads(value("$request.body.a", {"a": document})) == document


@given(st.binary())
def test_no_body_makes_a_json_path_fail(body):
    found = value("$request.body.a.b[0]", body)
    assert found is None or isinstance(found, str)


@given(st.text())
def test_any_text_is_an_expression_or_refused(given_text):
    try:
        expression = request_expression(given_text)
    except UnsupportedError:
        return
    found = expression.value(source({"a": 1}, headers=[("x", "1")], query="a=1"))
    assert found is None or isinstance(found, str)


@given(text, text)
def test_parts_never_change_each_other(first, second):
    composed = value("${request.path.a}\0${request.path.b}", parameters={"a": first, "b": second})
    assert composed == f"{first}\0{second}"
