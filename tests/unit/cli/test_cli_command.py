"""The command as a whole: help, exit codes, the local system's verbs, and what it does not do."""

import re
import subprocess
import sys

import httpx
import pytest
from typer.testing import CliRunner

from docscan_cli import errors, system
from docscan_cli.connection import http_client
from docscan_cli.main import app


def test_help_says_what_every_exit_code_means(run):
    help_text = run("--help").stdout
    for error in errors.DocscanError.__subclasses__():
        assert f"{error.exit_code:>5}  {error.meaning}\n" in help_text


def test_the_tree_of_errors_is_as_drawn():
    drawn = dict(re.findall(r"── (\w+) +(\d+) ", errors.__doc__ or ""))
    assert drawn == {error.__name__: str(error.exit_code) for error in errors.DocscanError.__subclasses__()}
    assert len(set(drawn.values())) == len(drawn)


def test_no_command_shows_the_help(run):
    result = run()
    assert result.exit_code == 2
    assert "scan" in result.output


def test_a_mistyped_command_is_a_usage_error(run):
    result = run("scam")
    assert result.exit_code == 2
    assert "'scan'" in result.stderr


def test_version(run):
    assert re.fullmatch(r"docscan \d+\.\d+\.\d+\n", run("--version").stdout)


def test_help_does_not_import_what_only_a_connection_needs():
    """`--help` and completion should be there at once: httpx and rich take most of a second."""
    heavy = "{'httpx', 'rich', 'asyncio', 'importlib.metadata'}"
    code = f"import sys, docscan_cli.main; print(sorted({heavy} & {{*sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_a_defect_has_an_exit_code_of_its_own_and_shows_no_tokens(local_system, run):
    def broken(request):
        raise ZeroDivisionError("not foreseen")

    local_system.fail("GET", "/projects", broken)
    result = run("projects", defect=True)
    assert "ZeroDivisionError: not foreseen" in result.stderr
    assert "This is a defect of docscan" in result.stderr


@pytest.mark.parametrize("verb", ["up", "down", "status", "logs", "reset"])
def test_a_verb_becomes_samhost_with_its_options_unchanged(run, monkeypatch, verb):
    started = []
    monkeypatch.setattr(system.os, "execv", lambda *command: started.append(command) or sys.exit(7))
    options = ["--detach", "-f", "--template=x y.yaml", "--", "--help", "", "-zz"]
    result = run(verb, *options)
    assert result.exit_code == 7
    own = ["--data-dir", ".docscan"]
    if verb == "up":
        own += ["--sam-local-variable", "DOCSCAN_DEVELOPMENT_USER=developer"]
    assert started == [(sys.executable, [sys.executable, "-P", "-m", "samhost", verb, *own, *options])]


def test_a_verb_uses_the_data_folder_that_the_other_commands_look_in(run, monkeypatch):
    started = []
    monkeypatch.setenv("DOCSCAN_DATA_DIR", "/data")
    monkeypatch.setattr(system.os, "execv", lambda *command: started.append(command[1]) or sys.exit(0))
    run("status")
    assert started[0][4:] == ["status", "--data-dir", "/data"]


def test_a_verb_finds_the_system_of_a_folder_above_and_up_makes_one_here(run, monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr(system.os, "execv", lambda *command: started.append(command[1]) or sys.exit(0))
    (tmp_path / ".docscan").mkdir()
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    run("status")
    run("up")
    assert [command[5:7] for command in started] == [
        ["--data-dir", str(tmp_path / ".docscan")],
        ["--data-dir", ".docscan"],
    ]


@pytest.mark.parametrize("missing", ["samhost", "ministack"])
def test_without_samhost_it_says_how_to_install_it(run, monkeypatch, missing):
    monkeypatch.setattr(system.importlib.util, "find_spec", lambda name: None if name == missing else object())
    result = run("up")
    assert result.exit_code == 3
    assert "pip install 'docscan[local]'" in result.stderr


@pytest.mark.parametrize(("local", "trusted"), [(True, False), (False, True)])
def test_a_proxy_is_for_systems_elsewhere_only(monkeypatch, local, trusted):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    assert http_client(local=local).trust_env is trusted


def test_a_pipe_that_closes_is_no_defect(local_system, monkeypatch):
    def closed(*_):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("docscan_cli.commands.projects.write_json", closed)
    result = CliRunner().invoke(app, ["projects", "--json"])
    assert "defect" not in result.stderr


def test_a_timeout_is_named_in_words(local_system, run):
    local_system.fail("GET", "/projects", *[httpx.ReadTimeout("")] * 6)
    assert "127.0.0.1:3000 cannot be reached (no answer in time)" in run("projects").stderr
