"""What several commands share: options, the check of an id, and how they speak."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from docscan_cli.errors import InvalidInputError
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
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for programs to read.")]
Force = Annotated[bool, typer.Option("--force", "-f", help="Replace files that exist.")]
Patience = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0, help="Give up when nothing has changed for so long.")
]


def check_id(project_id: str) -> str:
    """`project_id`, unless it cannot be one: then InvalidInputError."""
    if not re.fullmatch(r"[A-Za-z0-9-]{1,36}", project_id):
        raise InvalidInputError(f"{printable(project_id)!r} is not a project's id. `docscan projects` lists them.")
    return project_id


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
