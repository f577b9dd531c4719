"""Imports point one way, and importing a module does nothing."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FUNCTIONS = ROOT / "functions"
SCANNER = FUNCTIONS / "scanner"

HANDLERS = sorted(FUNCTIONS.glob("*.py"))
SERVICES = sorted((SCANNER / "services").glob("*.py"))
ADAPTERS = sorted((SCANNER / "aws").glob("*.py"))
EDGE = [SCANNER / "edge.py"]
DOMAIN = sorted(set(SCANNER.glob("*.py")) - set(EDGE))


def imports(file):
    """Return the full names of all that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name, packages):
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def offending(files, packages):
    return {(file.name, name) for file in files for name in imports(file) if within(name, packages)}


def modules(files):
    return {file.stem for file in files}


def test_there_is_something_to_test():
    assert modules(HANDLERS) >= {"projects", "pages", "documents", "recognition", "deletion", "tokens"}
    assert {"page", "project", "pdf", "image", "text"} <= modules(DOMAIN)
    assert "pages_table" in modules(ADAPTERS)
    assert "recognition" in modules(SERVICES)


def test_only_the_adapters_import_boto3():
    assert offending([*HANDLERS, *SERVICES, *EDGE, *DOMAIN], {"boto3", "botocore"}) == set()


def test_handlers_call_services_and_not_adapters():
    assert offending(HANDLERS, {"scanner.aws"}) == set()


def test_handlers_do_not_import_each_other():
    assert offending(HANDLERS, modules(HANDLERS)) == set()


def test_services_import_neither_handlers_nor_the_edge():
    assert offending(SERVICES, modules(HANDLERS) | {"scanner.edge"}) == set()


def test_adapters_import_no_service_and_nothing_above():
    assert offending(ADAPTERS, modules(HANDLERS) | {"scanner.edge", "scanner.services"}) == set()


def test_the_domain_imports_nothing_but_itself():
    assert offending(DOMAIN, modules(HANDLERS) | {"scanner.edge", "scanner.services", "scanner.aws"}) == set()


def test_the_edge_knows_no_service_and_no_adapter():
    assert offending(EDGE, {"scanner.services", "scanner.aws"}) == set()


@pytest.mark.parametrize(
    ("part", "others"),
    [
        (FUNCTIONS, {"samhost", "docscan_cli"}),
        (ROOT / "samhost", {"scanner", "docscan_cli", *modules(HANDLERS)}),
        (ROOT / "cli", {"scanner", "samhost", *modules(HANDLERS)}),
    ],
    ids=["functions", "samhost", "cli"],
)
def test_the_parts_never_import_each_other(part, others):
    files = sorted(part.rglob("*.py"))
    assert files
    assert offending(files, others) == set()


def loaded_by(module):
    """Import a handler with an empty environment, and return the modules that this loads."""
    code = f"import sys, {module}; print('\\n'.join(sys.modules))"
    path = {"PATH": os.environ["PATH"]}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=FUNCTIONS, env=path, capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


@pytest.mark.parametrize("handler", sorted(modules(HANDLERS)))
def test_a_handler_is_imported_without_settings_and_without_what_only_some_calls_need(handler):
    """Cold starts pay for every import: fpdf2 is a third of a second, and only building a PDF needs it."""
    heavy = {"fpdf", "fontTools", "uharfbuzz", "PIL", "pikepdf", "pypdfium2", "pydantic", "aws_lambda_powertools"}
    heavy -= {"PIL"} if handler in {"recognition", "importing"} else set()
    assert loaded_by(handler) & heavy == set()
