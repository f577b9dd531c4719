"""docs/defects.md and the marks `defect(number)` say the same: each of the twelve has tests, which the table names."""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "defects.md").read_text("utf-8")
ROW = re.compile(r"^\| (\d+) \| [^|]+ \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
LINK = re.compile(r"\[(\w+)\]\(\.\./(tests/[\w/]+\.py)\)")
NUMBERS = list(range(1, 13))


def marked():
    """The files with tests that prove a defect gone, by its number."""
    files = defaultdict(set)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for function in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for number in filter(None, map(defect_of, function.decorator_list)):
                    assert function.name.startswith("test_"), f"{file}: {function.name} is no test"
                    files[number].add(str(file.relative_to(ROOT)))
    return dict(files)


def defect_of(decorator):
    """The number that a decorator `@pytest.mark.defect(number)` names, and None for any other."""
    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.defect":
        (number,) = decorator.args
        return ast.literal_eval(number)
    return None


def test_the_table_has_each_of_the_twelve_once_in_order():
    assert [int(number) for number, _ in ROW.findall(TABLE)] == NUMBERS


def test_each_of_the_twelve_has_a_test_and_no_other_number_has():
    assert sorted(marked()) == NUMBERS


def test_the_table_names_the_files_of_exactly_the_tests_that_are_marked():
    named = {int(number): {file for _, file in LINK.findall(tests)} for number, tests in ROW.findall(TABLE)}

    assert named == marked()


def test_a_link_is_called_what_it_leads_to():
    links = LINK.findall(TABLE)

    assert links
    assert all(name == Path(file).stem.removeprefix("test_") for name, file in links)
