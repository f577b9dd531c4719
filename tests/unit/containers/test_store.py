"""The food store and the pet store: contract, validation, and changes that nobody overwrites unseen."""

import json

import pytest
from store.app import create
from store.collection import COLLECTIONS
from store.item import MAX_BYTES, MAX_DEPTH
from store.table import Table

APPLE = {"name": "apple", "price": 1.25, "stock": 12, "tags": ["fruit", "🍎"], "organic": True, "notes": None}
NOT_FOUND = 404, {"message": "Not found"}


def seen(answer):
    return answer.status_code, answer.json()


# ---------------------------------------------------------------- Items
def test_what_is_put_comes_back_with_its_id(foods):
    assert seen(foods("PUT", "/1", json=APPLE)) == (200, APPLE | {"foodId": "1"})
    assert seen(foods("GET", "/1")) == (200, APPLE | {"foodId": "1"})


def test_put_takes_the_place_of_the_whole_item(foods):
    foods("PUT", "/1", json=APPLE)
    foods("PUT", "/1", json={"name": "pear"})
    assert foods("GET", "/1").json() == {"name": "pear", "foodId": "1"}


@pytest.mark.parametrize(
    ("service", "path", "name"), [("foods", "/foodstore/foods", "foodId"), ("pets", "/petstore/pets", "petId")]
)
def test_another_id_in_the_payload_is_refused(dynamodb, call, service, path, name):
    app = create(COLLECTIONS[service], Table(dynamodb, "foods"))
    message = f"{name} in path is different from {name} in payload"
    assert seen(call(app, "PUT", f"{path}/1", json={name: "2"})) == (400, {"message": message})
    assert seen(call(app, "PUT", f"{path}/1", json={name: "1"})) == (200, {name: "1"})


@pytest.mark.parametrize("path", ["/1", "/%20", "/a.b~c-d_e", "/ä"])
def test_an_item_that_is_not_there_is_404(foods, path):
    assert seen(foods("GET", path)) == NOT_FOUND
    assert seen(foods("DELETE", path)) == NOT_FOUND


@pytest.mark.parametrize("path", ["/a%0Ab", "/" + "x" * 101, "/%3Cscript%3E"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_can_be_no_id_is_refused(foods, method, path):
    assert foods(method, path, json={}).status_code == 400


def test_a_deleted_item_is_gone(foods):
    foods("PUT", "/1", json=APPLE)
    assert foods("DELETE", "/1").status_code == 204
    assert seen(foods("GET", "/1")) == NOT_FOUND


@pytest.mark.parametrize(
    "path",
    ["", "/", "/foodstore", "/foodstore/foods/", "/foodstore/foods/1/2", "/petstore/pets/1", "/foodstore/foods/1%2F2"],
)
def test_other_paths_are_404(dynamodb, call, path):
    app = create(COLLECTIONS["foods"], Table(dynamodb, "foods"))
    assert seen(call(app, "GET", path)) == NOT_FOUND


def test_other_methods_are_405(foods):
    answer = foods("POST", "/1", json={})
    assert seen(answer) == (405, {"message": "Method not allowed"})
    assert "allow" in answer.headers


# ---------------------------------------------------------------- What can be an item
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b'"text"', b"null", b"\xff", b"[" * 100_000])
def test_anything_but_an_object_is_refused(foods, body):
    assert seen(foods("PUT", "/1", content=body)) == (400, {"message": "Send a JSON object as the body"})


@pytest.mark.parametrize(
    "number", ["0", "-1", "0.1", "1e3", "-2.5e-100", "12345678901234567890123456789012345678", "1.7976e100"]
)
def test_numbers_come_back_equal(foods, number):
    assert foods("PUT", "/1", content=f'{{"number": {number}}}'.encode()).status_code == 200
    assert foods("GET", "/1").json()["number"] == json.loads(number)


@pytest.mark.parametrize("number", ["1e400", "-1e126", "1e-200", "NaN", "Infinity", "1" * 39])
def test_numbers_that_could_not_come_back_equal_are_refused(foods, number):
    assert foods("PUT", "/1", content=f'{{"number": {number}}}'.encode()).status_code == 400


@pytest.mark.parametrize(("depth", "status"), [(MAX_DEPTH, 200), (MAX_DEPTH + 1, 400), (900, 400)])
def test_objects_are_as_deep_as_the_table_takes(foods, depth, status):
    assert foods("PUT", "/1", content=b'{"a":' * depth + b"1" + b"}" * depth).status_code == status


