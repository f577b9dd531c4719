"""The plan of an export: which pages it has, for which it waits, and what it is refused for."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from unit.functions.export_runs import end, plan, recognising

from scanner import export
from scanner.aws import bucket, exports_table, projects_table
from scanner.ids import timestamp
from scanner.services import export_plan


@pytest.fixture
def project(stack):
    project = stack.project("Letters")
    stack.pages = [stack.ready_page(project)["pageId"] for _ in range(3)]
    return project


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(export_plan, "PART_PAGES", 2)


def planned(export_id="export-1"):
    attempt = exports_table.get("alice", export_id)
    return [page for part in attempt.planned for page in export_plan.pages_of(attempt, part.number)]


def test_all_pages_are_planned_in_order_and_in_parts(stack, project, small_parts):
    answer = plan(stack, project)

    assert answer == {
        "parts": [{"number": 0, "pages": "pages 1 to 2"}, {"number": 1, "pages": "page 3"}],
        "round": 0,
    }
    assert planned() == list(enumerate(stack.pages, 1))


def test_some_pages_are_planned_in_the_project_s_order_under_their_numbers(stack, project):
    plan(stack, project, pages=[stack.pages[2], stack.pages[0]])

    assert planned() == [(1, stack.pages[0]), (3, stack.pages[2])]


def test_pages_that_are_not_ready_and_not_on_their_way_are_left_out_and_counted(stack, project):
    stack.page(project)

    plan(stack, project)

    attempt = exports_table.get("alice", "export-1")
    assert (attempt.page_count, attempt.left_out_count) == (3, 1)


def test_pages_that_are_not_asked_for_are_not_waited_for_nor_counted(stack, project):
    recognising(stack, project)
    stack.page(project)

    assert "parts" in plan(stack, project, pages=stack.pages[:1])
    assert exports_table.get("alice", "export-1").left_out_count == 0


def test_pages_in_recognition_are_waited_for(stack, project):
    finish = recognising(stack, project)
    assert plan(stack, project) == {"waitingFor": 1}

    finish()

    assert plan(stack, project)["parts"] == [{"number": 0, "pages": "pages 1 to 4"}]


def test_pages_in_recognition_are_not_waited_for_without_end(stack, project):
    recognising(stack, project)

    answer = plan(stack, project, at=timestamp(datetime.now(UTC) - timedelta(minutes=10, seconds=1)))

    assert answer["code"] == "pages-not-ready"
    assert "page 4." in answer["message"]


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ([7], "page 7"),
        ([3, 7], "pages 3 and 7"),
        ([3, 7, 12], "pages 3, 7 and 12"),
        (range(1, 14), "pages 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 3 more"),
    ],
)
def test_pages_are_named_by_number(pages, said):
    assert export_plan.numbered(pages) == said


@pytest.mark.parametrize(
    "order", [None, "text", [], {}, {"projectId": 5}, {"projectId": "../x"}, {"projectId": "p", "format": "docx"}]
)
def test_an_order_that_is_none_is_refused(stack, order):
    answer = stack.perform("export_plan", "export-1", input={"order": order, "startedAt": timestamp()})

    assert answer["code"] == "invalid-request"


@pytest.mark.parametrize(
    "order",
    [
        *[{"format": wanted} for wanted in (None, 5, [], {}, "PDF")],
        *[{"pages": pages} for pages in ([], "all", [5], ["../x"], ["a", "a"], ["a"] * 5001, {"a": 1})],
        *[{"language": tag} for tag in (5, "", "d", "deutsch!", "de-", "de_DE", "de-" + "a" * 40, ["de"])],
    ],
)
def test_a_wish_that_is_none_is_refused(stack, project, order):
    assert plan(stack, project, **order)["code"] == "invalid-request"


@pytest.mark.parametrize("tag", ["de", "pt-BR", "zh-Hant-TW", "sl-rozaj-biske-1994"])
def test_a_language_is_kept(stack, project, tag):
    plan(stack, project, language=tag)

    assert exports_table.get("alice", "export-1").language == tag


def test_a_page_that_the_project_does_not_have_is_named(stack, project):
    other = stack.ready_page(stack.project())["pageId"]

    answer = plan(stack, project, pages=[stack.pages[0], other])

    assert answer["code"] == "invalid-request"
    assert other in answer["message"]


def test_nobody_exports_another_s_project(stack, project):
    assert plan(stack, project, user="bob") == {"message": "There is no such project.", "code": "not-found"}
    assert stack.objects("exports/") == []


def test_the_owner_is_not_who_the_order_says(stack, project):
    assert plan(stack, project, user="bob", owner="alice", execution="alice_export-1")["code"] == "not-found"


@pytest.mark.parametrize("export_id", ["", "a_b", "../x", "x" * 37])
def test_an_id_that_is_none_is_refused(stack, project, export_id):
    assert plan(stack, project, export_id)["code"] == "not-found"


def test_a_project_without_pages_has_nothing_to_export(stack):
    assert plan(stack, stack.project())["code"] == "nothing-to-export"


def test_a_project_that_has_only_pages_without_image_has_nothing_to_export(stack):
    project = stack.project()
    stack.page(project)

    assert plan(stack, project)["code"] == "nothing-to-export"


def test_what_is_beyond_the_limit_is_refused_with_advice(stack, project, monkeypatch):
    monkeypatch.setattr(export_plan, "MAX_PAGES", 2)

    answer = plan(stack, project)

    assert answer["code"] == "project-too-large"
    assert "`pages`" in answer["message"]
    assert "parts" in plan(stack, project, pages=stack.pages[1:])


def test_a_plan_of_the_largest_export_is_little_to_carry(stack, project):
    numbers = range(-(-export.MAX_PAGES // export.PART_PAGES))
    items = [export.PlannedPart(number, 4951, 5000).to_item() for number in numbers]

    assert len(json.dumps(items)) < 10_000


def test_a_project_that_goes_meanwhile_leaves_no_plan_behind(stack, project, monkeypatch):
    write = bucket.write

    def write_late(*arguments):
        projects_table.delete("alice", project)
        return write(*arguments)

    monkeypatch.setattr(bucket, "write", write_late)

    assert plan(stack, project)["code"] == "not-found"
    assert stack.objects("exports/") == []


def test_an_export_that_was_stopped_before_it_was_planned_stays_stopped(stack, project):
    end(stack, "ABORTED")

    assert plan(stack, project) == {"ended": True}
    assert exports_table.get("alice", "export-1") is None
