"""What every benchmark prints: the machine that it ran on, and its figures as Markdown."""

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

CORES = os.process_cpu_count() or 1


def title(name: str) -> None:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"## {name}\n")
    machine = f"{CORES} cores ({_processor()}), {_memory()}{platform.system()}, Python {platform.python_version()}"
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {machine}; load average at the start {load}.\n", flush=True)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    for row in (header, ["---"] * len(header), *rows):
        print("|", " | ".join(str(cell) for cell in row), "|")
    print(flush=True)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, and the smallest and the largest value behind it."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The median of the runs' ratios: each of ours to the run of theirs beside it, under the same load."""
    return spread([our / their for our, their in zip(ours, theirs, strict=True)])


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):  # not every system tells
        return ""
    return f"{size / 2**30:.0f} GiB, "
