"""`docscan projects`."""

import json

import httpx
import pytest


def test_projects_are_listed_newest_first_over_all_parts(local_system, run):
    for number in range(5):
        local_system.add_project(f"Letters {number}")
    local_system.part_size = 2
    lines = run("projects").stdout.splitlines()
    assert lines[0].split() == ["PROJECT", "CREATED", "PAGES", "READY", "FAILED", "NAME"]
    assert [line.rpartition("  ")[2] for line in lines[1:]] == [f"Letters {number}" for number in (4, 3, 2, 1, 0)]


def test_projects_as_json_are_the_apis(local_system, run):
    local_system.add_page(local_system.add_project("Grüße 🧾"), "failed")
    (project,) = json.loads(run("projects", "--json").stdout)
    assert project["name"] == "Grüße 🧾"
    assert project["pagesByStatus"] == {"awaiting-upload": 0, "recognising": 0, "ready": 0, "failed": 1}


def test_without_projects_it_says_how_to_make_one(local_system, run):
    result = run("projects")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "docscan scan" in result.stderr
    assert json.loads(run("projects", "--json").stdout) == []


def test_a_name_cannot_control_the_terminal(local_system, run):
    project = local_system.add_project("\x1b[2Jboo\r\n")
    for arguments in (["projects"], ["projects", "show", project]):
        output = run(*arguments).stdout
        assert "�[2Jboo��" in output
        assert "\x1b" not in output


def test_create_writes_the_id(local_system, run):
    result = run("projects", "create", "Letters")
    assert result.stdout == "project-1\n"
    assert local_system.projects == {"project-1": "Letters"}
    assert json.loads(run("projects", "create", "More", "--json").stdout)["projectId"] == "project-2"


def test_show_tells_of_one_project(local_system, run):
    project = local_system.add_project("Letters")
    for status in ("ready", "ready", "failed"):
        local_system.add_page(project, status)
    assert "Pages    3 (2 ready, 1 failed)" in run("projects", "show", project).stdout
    assert json.loads(run("projects", "show", project, "--json").stdout)["pageCount"] == 3


def test_rename_gives_a_project_another_name(local_system, run):
    project = local_system.add_project("Letters")
    result = run("projects", "rename", project, "Receipts / November 🧾")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "“Receipts / November 🧾”" in result.stderr
    assert local_system.projects == {project: "Receipts / November 🧾"}
    assert json.loads(run("projects", "rename", project, "More", "--json").stdout)["name"] == "More"


def test_a_name_that_the_system_refuses_renames_nothing(local_system, run):
    project = local_system.add_project("Letters")
    refusal = httpx.Response(400, json={"message": "A name has 1 to 200 characters.", "code": "invalid-request"})
    local_system.fail("PATCH", ".*", refusal)
    result = run("projects", "rename", project, "x" * 201)
    assert result.exit_code == 6
    assert "A name has 1 to 200 characters." in result.stderr
    assert local_system.projects == {project: "Letters"}


def test_delete_with_yes_does_not_ask(local_system, run):
    project = local_system.add_project()
    assert run("projects", "delete", project, "--yes").exit_code == 0
    assert local_system.projects == {}


def test_delete_does_nothing_when_nobody_is_there_to_be_asked(local_system, run):
    project = local_system.add_project()
    result = run("projects", "delete", project, stdin="y\n")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert local_system.projects


@pytest.mark.parametrize(("answer", "exit_code", "left"), [("y", 0, 0), ("n", 130, 1), ("", 130, 1)])
def test_delete_asks_at_a_terminal(local_system, run, terminal, answer, exit_code, left):
    project = local_system.add_project("Letters")
    local_system.add_page(project)
    result = run("projects", "delete", project, stdin=f"{answer}\n" if answer else "")
    assert "Delete “Letters” with 1 page for good?" in result.output
    assert result.exit_code == exit_code
    assert len(local_system.projects) == left


def test_deleting_what_is_not_there_is_refused(local_system, run):
    assert run("projects", "delete", "none", "--yes").exit_code == 6


@pytest.mark.parametrize("command", [("projects", "show"), ("projects", "delete"), ("pdf", "-o", "x.pdf"), ("text",)])
def test_what_cannot_be_an_id_is_not_sent(local_system, run, command):
    result = run(*command, "a/b")
    assert result.exit_code == 2
    assert "'a/b' is not a project's id. `docscan projects` lists them." in result.stderr
    assert local_system.requests == []


def test_another_users_project_is_one_that_does_not_exist(local_system, run):
    result = run("projects", "show", "theirs")
    assert result.exit_code == 6
    assert "There is no such project." in result.stderr
