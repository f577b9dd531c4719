"""An export of 1,000 photographed pages: time as a ratio to img2pdf's on the same images, memory, and cost by size.

    [DOCSCAN_TEST_PAGES=FOLDER] .venv/bin/python bench/export.py [--pages N] [--sizes N N] [--runs N]

What runs is the functions' own code: one process plans, one builds all parts one after another, one joins them; what
counts is the time from after their imports, and each one's own largest resident set. A folder stands for the bucket and
a file for the tables. What a function downloads or uploads is linked there, not copied, for that is the network's part
on AWS; a part that is stored is copied once, and that is counted.

The cost a page of a small and of a large export is compared over as many pages and bytes: the small one is made again
and again, and all of it is kept, until it comes to the large one's pages. What may not grow with an export is the time
that the functions' own code takes, the processor's time in user mode. The kernel's depends on the machine: a virtual
one gets its memory from its host at the first touch, so that writing 4 GB costs more a byte than writing 100 MB again
and again, whoever writes; the control says how much more.
"""

import argparse
import json
import os
import pickle
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import fmean, median
from time import perf_counter, process_time, sleep
from typing import IO, Any

from report import ratio, spread, table, title
from searchable_pdf import IMG2PDF, ROOT, peak_memory, prepare, run

MOST_MEMORY, MOST_GROWTH = 256, 1.10
OWNER, PROJECT, EXPORT = "alice", "project", "export"
TASKS = ("plan", "parts", "join")
PLANNED = 5_000  # pages of the largest export
MEMORY_RETURNED_SECONDS = 20  # after which a virtual machine's host has back what was freed


@dataclass
class FolderForBucket:
    """What the tasks call of the bucket, as files in a folder: prepared images and words, and what they write."""

    folder: Path
    prepared: int

    def read(self, key: str, version: str | None = None) -> bytes:  # noqa: ARG002 - there is one version of each
        kind, *_ = key.split("/")
        if kind not in {"images", "words"}:
            return self._path(key).read_bytes()
        number = int(key.split("/")[2]) % self.prepared
        return (self.folder / f"{number:03}.{'jpg' if kind == 'images' else 'words'}").read_bytes()

    def write(self, key: str, data: bytes | IO[bytes], _type: str, notes: dict[str, str] | None = None) -> str:
        with self._path(key).open("wb") as file:
            if isinstance(data, bytes):
                file.write(data)
            else:
                size, sent = os.fstat(data.fileno()).st_size, 0
                while sent < size:
                    sent += os.sendfile(file.fileno(), data.fileno(), sent, size - sent)
        self._path(key + ".notes").write_text(json.dumps(notes or {}))
        return "1"

    def sizes_below(self, prefix: str) -> dict[str, int]:
        return {prefix: self._path(prefix).stat().st_size} if self._path(prefix).exists() else {}

    def download(self, key: str, path: Path) -> dict[str, str]:
        path.hardlink_to(self._path(key))
        return json.loads(self._path(key + ".notes").read_text())

    def upload(self, key: str, path: Path, _type: str) -> None:
        self._path(key).unlink(missing_ok=True)
        self._path(key).hardlink_to(path)

    def _path(self, key: str) -> Path:
        return self.folder / key.replace("/", "_")


@dataclass
class FileForTables:
    """What the tasks call of the tables: pages that are ready, and one attempt, in a file between two processes."""

    file: Path
    pages: int

    def page(self, number: int) -> Any:
        from scanner.page import Page

        page = Page.create(OWNER, PROJECT, Decimal(number), "image/jpeg")
        recognised = {"status": "ready", "text": "word " * 300, "confidence": 95.0, "word_count": 300}
        return replace(page, page_id=f"{number:036}", image_id="image", image_version="1", **recognised)

    def all_of(self, _project: str) -> Iterator[Any]:
        return (self.page(number) for number in range(self.pages))

    def get_page(self, _project: str, page_id: str) -> Any:
        return self.page(int(page_id))

    def get(self, *_: str) -> Any:
        return pickle.loads(self.file.read_bytes()) if self.file.exists() else None

    def put(self, attempt: Any) -> bool:
        self.file.write_bytes(pickle.dumps(attempt))
        return True

    def add_part(self, attempt: Any, number: int, part: Any) -> bool:
        return self.put(replace(attempt, parts={**attempt.parts, number: part}))

    def add_volume(self, attempt: Any, volume: Any) -> bool:
        return self.put(replace(attempt, volumes=(*attempt.volumes, volume)))

    def complete(self, attempt: Any) -> Any:
        now = "2026-01-01T00:00:00.000Z"
        self.put(replace(attempt, volumes=self.get().volumes, ended_at=now, completed_at=now))
        return self.get()


