"""What several commands share: options, the check of an id, and how they speak."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

import typer

from docscan_cli.errors import InvalidInputError, StoppedError
from docscan_cli.wording import printable

Profile = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        envvar="DOCSCAN_PROFILE",
        help="A system on AWS that you signed in to with `docscan login`. Without it: the local system whose data "
        "folder DOCSCAN_DATA_DIR names, else that of the nearest `.docscan` in this folder or above it.",
    ),
]
ProjectId = Annotated[str, typer.Argument(metavar="PROJECT", help="A project's id; `docscan projects` lists them.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for programs to read.")]
Again = Annotated[bool, typer.Option("--again", help="Begin anew, even where the same was begun or done before.")]
Force = Annotated[bool, typer.Option("--force", "-f", help="Replace files that exist.")]
Patience = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0, help="Give up when nothing has changed for so long.")
]
PATIENCE = 900.0
_ID = re.compile(r"[A-Za-z0-9-]{1,36}")


def check_id(project_id: str) -> str:
    """`project_id`, unless it cannot be one: then InvalidInputError."""
    if not _ID.fullmatch(project_id):
        raise InvalidInputError(f"{printable(project_id)!r} is not a project's id. `docscan projects` lists them.")
    return project_id


def check_page(page: str) -> str:
    """`page`, unless it can be neither a page's number nor its id: then InvalidInputError."""
    if not _ID.fullmatch(page) or (page.isdecimal() and int(page) == 0):
        raise InvalidInputError(
            f"{printable(page)!r} is neither a page's number, from 1, nor its id. `docscan pages list` shows both."
        )
    return page


def confirm(question: Callable[[], str], *, yes: bool) -> None:
    """Ask before something goes for good, unless `yes`. The question is made only if it is asked.

    Raises InvalidInputError where nobody is there to be asked, and StoppedError for a "no".
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidInputError("Nobody is there to be asked. Do it without a question with --yes.")
    if not typer.confirm(question(), err=True):
        raise StoppedError("Nothing was changed.")


def say(message: str) -> None:
    """Tell the user something that is not the command's result."""
    typer.echo(message, err=True)


def write_json(value: Any) -> None:
    """Write the command's result for programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def write_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write the command's result for people (and grep): aligned columns, nothing cut off, nothing drawn."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
