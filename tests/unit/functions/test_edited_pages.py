"""Editing pages: their text, their order, their rotation."""

import random
from decimal import Decimal

import pytest

from scanner import cursors, position
from scanner.aws import clients, pages_table

ALICE = "alice"
PAGE = "/projects/{projectId}/pages/{pageId}"


def edit(stack, page, expected=200, **body):
    status, answer = stack.call(f"PATCH {PAGE}", body=body, projectId=page["projectId"], pageId=page["pageId"])
    assert status == expected, answer
    return answer


def refused(stack, page, body, code="invalid-request", expected=400):
    before = stack.items("pages"), stack.items("projects")
    status, answer = stack.call(f"PATCH {PAGE}", body=body, projectId=page["projectId"], pageId=page["pageId"])
    assert (status, answer["code"]) == (expected, code)
    assert answer["message"]
    assert (stack.items("pages"), stack.items("projects")) == before


def order(stack, project_id, limit=100):
    """Return the ids of the pages as lists give them, gathered from as many answers as it takes."""
    seen, query = [], {"limit": str(limit)}
    while True:
        answer = stack.call("GET /projects/{projectId}/pages", query=query, projectId=project_id)[1]
        seen += [item["pageId"] for item in answer["items"]]
        assert len(seen) <= 100, "the cursor does not get on"
        if "cursor" not in answer:
            return seen
        query["cursor"] = answer["cursor"]


def positions(stack):
    return [item["position"] for item in stack.items("pages")]


