"""`docscan import`."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from docscan_cli.commands.options import PATIENCE, Again, Patience, Profile, say
from docscan_cli.cut_off import carry_out, command, go_on_with
from docscan_cli.errors import DocscanError, InvalidInputError, MissingPagesError, RefusedError, ServerError
from docscan_cli.files import DOCUMENT_TOO_LARGE, InputFile, check_documents, check_sizes
from docscan_cli.wording import counted

if TYPE_CHECKING:
    from docscan_cli.api import Import
    from docscan_cli.imports import Importer


def import_documents(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="PDFs, or TIFFs of one page or many.")],
    project: Annotated[
        str | None,
        typer.Option(
            metavar="PROJECT",
            help="Add the pages at the end of this project, by id or name. Without it, each file "
            "gets a new project that is named after it.",
        ),
    ] = None,
    recognise_anyway: Annotated[
        bool, typer.Option("--recognise-anyway", help="Recognise pages also where the PDF has their text already.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until all is done; or only upload, and leave the rest alone.")
    ] = True,
    again: Again = False,
    profile: Profile = None,
    timeout: Patience = PATIENCE,
) -> None:
    """Import PDFs and TIFFs of many pages.

    They are uploaded and taken apart on the system, and what has no text yet is recognised. What is cut off goes on
    when the same file is imported again; a file that was imported is not imported twice, but with --again. Pages that
    cannot be recognised are named, and the exit code is 1.
    """
    work = Work(check_documents(files), project, recognise_anyway, wait, again, profile, timeout)
    carry_out(work.run, lambda _: work.how_to_go_on(), (InvalidInputError, MissingPagesError, RefusedError))


@dataclass
class Work:
    """Imports being asked for. `problems` are those that came to nothing, and why, `missing` the pages that failed.

    `begun` says that there is something to go on with.
    """

    files: Sequence[InputFile]
    project: str | None
    recognise_anyway: bool
    wait: bool
    again: bool
    profile: str | None
    patience: float
    begun: bool = False
    problems: list[tuple[InputFile, DocscanError]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Import the files one after the other; what they consist of is then recognised side by side.

        Raises what files were refused for, and MissingPagesError.
        """
        from docscan_cli.begun import begun
        from docscan_cli.configuration import Configuration
        from docscan_cli.connection import connect
        from docscan_cli.imports import Destination, Importer
        from docscan_cli.progress import showing_stages
        from docscan_cli.projects import find_project

        async with connect(self.profile) as connection:
            configuration = await Configuration.of(connection.api)
            check_sizes(self.files, configuration.import_bytes, DOCUMENT_TOO_LARGE)
            project = None if self.project is None else await find_project(connection.api, self.project)
            destination, split = Destination(project, self.recognise_anyway), []
            with contextlib.ExitStack() as all_of_them:
                with showing_stages() as show:
                    for source in self.files:
                        same = connection.endpoint, connection.username, *destination.identity(source)
                        record = all_of_them.enter_context(begun("import", *same))
                        importer = Importer(connection, source, destination, record, show, self.patience)
                        try:
                            if done := await self._bring(importer, last=source is self.files[-1]):
                                split.append((importer, done))
                        except (InvalidInputError, RefusedError, ServerError) as error:
                            self.problems.append((source, error))
                    for importer, done in split:
                        await importer.recognised(done)
                for importer, done in split:
                    await self._account(importer, done)
        self._raise_problems()

    def how_to_go_on(self) -> str:
        """The command that goes on with what was begun, ready to be copied."""
        if not self.begun:
            return "Nothing was begun."
        options = {
            "--project": self.project,
            "--profile": self.profile,
            "--recognise-anyway": self.recognise_anyway,
        }
        same = command("import", *(str(file.path) for file in self.files), options=options)
        return f"What is uploaded goes on without the command. {go_on_with(same)}"

    async def _bring(self, importer: "Importer", *, last: bool) -> "Import | None":
        """Let the system take a file apart. Returns None for one that nobody waits for."""
        found = await importer.find(again=self.again)
        self.begun = True
        name = importer.source.name
        if found and importer.finished:
            when = found["createdAt"][:10]
            say(f"{name}: was imported on {when}, into project {found['projectId']}. --again imports it once more.")
            return None
        if found:
            say(f"{name}: going on with the import into project {found['projectId']}.")
        import_id = await importer.deliver(found)
        if self.wait:
            return await importer.split(import_id)
        if not last and self.project is not None:  # the files' pages are to come in the files' order
            await importer.opened(import_id)
        say(f"{name}: uploaded as import {import_id}.")
        return None

    async def _account(self, importer: "Importer", done: "Import") -> None:
        """Say what has become of an import's pages. Then nothing is left to go on with."""
        failed = await importer.failed_pages(done)
        with_text = done["pagesWithText"]
        parts = [f"{with_text} with text of their own"] if with_text else []
        if recognised := max(done["pagesDone"] - with_text - len(failed), 0):
            parts.append(f"{recognised} recognised")
        parts += [f"{len(failed)} failed"] if failed else []
        name = importer.source.name
        say(f"{name}: {counted(done['pagesDone'], 'page')} in project {done['projectId']}: {', '.join(parts)}")
        self.missing += [f"  {name}, {page}" for page in failed]
        importer.finish()

    def _raise_problems(self) -> None:
        lines = [f"{source.name}: {problem}" for source, problem in self.problems]
        if self.missing:
            lines += [f"{counted(len(self.missing), 'page')} could not be recognised:", *self.missing]
        if lines:
            kind = type(self.problems[0][1]) if self.problems else MissingPagesError
            raise kind("\n".join(lines))