def perform(task: str, folder: Path, pages: int) -> None:
    """Do a task as its function does, and print its seconds, those of its own code, and MB of memory at most."""
    sys.path.insert(0, str(ROOT / "functions"))
    os.environ["VOLUME_BYTES"] = "2000000000"
    from scanner import pdf, pdf_joining  # noqa: F401 - what is imported late is no part of the time
    from scanner.aws import bucket, bus, exports_table, pages_table, projects_table
    from scanner.project import Project
    from scanner.services import export_joining, export_parts, export_plan

    files = FolderForBucket(folder, len(list(folder.glob("*.jpg"))))
    tables = FileForTables(folder / "attempt.pickle", pages)
    for name in ("read", "write", "sizes_below", "download", "upload"):
        setattr(bucket, name, getattr(files, name))
    for name in ("get", "put", "add_part", "add_volume", "complete"):
        setattr(exports_table, name, getattr(tables, name))
    pages_table.all_of, pages_table.get = tables.all_of, tables.get_page
    projects_table.get = lambda *_: Project(OWNER, PROJECT, "Benchmark", "2026-01-01T00:00:00.000Z")
    bus.publish = lambda _: None
    start, user = perf_counter(), os.times().user
    match task:
        case "plan":
            export_plan.plan(OWNER, EXPORT, {"projectId": PROJECT}, datetime.now(UTC))
        case "parts":
            for part in tables.get().planned:
                export_parts.build(OWNER, EXPORT, part.number, lambda _: None)
        case "join":
            while isinstance(product := export_joining.join(OWNER, EXPORT), export_joining.Unfinished):
                pass
            assert product.page_count == pages
    print(json.dumps([perf_counter() - start, os.times().user - user, peak_memory()]))


def export(prepared: Path, pages: int, times: int = 1) -> dict[str, list[float]]:
    """Export so many pages, task by task, so many times; return the seconds of each, all times, and its most memory."""
    done = {task: [0.0, 0.0, 0.0] for task in TASKS}
    with tempfile.TemporaryDirectory(dir=prepared) as kept:
        for time in range(times):
            folder = Path(kept) / str(time)
            folder.mkdir()
            for file in (*prepared.glob("*.jpg"), *prepared.glob("*.words")):
                (folder / file.name).hardlink_to(file)
            for task in TASKS:
                elapsed, user, memory = json.loads(
                    run(sys.executable, __file__, "--task", task, str(pages), str(folder))
                )
                one = done[task]
                done[task] = [one[0] + elapsed, one[1] + user, max(one[2], memory)]
    return done


def write_plainly(folder: Path, times: int, size: int) -> float:
    """Write a file of so many bytes, so many times over; return the processor's milliseconds a MB."""
    sleep(MEMORY_RETURNED_SECONDS)
    piece, start = b"\0" * (1 << 20), process_time()
    for _ in range(times):
        with (folder / "control").open("wb") as file:
            for _ in range(size >> 20):
                file.write(piece)
    used = process_time() - start
    (folder / "control").unlink()
    return 1e9 * used / (times * size)


