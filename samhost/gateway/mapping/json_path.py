"""The JSON paths of mapping expressions: names, indexes and wildcards, from the root of a body."""

import re
from typing import Any

from samhost.gateway.errors import UnsupportedError

type Step = str | int
type Path = tuple[Step, ...]

EVERY = -1 << 63  # the step `[*]`, as an index that no array has
_STEP = re.compile(
    r"\.(?P<name>[^.\[\]{}()'\"\s*?$@]+)"
    r"|\[(?P<index>-?\d{1,9})\]"
    r"|\['(?P<single>[^']*)'\]"
    r'|\["(?P<double>[^"]*)"\]'
    r"|(?P<every>\[\*\]|\.\*)"
)


class NothingThereError(LookupError):
    """A path leads to nothing in a document."""


def parse(text: str) -> Path:
    """Read what follows `$request.body`, such as `.pets[0]['first name']`.

    Raises UnsupportedError: recursive descent and filters API Gateway refuses, too [doc]; slices and unions only we do.
    """
    steps: list[Step] = []
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise UnsupportedError(f"the JSON path ${text}, which has more than names, indexes and wildcards")
        if step["index"] is not None:
            steps.append(int(step["index"]))
        elif step["every"]:
            steps.append(EVERY)
        else:
            steps.append(next(name for name in (step["name"], step["single"], step["double"]) if name is not None))
        position = step.end()
    return tuple(steps)


def select(document: Any, path: Path) -> Any:
    """What a path leads to; with a wildcard a list of all that it leads to. Raises NothingThereError."""
    for number, step in enumerate(path):
        if step == EVERY:
            return _select_every(document, path[number + 1 :])
        match document, step:
            case dict(), str() if step in document:
                document = document[step]
            case list(), int() if -len(document) <= step < len(document):
                document = document[step]
            case _:
                raise NothingThereError
    return document


def _select_every(document: Any, rest: Path) -> list[Any]:
    if not isinstance(document, list | dict):
        raise NothingThereError
    found = []
    for item in document.values() if isinstance(document, dict) else document:
        try:
            value = select(item, rest)
        except NothingThereError:
            continue
        found += value if EVERY in rest else [value]
    return found
