"""How far work is, on the terminal: a live display, or plain lines where there is no terminal to redraw."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

from docscan_cli.scan import PageProgress, State
from docscan_cli.wording import counted, size

STYLES = {
    State.WAITING: "dim",
    State.UPLOADING: "cyan",
    State.RECOGNISING: "yellow",
    State.READY: "green",
    State.FAILED: "bold red",
}


@contextlib.contextmanager
def showing_progress() -> Iterator[Callable[[PageProgress], None]]:
    """A callback for Scan that shows each page on the standard error stream while the block runs.

    Lines without control codes where that is not a terminal; FORCE_COLOR and the like do not change this.
    """
    if _can_redraw():
        with _live_display() as changed:
            yield changed
    else:
        yield PlainProgress(sys.stderr).changed


@dataclass(eq=False)
class Stage:
    """A stage of longer work: `done` of `total` pages, or bytes; without a total nobody knows how long it takes."""

    name: str
    in_bytes: bool = False
    done: int = 0
    total: int | None = None

    @property
    def described(self) -> str:
        """How far it is, in words."""
        if self.total is None:
            return ""
        if self.in_bytes:
            return f"{100 * self.done // max(self.total, 1)} % of {size(self.total)}"
        return f"{self.done} of {counted(self.total, 'page')}"


@contextlib.contextmanager
def showing_stages() -> Iterator[Callable[[Stage], None]]:
    """A callback that shows a stage as it is now, on the standard error stream, while the block runs.

    Without a terminal, a line at the beginning, at each tenth, and at the end.
    """
    if _can_redraw():
        with _live_stages() as changed:
            yield changed
    else:
        yield PlainStages(sys.stderr).changed


class PlainStages:
    """One line for each tenth of each stage."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown: dict[Stage, int] = {}

    def changed(self, stage: Stage) -> None:
        """Write how far the stage is, where that is worth a line."""
        tenth = -1 if stage.total is None else 10 * stage.done // max(stage.total, 1)
        if self._shown.get(stage) != tenth:
            self._shown[stage] = tenth
            print(f"{stage.name}: {stage.described}" if stage.described else stage.name, file=self._stream, flush=True)


def _can_redraw() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def described(page: PageProgress) -> str:
    """The page's state in words."""
    match page.state:
        case State.UPLOADING if page.image:
            return f"uploading, {100 * page.sent // page.image.size} % of {size(page.image.size)}"
        case State.READY if page.confidence is not None:
            return f"ready, confidence {page.confidence:.0f} %"
        case State.FAILED:
            return f"failed: {page.reason}"
        case state:
            return str(state)


class PlainProgress:
    """One line for each state of each page."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._pages: dict[int, PageProgress] = {}

    def changed(self, page: PageProgress) -> None:
        """Write the page's new state. That a page waits, and how far its upload is, is not worth a line."""
        self._pages[id(page)] = page
        if page.state is State.WAITING:
            return
        settled = sum(page.state.settled for page in self._pages.values())
        state = "uploading" if page.state is State.UPLOADING else described(page)
        print(f"[{settled}/{len(self._pages)}] {page.label}: {state}", file=self._stream, flush=True)


@contextlib.contextmanager
def _live_display() -> Iterator[Callable[[PageProgress], None]]:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Table
    from rich.text import Text

    pages: dict[int, PageProgress] = {}
    bar = Progress(TextColumn("Pages"), BarColumn(None), MofNCompleteColumn(), TimeElapsedColumn(), expand=True)
    task = bar.add_task("", total=None)

    class Display:
        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            everything = list(pages.values())
            bar.update(task, total=len(everything), completed=sum(page.state.settled for page in everything))
            shown = pages_that_fit(everything, console.height - 3)
            table = Table.grid(padding=(0, 2), expand=True)
            table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
            table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
            for page in shown:
                table.add_row(Text(page.label), Text(described(page), style=STYLES[page.state]))
            yield bar
            yield table
            if len(shown) < len(everything):
                yield Text(f"and {counted(len(everything) - len(shown), 'more page')}", style="dim")

    def changed(page: PageProgress) -> None:
        pages[id(page)] = page

    with Live(Display(), console=Console(stderr=True), refresh_per_second=8):
        yield changed


@contextlib.contextmanager
def _live_stages() -> Iterator[Callable[[Stage], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(None),
        TextColumn("{task.fields[described]}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        expand=True,
    )
    tasks: dict[Stage, TaskID] = {}

    def changed(stage: Stage) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage.name, total=None, described="")
        bars.update(tasks[stage], total=stage.total, completed=stage.done, described=stage.described)

    with bars:
        yield changed


def pages_that_fit(pages: list[PageProgress], lines: int) -> list[PageProgress]:
    """At most `lines` of the pages, in their order: those where something happens or went wrong before the others."""
    by_interest = [State.FAILED, State.UPLOADING, State.RECOGNISING, State.WAITING, State.READY]
    chosen = sorted(range(len(pages)), key=lambda index: by_interest.index(pages[index].state))[: max(lines, 1)]
    return [pages[index] for index in sorted(chosen)]
