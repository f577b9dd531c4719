"""From images to documents: the whole of `docscan scan`, `pdf` and `text`, without their options."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from docscan_cli.configuration import Configuration
from docscan_cli.connection import Connection, connect
from docscan_cli.cut_off import command, go_on_with
from docscan_cli.errors import DocscanError, InvalidInputError, MissingPagesError, RefusedError
from docscan_cli.exports import Exporter, begun_export
from docscan_cli.exports import Order as ExportOrder
from docscan_cli.files import InputFile, check_sizes
from docscan_cli.output import STDOUT, Format, Layout
from docscan_cli.progress import showing_progress
from docscan_cli.results import contents, text_of, write_pdf, write_text
from docscan_cli.scan import EndOfProject, PageProgress, Scan
from docscan_cli.wording import counted, printable, size


@dataclass(frozen=True)
class Order:
    """What a command asks for: `images` into a project (`project`, or a new one named `name`), and results out of it.

    `text` may be STDOUT. At most `jobs` uploads run at a time; without any change for `patience` seconds it gives up.
    """

    pdf: Path | None
    text: Path | None
    force: bool
    profile: str | None
    patience: float
    project: str | None = None
    images: Sequence[InputFile] = ()
    name: str = ""
    jobs: int = 1
    layout: Layout = Layout.SCAN


@dataclass
class Work:
    """An order being carried out. `say` is given what the user should know on the way.

    `project_id` is None until the project is there; `exporting` says that an export makes the PDF.
    """

    order: Order
    say: Callable[[str], None]
    project_id: str | None = None
    exporting: bool = False
    pages: list[PageProgress] = field(default_factory=list)

    async def run(self) -> None:
        """Carry out the order. Raises MissingPagesError at the end if the results lack something."""
        order = self.order
        async with connect(order.profile) as connection:
            jobs = await self._jobs(connection)
            if order.project is None:
                project = await connection.api.create_project(order.name)
            else:
                project = await connection.api.project(order.project)
            self.project_id = project["projectId"]
            with showing_progress() as show:
                destination = EndOfProject(connection.api, self.project_id)
                scan = Scan(connection, destination, order.images, show, jobs=jobs, patience=order.patience)
                self.pages = scan.pages
                await scan.run()
            if order.images:
                self.say(f"Project {self.project_id}: {printable(project['name'])}")
            await self._export(connection, self.project_id, scan)

    def account(self, error: DocscanError) -> str:
        """What has been done when `error` ended the work early, and how to go on."""
        if self.project_id is None:
            return "Nothing was created." if self.order.images else ""
        if not self.order.images:
            return self._how_to_go_on([]) if self.exporting and not isinstance(error, RefusedError) else ""
        left = self._left()
        lines = [f"Project {self.project_id} has {len(self.order.images) - len(left)} of the {self._images()}."]
        if left or not isinstance(error, RefusedError):
            lines.append(self._how_to_go_on(left))
        return "\n".join(lines)

    async def _jobs(self, connection: Connection) -> int:
        """How many uploads run at a time, by the system's configuration, too.

        Raises InvalidInputError for what that says will be refused.
        """
        order = self.order
        typeset = order.pdf is not None and order.layout is Layout.TEXT
        if not order.images and not typeset:
            return order.jobs
        configuration = await Configuration.of(connection.api)
        if typeset and not configuration.typeset_pdf:
            raise InvalidInputError("This system makes no PDFs of the text alone. Leave `--layout text` out.")
        check_sizes(order.images, configuration.image_bytes)
        return min(order.jobs, configuration.parallel_uploads)

    async def _export(self, connection: Connection, project_id: str, scan: Scan) -> None:
        """Write the results. A PDF that the system refuses (it may be too large) does not keep the text back."""
        refusal = None
        if self.order.pdf:
            try:
                await self._write_pdf(connection, project_id, self.order.pdf, scan)
            except RefusedError as error:
                refusal = error
        try:
            found = await contents(connection, project_id)
        except RefusedError as error:
            if error.code == "nothing-to-export" and scan.failed:
                raise MissingPagesError(f"Nothing was written: no page is ready.\n{self._failures(scan)}") from error
            raise
        if self.order.text == STDOUT:
            sys.stdout.buffer.write(await text_of(connection, found.ready))
            sys.stdout.buffer.flush()
        elif self.order.text:
            await write_text(connection, found.ready, self.order.text)
            self.say(f"{printable(str(self.order.text))}: text of {counted(len(found.ready), 'page')}")
        if refusal:
            raise refusal

        own = {page.page_id for page in self.pages if page.image}
        others = [f"  page {page.number}: {page.reason}" for page in found.missing if page.page_id not in own]
        if self.order.images:
            if others:
                self.say("\n".join(["The project has pages from before that are not in it:", *others]))
            if scan.failed:
                raise MissingPagesError(self._failures(scan))
        elif others:
            raise MissingPagesError("\n".join([f"{counted(len(others), 'page')} not in it:", *others]))

    async def _write_pdf(self, connection: Connection, project_id: str, target: Path, scan: Scan) -> None:
        """Write the PDF: at once, or by an export where the project is too large for that."""
        order = self.order
        try:
            written = await write_pdf(connection, project_id, order.layout, target, scan, order.patience)
            self.say(f"{printable(str(target))}: {counted(written.page_count, 'page')}, {size(written.size)}")
        except RefusedError as error:
            if error.code != "project-too-large":
                raise
            self.say("The project is too large for a PDF at once, so it is exported.")
            self.exporting = True
            format_ = Format.PDF if order.layout is Layout.SCAN else Format.TEXT_PDF
            export = ExportOrder(project_id, format_, target, order.force)
            with begun_export(connection, export) as record:
                exporter = Exporter(connection, export, record, self.say, order.patience)
                await exporter.start()
                await exporter.fetch(await exporter.completed())

    def _failures(self, scan: Scan) -> str:
        lines = [f"{len(scan.failed)} of {counted(len(scan.pages), 'page')} failed:"]
        lines += [f"  {page.label}: {page.reason}" for page in scan.failed]
        if left := self._left():
            lines.append(self._how_to_go_on(left))
        return "\n".join(lines)

    def _images(self) -> str:
        return counted(len(self.order.images), "image")

    def _left(self) -> list[InputFile]:
        """The images that are not in the project, as far as we know."""
        arrived = {id(page.image) for page in self.pages if page.arrived}
        return [image for image in self.order.images if id(image) not in arrived]

    def _how_to_go_on(self, left: Sequence[InputFile]) -> str:
        """The commands that do the rest, ready to be copied."""
        order, project = self.order, self.project_id or ""
        targets = {"pdf": order.pdf, "text": order.text}
        layout = order.layout if order.pdf and order.layout is not Layout.SCAN else None
        there = any(path and path.exists() for path in targets.values())
        common = {"--profile": order.profile, "--force": there}
        if left:
            options = {"--project": project, "-o": order.pdf, "--text": order.text, "--layout": layout}
            return go_on_with(command("scan", *(str(image.path) for image in left), options=options | common))
        return go_on_with(
            *(
                command(kind, project, options={"-o": path, "--layout": layout if kind == "pdf" else None} | common)
                for kind, path in targets.items()
                if path
            )
        )
