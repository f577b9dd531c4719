"""`docscan scan`, `docscan pdf` and `docscan text`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from docscan_cli.commands.options import PATIENCE, Force, Patience, Profile, ProjectId, check_id, say
from docscan_cli.cut_off import carry_out
from docscan_cli.errors import InvalidInputError, MissingPagesError
from docscan_cli.files import MAX_PROJECT_NAME, check_images, project_name
from docscan_cli.output import STDOUT, Layout, check_output
from docscan_cli.wording import printable

if TYPE_CHECKING:
    from docscan_cli.documents import Order

PdfLayout = Annotated[
    Layout, typer.Option(help="What the PDF shows: the images, with the text invisible on them, or the text, typeset.")
]


def scan(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="JPEG, PNG or TIFF images, in page order.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the PDF here.")] = None,
    text: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the text here, pages separated by form feeds; `-` is stdout."),
    ] = None,
    layout: PdfLayout = Layout.SCAN,
    project: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Add the pages at the end of this project. The PDF and the text are then of the whole project.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The new project's name. Without it, one made from the first file's name."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, max=32, help="Upload so many images at a time.")] = 4,
    force: Force = False,
    profile: Profile = None,
    timeout: Patience = PATIENCE,
) -> None:
    """Scan images into a PDF or text.

    They are uploaded as pages of a project, and their text is recognised there. Everything is checked before anything
    is created. A page that cannot be recognised is named with its reason, the others are finished, and the exit code
    is 1. Progress goes to stderr.
    """
    if output is None and text is None:
        raise InvalidInputError("Say where the result goes: -o out.pdf for a PDF, --text out.txt, or both.")
    if project is not None:
        check_id(project)
        if name is not None:
            raise InvalidInputError(
                "--name is for a new project, --project for one that is there. Leave one of them out."
            )
    elif name is not None and not (name.strip() and len(name) <= MAX_PROJECT_NAME):
        raise InvalidInputError(f"A project's name has 1 to {MAX_PROJECT_NAME} characters, not only white space.")
    _check_targets(output, text, force=force, inputs=files)
    images = check_images(files)
    from docscan_cli.documents import Order

    name = name or project_name(images, "Scan")
    _carry_out(Order(output, text, force, profile, timeout, project, images, name, jobs, layout))


def pdf(
    project: ProjectId,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Write the PDF here.")],
    layout: PdfLayout = Layout.SCAN,
    force: Force = False,
    profile: Profile = None,
    timeout: Patience = PATIENCE,
) -> None:
    """Write a project's PDF.

    Pages that are still being recognised are waited for. Those that had to be left out are named, and the exit code is
    1.
    """
    check_id(project)
    _check_targets(output, None, force=force)
    from docscan_cli.documents import Order

    _carry_out(Order(output, None, force, profile, timeout, project, layout=layout))


def text(
    project: ProjectId,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Write the text here.")] = STDOUT,
    force: Force = False,
    profile: Profile = None,
    timeout: Patience = PATIENCE,
) -> None:
    """Write a project's text.

    Pages are separated by form feeds. Those that are still being recognised are waited for. Those that had to be left
    out are named, and the exit code is 1.
    """
    check_id(project)
    _check_targets(None, output, force=force)
    from docscan_cli.documents import Order

    _carry_out(Order(None, output, force, profile, timeout, project))


def _check_targets(output: Path | None, text: Path | None, *, force: bool, inputs: Sequence[Path] = ()) -> None:
    if output == STDOUT:
        raise InvalidInputError("A PDF is written to a file; only text can go to stdout.")
    for target in (output, text):
        if target is not None and target != STDOUT:
            check_output(target, force=force, inputs=inputs)
    if output is not None and text is not None and output.resolve() == text.resolve():
        raise InvalidInputError(f"The PDF and the text cannot both be {printable(str(output))}. Give them two names.")


def _carry_out(order: "Order") -> None:
    """Do what is asked for. An early end says what has been done, and how to go on."""
    from docscan_cli.documents import Work

    work = Work(order, say)
    carry_out(work.run, work.account, (MissingPagesError,))