def write_words(folder: Path) -> None:
    """Write the words objects of the prepared pages, as recognition does."""
    sys.path.insert(0, str(ROOT / "functions"))
    from scanner import text
    from scanner.aws.textract import parse

    for file in folder.glob("*.json"):
        file.with_suffix(".words").write_bytes(text.to_json(parse(*json.loads(file.read_text()))))
        file.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=1_000, help="to compare with img2pdf; 1,000 at most")
    parser.add_argument("--sizes", type=int, nargs=2, default=(100, 3_000), help="whose cost a page is compared")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--task", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        task, pages, folder = arguments.task
        perform(task, Path(folder), int(pages))
        return
    import peers

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        what = prepare(folder, arguments.pages)
        write_words(folder)
        images = [image.stat().st_size / 1e6 for image in folder.glob("*.jpg")]
        title(f"An export of {len(images):,} photographed pages")
        try:
            peer, why = peers.python(), ""
        except peers.PeerMissingError as error:
            peer, why = None, str(error)
        ours, theirs, joining = [], [], []
        control: dict[int, list[float]] = {size: [] for size in arguments.sizes}
        memory: dict[str, list[float]] = {task: [] for task in TASKS}
        cost: dict[int, list[float]] = {size: [] for size in arguments.sizes}
        work: dict[int, list[float]] = {size: [] for size in arguments.sizes}
        for _ in range(arguments.runs):
            done = export(folder, len(images))
            ours.append(sum(seconds for seconds, *_ in done.values()))
            joining.append(done["join"][0])
            if peer:
                theirs.append(float(run(peer, "-c", IMG2PDF, folder)))
                (folder / "img2pdf.pdf").unlink()
            for size in arguments.sizes:
                times = max(arguments.sizes) // size
                sized = export(folder, size, times)
                cost[size].append(1000 * sum(seconds for seconds, *_ in sized.values()) / (size * times))
                work[size].append(1000 * sum(seconds for _, seconds, _ in sized.values()) / (size * times))
                control[size].append(write_plainly(folder, times, int(size * fmean(images) * 1e6)))
                for task in ("parts", "join"):
                    memory[task] += [done[task][2], sized[task][2]]
            memory["plan"].append(
                json.loads(run(sys.executable, __file__, "--task", "plan", str(PLANNED), str(folder)))[2]
            )
            (folder / "attempt.pickle").unlink()
        sizes = f"{min(images):.1f} to {max(images):.1f} MB ({fmean(images) * len(images):.0f} MB together)"
        print(f"{what} as JPEGs of {sizes}.\n")
        small, large = arguments.sizes
        rows = [
            ("time, all tasks one after another", f"{spread(ours)} s", ""),
            ("of it, joining", f"{spread(joining)} s", ""),
            ("time, img2pdf: the images alone", f"{spread(theirs)} s" if peer else why, ""),
            ("ratio to img2pdf", ratio(ours, theirs) if peer else "not measured", ""),
            (f"cost a page, {large // small} exports of {small:,} pages", f"{spread(cost[small])} ms", ""),
            (f"cost a page, an export of {large:,} pages", f"{spread(cost[large])} ms", ""),
            ("ratio of the two", ratio(cost[large], cost[small]), ""),
            (f"of it, the functions' own code, exports of {small:,}", f"{spread(work[small])} ms", ""),
            (f"of it, the functions' own code, export of {large:,}", f"{spread(work[large])} ms", ""),
            ("ratio of the two", ratio(work[large], work[small]), f"{MOST_GROWTH:.2f}"),
            ("control: as many bytes written plainly, ratio of the two", ratio(control[large], control[small]), ""),
            (f"peak memory, plan of {PLANNED:,} pages", f"{spread(memory['plan'], 0)} MB", f"{MOST_MEMORY} MB"),
            (f"peak memory, parts, up to {large:,} pages", f"{spread(memory['parts'], 0)} MB", f"{MOST_MEMORY} MB"),
            (f"peak memory, join, up to {large:,} pages", f"{spread(memory['join'], 0)} MB", f"{MOST_MEMORY} MB"),
        ]
        table(("", "median (least–most)", "at most"), rows)
        print(f"{arguments.runs} runs, in turns.\n")
        print("Not measured: the transfers from and to S3, and that a Lambda's parts are built four at once.")
        if max(median(values) for values in memory.values()) > MOST_MEMORY:
            sys.exit("A task takes more memory than it may.")


if __name__ == "__main__":
    main()
