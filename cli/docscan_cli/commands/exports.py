"""`docscan export`."""

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from docscan_cli.commands.options import PATIENCE, Again, Force, Patience, Profile, say
from docscan_cli.cut_off import carry_out, command, go_on_with
from docscan_cli.errors import DocscanError, InvalidInputError, MissingPagesError, RefusedError, StoppedError
from docscan_cli.output import STDOUT, Format, check_output, file_name
from docscan_cli.wording import counted, printable

if TYPE_CHECKING:
    from docscan_cli.begun import Begun
    from docscan_cli.connection import Connection


def export(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="A project's id, or its name.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write it here; `-` is stdout. Without it: the project's name."
        ),
    ] = None,
    format: Annotated[  # noqa: A002 - what the option is called
        Format | None,
        typer.Option(
            help="pdf: the images, with the text invisible on them; text-pdf: the text, typeset; txt: the text; json: "
            "all words with their places. Without it, what the file's name says, or pdf."
        ),
    ] = None,
    pages: Annotated[
        str | None,
        typer.Option(metavar="NUMBERS", help="Only these pages: `1-3,7,20-`. They come in the project's order."),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(metavar="TAG", help="The text's language for screen readers, such as `de` or `pt-BR`."),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for it and fetch it; or only start it, and fetch it later.")
    ] = True,
    again: Again = False,
    stop_on_interrupt: Annotated[
        bool, typer.Option("--stop-on-interrupt", help="Ctrl-C stops the export, too, without a question.")
    ] = False,
    force: Force = False,
    profile: Profile = None,
    timeout: Patience = PATIENCE,
) -> None:
    """Export a project of any size.

    The system makes the document while this waits. What is cut off, by Ctrl-C, a lost connection or a closed lid, goes
    on when the same is asked for again. Pages that are still being recognised are waited for; those that had to be left
    out are named, and the exit code is 1. A very large PDF comes in volumes: out-1.pdf, out-2.pdf, …
    """
    if format is None:
        format = next((one for one in Format if output and output.suffix.lower() == f".{one}"), Format.PDF)  # noqa: A001
    if output == STDOUT and format.suffix == ".pdf" and sys.stdout.isatty():
        raise InvalidInputError("A PDF is nothing for a terminal. Give the name of a file: -o FILE")
    if output is not None and output != STDOUT:
        check_output(output, force=force)
    work = Work(project, output, format, pages, language, force, wait, again, profile, timeout)

    def account(error: DocscanError) -> str:
        interrupted = isinstance(error, StoppedError)
        return _after_interrupt(work, stop=stop_on_interrupt) if interrupted else work.how_to_go_on()

    carry_out(work.run, account, (MissingPagesError, RefusedError))


@dataclass
class Work:
    """An export being asked for. `begun` is what there is of it: None, or without facts, when there is nothing."""

    project: str
    output: Path | None
    format: Format
    pages: str | None
    language: str | None
    force: bool
    wait: bool
    again: bool
    profile: str | None
    patience: float
    begun: "Begun | None" = None

    async def run(self) -> None:
        """Make the export and fetch it. Raises MissingPagesError where it lacks pages."""
        from docscan_cli.connection import connect
        from docscan_cli.exports import Exporter, Order, begun_export
        from docscan_cli.projects import find_project

        async with connect(self.profile) as connection:
            project = await find_project(connection.api, self.project)
            target = self.output
            if target is None:
                target = Path(file_name(project["name"], self.format.suffix))
                check_output(target, force=self.force)
            names = None if self.pages is None else page_numbers(self.pages, project["pageCount"])
            order = Order(project["projectId"], self.format, target, self.force, names, self.language)
            with begun_export(connection, order) as self.begun:
                exporter = Exporter(connection, order, self.begun, say, self.patience)
                await exporter.start(again=self.again)
                if not self.wait:
                    say(f"Export {self.begun.facts['exportId']} is under way.\n{self.how_to_go_on()}")
                    return
                ids = self.begun.facts["order"].get("pages")
                finished = await exporter.completed()
                await exporter.fetch(finished)
            if left_out := finished.get("leftOutCount"):
                await self._name_missing(connection, project["projectId"], left_out, ids)

    def how_to_go_on(self) -> str:
        """The command that fetches what was begun, ready to be copied; empty where there is nothing."""
        if not (self.begun and self.begun.facts):
            return ""
        options = {
            "--format": self.format,
            "-o": self.output,
            "--pages": self.pages,
            "--language": self.language,
            "--profile": self.profile,
            "--force": self.force,
        }
        same = command("export", self.project, options=options)
        return f"The export goes on without the command. {go_on_with(same)}"

    async def _name_missing(
        self, connection: "Connection", project_id: str, count: int, chosen: list[str] | None
    ) -> None:
        from docscan_cli.results import contents

        found = await contents(connection, project_id)
        missing = [page for page in found.missing if chosen is None or page.page_id in chosen]
        lines = [f"  page {page.number}: {page.reason}" for page in missing]
        raise MissingPagesError("\n".join([f"{counted(count, 'page')} not in it:", *lines]))


def page_numbers(text: str, page_count: int) -> tuple[str, ...]:
    """The numbers of `1-3,7,20-` in a project of so many pages, in order, each once.

    Raises InvalidInputError for what is no such list, and for a page that is not there.
    """
    numbers: set[int] = set()
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        last = (last or str(page_count)) if dash else first
        if not (first.isdecimal() and last.isdecimal() and int(first) > 0):
            raise InvalidInputError(f"{printable(text)!r} is no list of pages. Give one such as: --pages 1-3,7,20-")
        if int(first) > int(last) or int(last) > page_count:
            raise InvalidInputError(
                f"There are no pages {printable(part)}: the project has {counted(page_count, 'page')}."
            )
        numbers.update(range(int(first), int(last) + 1))
    return tuple(str(number) for number in sorted(numbers))


def _after_interrupt(work: Work, *, stop: bool) -> str:
    """Stop the export as well, if that is wished. Returns what has become of it."""
    if not (work.begun and work.begun.facts):
        return "Nothing was started."
    if not stop and sys.stdin.isatty():
        with contextlib.suppress(typer.Abort):  # Ctrl-C once more is a "no"
            stop = typer.confirm("Stop the export on the system, too?", err=True)
    if not stop:
        return work.how_to_go_on()
    from docscan_cli.connection import ask

    export_id: str = work.begun.facts["exportId"]
    ask(work.profile, lambda connection: connection.api.stop_export(export_id))
    work.begun.forget()
    return f"Export {export_id} is stopped."