TEXTS = [
    "",
    "Grüße\n\tund Küsse",
    "שלום 123",
    "مرحبا ١٢٣",
    "नमस्ते दुनिया",
    "漢字かな交じり文",
    "안녕하세요",
    "👩‍👩‍👧 \U0001f9fe",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_corrected_text_is_kept_as_it_was_typed_and_marked(stack, text):
    page = stack.ready_page(stack.project())
    before = stack.read_page(page)
    assert before["corrected"] is False
    answer = edit(stack, page, text=text)
    assert (answer["text"], answer["corrected"]) == (text, True)
    assert {name: answer[name] for name in ("confidence", "wordCount", "position", "rotation")} == {
        name: before[name] for name in ("confidence", "wordCount", "position", "rotation")
    }
    assert (stack.read_page(page)["text"], stack.read_page(page)["corrected"]) == (text, True)
    (listed,) = stack.call("GET /projects/{projectId}/pages", projectId=page["projectId"])[1]["items"]
    assert listed["corrected"] is True
    assert "text" not in listed


def test_the_longest_text_in_the_widest_script_is_kept(stack):
    page, text = stack.ready_page(stack.project()), "𒀀" * 100_000
    assert len(text.encode()) == 400_000
    assert edit(stack, page, text=text)["text"] == text
    assert stack.read_page(page)["text"] == text
    assert edit(stack, page, rotation=90)["text"] == text
    refused(stack, page, {"text": text + "x"})


def test_line_ends_become_line_feeds(stack):
    page = stack.ready_page(stack.project())
    assert edit(stack, page, text="a\r\nb\rc\n")["text"] == "a\nb\nc\n"


def test_a_correction_replaces_a_text_that_was_too_large_for_the_table(stack):
    stack.textract.lines = ["ä" * 9_999 + " ö"] * 10
    page = stack.ready_page(stack.project())
    assert edit(stack, page, text="short")["text"] == "short"
    assert stack.read_page(page)["text"] == "short"


def test_a_late_delivery_does_not_undo_a_correction(stack):
    page = stack.page(stack.project())
    version = stack.upload(page)
    stack.deliver(page, version)
    edit(stack, page, text="corrected")
    assert stack.deliver(page, version, receives=2)
    assert stack.read_page(page)["text"] == "corrected"


def test_a_page_without_a_text_cannot_be_corrected_but_turned(stack):
    page = stack.page(stack.project())
    refused(stack, page, {"text": "early", "rotation": 90}, "pages-not-ready", 409)
    assert edit(stack, page, rotation=90)["rotation"] == 90
    assert stack.deliver(page, stack.upload(page))
    assert stack.read_page(page)["rotation"] == 90


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_page_is_turned(stack, degrees):
    page = stack.ready_page(stack.project())
    assert edit(stack, page, rotation=degrees)["rotation"] == degrees
    (listed,) = stack.call("GET /projects/{projectId}/pages", projectId=page["projectId"])[1]["items"]
    assert listed["rotation"] == degrees


def test_a_new_image_starts_again(stack):
    page = stack.ready_page(stack.project())
    edit(stack, page, text="corrected", rotation=180)
    path = {"projectId": page["projectId"], "pageId": page["pageId"]}
    replaced = stack.call(f"PUT {PAGE}/image", body={"contentType": "image/png"}, **path)[1]
    assert stack.deliver(replaced, stack.upload(replaced))
    read = stack.read_page(page)
    assert (read["text"], read["corrected"], read["rotation"]) == ("Dear reader\nsecond line", False, 0)


@pytest.mark.parametrize(
    "body",
    [
        *("{", "[]", {}, {"name": "x"}, {"text": None}, {"text": 7}, {"text": ["x"]}, {"text": "a\0b"}),
        *({"text": "\x1b[31m"}, '{"text": "\\ud800"}', {"text": "x" * 100_001}),
        *({"rotation": value} for value in (None, "90", 45, -90, 360, 90.0, True, False)),
        *({"after": value} for value in (7, "", "a/b", "x" * 37, [], "019a9f3c-0000-7000-8000-000000000000")),
        {"rotation": 90, "text": None},
    ],
)
def test_an_edit_that_is_none_changes_nothing(stack, body):
    refused(stack, stack.ready_page(stack.project()), body)


def test_all_of_an_edit_happens_in_one_step(stack):
    project_id = stack.project()
    first, second = stack.ready_page(project_id), stack.ready_page(project_id)
    answer = edit(stack, second, text="new", rotation=270, after=None)
    assert (answer["text"], answer["rotation"]) == ("new", 270)
    assert order(stack, project_id) == [second["pageId"], first["pageId"]]
    refused(stack, first, {"rotation": 90, "after": first["pageId"]})


@pytest.mark.defect(11)
def test_every_move_puts_a_page_where_it_was_asked_to_be(stack):
    project_id, chance = stack.project(), random.Random(1)
    pages = [stack.page(project_id) for _ in range(7)]
    expected = [page["pageId"] for page in pages]
    for _ in range(60):
        page = chance.choice(pages)
        others = [page_id for page_id in expected if page_id != page["pageId"]]
        at = chance.randrange(7)
        expected = [*others[:at], page["pageId"], *others[at:]]
        edit(stack, page, after=others[at - 1] if at else None)
        assert order(stack, project_id, limit=2) == expected
    assert len(set(positions(stack))) == 7
    added = stack.page(project_id)
    assert order(stack, project_id) == [*expected, added["pageId"]]


def test_a_page_that_is_in_its_place_already_stays(stack):
    project_id = stack.project()
    first, second = stack.page(project_id), stack.page(project_id)
    before = positions(stack)
    edit(stack, first, after=None)
    edit(stack, second, after=first["pageId"])
    assert positions(stack) == before


def test_pages_that_are_moved_to_one_place_at_once_get_positions_of_their_own(stack, monkeypatch):
    """Another page is moved there between looking for the place and taking it; and one is added at the end."""
    project_id = stack.project()
    first, second, third, last = (stack.page(project_id) for _ in range(4))
    place, turns = (
        pages_table.place,
        [lambda: stack.page(project_id), lambda: edit(stack, third, after=first["pageId"])],
    )

    def place_then_be_overtaken(*args):
        found = place(*args)
        if turns:
            turns.pop()()
        return found

    monkeypatch.setattr(pages_table, "place", place_then_be_overtaken)
    edit(stack, last, after=first["pageId"])
    assert len(set(positions(stack))) == 5
    assert order(stack, project_id)[:4] == [page["pageId"] for page in (first, last, third, second)]
    stack.assert_counters_hold()


def test_a_move_reads_as_much_in_a_long_project_as_in_a_short_one(stack, monkeypatch):
    project_id = stack.project()
    pages = [stack.page(project_id) for _ in range(30)]
    client, read = clients.dynamodb(), []
    query = client.query
    monkeypatch.setattr(client, "query", lambda **parameters: read.append(query(**parameters)) or read[-1])
    edit(stack, pages[25], after=pages[3]["pageId"])
    assert sum(len(answer["Items"]) for answer in read) <= 2


def test_a_place_that_is_used_up_is_said_so_and_nothing_changes(stack):
    project_id = stack.project()
    anchor, *others = (stack.page(project_id) for _ in range(3))
    for turn in range(300):
        status, answer = stack.call(
            f"PATCH {PAGE}", body={"after": anchor["pageId"]}, projectId=project_id, pageId=others[turn % 2]["pageId"]
        )
        if status != 200:
            break
        assert order(stack, project_id) == [anchor["pageId"], *(others[turn % 2 - at]["pageId"] for at in range(2))]
    assert (status, answer["code"]) == (409, "no-room")
    assert turn > 100
    follower, page = others[(turn - 1) % 2], others[turn % 2]
    refused(stack, page, {"after": anchor["pageId"]}, "no-room", 409)
    edit(stack, follower, after=page["pageId"])  # as the message says: away,
    edit(stack, page, after=anchor["pageId"])
    assert order(stack, project_id) == [p["pageId"] for p in (anchor, page, follower)]


def test_a_cursor_carries_a_position_exactly(stack):
    project_id = stack.project()
    pages = [stack.page(project_id) for _ in range(3)]
    for turn in range(70):  # positions of more digits than a double has
        edit(stack, pages[1 + turn % 2], after=pages[0]["pageId"])
    exact = sorted(positions(stack))
    assert len({float(value) for value in exact}) < len(exact), "the test needs positions that a double cannot tell"
    assert order(stack, project_id, limit=1) == order(stack, project_id, limit=100)


@pytest.mark.parametrize("text", ["", "x", "NaN", "1e5", "Infinity", "1" * 39, "0." + "1" * 39, "１"])
def test_a_cursor_with_no_position_is_refused(stack, text):
    project_id = stack.project()
    stack.page(project_id)
    cursor = cursors.encode(f"GET /projects/{{projectId}}/pages {ALICE} {project_id}", (text, "page"))
    status, answer = stack.call("GET /projects/{projectId}/pages", query={"cursor": cursor}, projectId=project_id)
    assert (status, answer["code"]) == (400, "invalid-request")


@pytest.mark.parametrize("value", ["0", "-3", "1.5", "0.00000000000000000000000000000000000001", "9" * 38])
def test_positions_survive_their_text(value):
    assert position.from_text(position.to_text(Decimal(value))) == Decimal(value)
