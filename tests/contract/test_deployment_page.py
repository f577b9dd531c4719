"""docs/deploy.md names nothing that is not there: verbs, parameters and their values, outputs, commands, files."""

import importlib
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from samtranslator.yaml_helper import yaml_parse

from docscan_cli.main import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text()
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text())
PARAMETERS = TEMPLATE["Parameters"]
MAKEFILE = (ROOT / "Makefile").read_text()
COMMANDS = [
    shlex.split(command, comments=True)
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    for command in re.split(r"&&", line.removeprefix("$ "))
]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]


def quoted(text):
    return re.findall(r"`([^`]+)`", text)


def allowed(name, value):
    return str(value) in map(str, PARAMETERS[name].get("AllowedValues", [value]))


def given():
    """The parameters that the page's texts and commands give."""
    settings = re.findall(r'PARAMETERS="([^"]+)"', PAGE)
    return {tuple(pair.split("=", 1)) for text in settings for pair in text.split()} | {("SelfSignUp", "yes")}


def test_the_page_explains_every_parameter_and_no_other():
    named = {name for row in ROWS for name in quoted(row[0])}

    assert named == PARAMETERS.keys()


def test_defaults_are_the_templates():
    for name, default, *_ in (row for row in ROWS if len(row) == 3):
        [parameter] = quoted(name)
        assert (quoted(default) or [default])[0] == (str(PARAMETERS[parameter]["Default"]) or "–")


def test_values_are_those_that_the_template_takes():
    for name, off, on, _ in (row for row in ROWS if len(row) == 4):
        for parameter in quoted(name):
            assert all(allowed(parameter, value) for value in quoted(off) + quoted(on) if value != "make deploy")
    assert all(allowed(name, value) for name, value in given())
    assert {name for name, _ in given()} <= PARAMETERS.keys()


def test_what_needs_images_is_known_to_make_deploy(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT / "scripts")])
    off = importlib.import_module("deploy").OFF
    stacks = {name for name in PARAMETERS if name.endswith("Stack")}

    assert stacks - {"ConsumerStack"} <= off.keys()  # a consumer is a machine without an image of ours
    assert all(PARAMETERS[name]["Default"] == off[name] for name in stacks & off.keys())


def test_verbs_and_their_variables_are_in_the_makefile():
    verbs = {command[1] for command in COMMANDS if command[0] == "make"} | set(re.findall(r"`make (\w+)", PAGE))
    variables = {
        name
        for command in COMMANDS
        if command[0] == "make"
        for name in re.findall(r"^[A-Z]+(?==)", " ".join(command[2:]))
    }

    assert {"images", "deploy", "destroy"} <= verbs
    assert all(re.search(rf"^{verb}:", MAKEFILE, re.MULTILINE) for verb in verbs)
    assert variables == {"PARAMETERS", "DATA"}
    assert all(f"$({name})" in MAKEFILE or f"$({name})," in MAKEFILE for name in {"CONFIG", *variables})


def test_environments_are_those_of_samconfig():
    environments = tomllib.loads((ROOT / "samconfig.toml").read_text())

    assert set(re.findall(r"CONFIG=(\w+)", PAGE)) == {"prod"}
    for environment, stack in (("default", "docscan"), ("prod", "docscan-prod")):
        assert environments[environment]["global"]["parameters"]["stack_name"] == stack
        assert f"`{stack}`" in PAGE


@pytest.mark.parametrize("name", re.findall(r"output `(\w+)`", PAGE))
def test_outputs_are_the_templates(name):
    assert name in TEMPLATE["Outputs"]


def test_commands_of_docscan_have_the_options_that_they_are_given():
    seen = 0
    for name, *arguments in COMMANDS:
        if name != "docscan":
            continue
        command = typer.main.get_command(app)
        while hasattr(command, "commands") and arguments and not arguments[0].startswith("-"):
            command = command.commands[arguments.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {argument for argument in arguments if argument.startswith("-")} <= options
        seen += 1
    assert seen == 3


@pytest.mark.parametrize("link", [link for link in re.findall(r"\]\(([^)#]+)", PAGE) if "://" not in link])
def test_links_lead_somewhere(link):
    assert (ROOT / "docs" / link).exists()


@pytest.mark.parametrize("anchor", re.findall(r"\]\(#([^)]+)\)", PAGE))
def test_links_on_the_page_lead_somewhere(anchor):
    headings = re.findall(r"^#+ (.*)", PAGE, re.MULTILINE)

    assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