@pytest.mark.parametrize(("over", "status"), [(0, 200), (1, 413)])
def test_items_are_as_large_as_the_table_takes(foods, over, status):
    body = json.dumps({"text": ""}).encode()
    body = body.replace(b'""', b'"' + b"x" * (MAX_BYTES - len(body) + over) + b'"')
    assert foods("PUT", "/1", content=body).status_code == status


# ---------------------------------------------------------------- Changes by several
def test_every_change_has_an_etag_of_its_own(foods):
    first, second = (foods("PUT", "/1", json=APPLE).headers["etag"] for _ in range(2))
    assert first != second
    assert foods("GET", "/1").headers["etag"] == second


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_with_if_match_nobodys_change_is_overwritten(foods, method):
    read = foods("PUT", "/1", json=APPLE).headers["etag"]
    foods("PUT", "/1", json={"name": "changed meanwhile"})
    assert foods(method, "/1", json={}, headers={"if-match": read}).status_code == 412
    assert foods("GET", "/1").json()["name"] == "changed meanwhile"
    current = foods("GET", "/1").headers["etag"]
    assert foods(method, "/1", json={}, headers={"if-match": f'"other", {read}, {current}'}).status_code < 300


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("tag", ['"0123456789abcdef0123456789abcdef"', "*", "garbage", 'W/"1"', '""'])
def test_if_match_fails_where_nothing_is(foods, method, tag):
    assert foods(method, "/1", json={}, headers={"if-match": tag}).status_code == 412
    assert seen(foods("GET", "/1")) == NOT_FOUND


def test_if_match_with_a_star_changes_whatever_is_there(foods):
    foods("PUT", "/1", json=APPLE)
    assert foods("PUT", "/1", json={}, headers={"if-match": "*"}).status_code == 200


def test_if_none_match_creates_and_overwrites_nothing(foods):
    once = {"if-none-match": "*"}
    assert [foods("PUT", "/1", json={"n": n}, headers=once).status_code for n in range(2)] == [200, 412]
    assert foods("GET", "/1").json()["n"] == 0


@pytest.mark.parametrize("headers", [{"if-none-match": '"1"'}, {"if-none-match": "*", "if-match": "*"}])
def test_conditions_that_make_no_sense_are_refused(foods, headers):
    assert foods("PUT", "/1", json={}, headers=headers).status_code == 400


def test_who_has_the_item_is_told_so(foods):
    etag = foods("PUT", "/1", json=APPLE).headers["etag"]
    answer = foods("GET", "/1", headers={"if-none-match": etag})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert foods("GET", "/1", headers={"if-none-match": '"other"'}).status_code == 200


# ---------------------------------------------------------------- The list
def test_all_items_are_listed_page_by_page(foods):
    for number in range(7):
        foods("PUT", f"/{number}", json={"n": number})
    found, cursor = [], None
    while True:
        page = foods("GET", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        found += page["items"]
        assert len(page["items"]) <= 3
        cursor = page.get("cursor")
        if not cursor:
            break
    assert sorted(item["n"] for item in found) == list(range(7))
    assert all(item["foodId"] == str(item["n"]) for item in found)


def test_an_empty_store_lists_nothing(foods):
    assert seen(foods("GET")) == (200, {"items": []})


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"limit": "1.0"}, {"cursor": "garbage"}, {"cursor": "MQ=="}]
)
def test_a_list_is_asked_for_in_order(foods, query):
    assert foods("GET", params=query).status_code == 400


# ---------------------------------------------------------------- Around it
def test_a_defect_says_nothing_of_itself(call):
    answer = call(create(COLLECTIONS["foods"], Table(None, "foods")), "GET", "/foodstore/foods/1")
    assert seen(answer) == (500, {"message": "Internal server error"})


def test_each_request_is_a_line_of_json(foods, capsys):
    foods("PUT", "/1?token=secret", json=APPLE, headers={"x-user": "anna", "x-amzn-trace-id": "Root=1-2-3"})
    [line] = capsys.readouterr().out.splitlines()
    entry = json.loads(line)
    assert {key: entry[key] for key in ("event", "method", "path", "status", "user", "trace")} == {
        "event": "request", "method": "PUT", "path": "/foodstore/foods/1", "status": 200, "user": "anna",
        "trace": "Root=1-2-3",
    }  # fmt: skip
    assert "secret" not in line
    assert "apple" not in line


def test_health_checks_are_no_log(dynamodb, call, capsys):
    assert seen(call(create(COLLECTIONS["pets"], Table(dynamodb, "foods")), "GET", "/health")) == (
        200,
        {"status": "ok"},
    )
    assert capsys.readouterr().out == ""
