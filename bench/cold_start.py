"""How long a fresh process takes to import each handler, as a ratio to `import boto3`, which every adapter needs.

    .venv/bin/python bench/cold_start.py [--runs N]

The files are compiled already, as `samhost` keeps them, too; the interpreter's own start is not counted.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from report import ratio, spread, table, title

FUNCTIONS = Path(__file__).parents[1] / "functions"
TARGET = 1.7
PEER = "boto3"


def seconds(module: str) -> float:
    """Import a module in a process of its own, with nothing of Docscan in its environment."""
    code = f"from time import perf_counter; start = perf_counter(); import {module}; print(perf_counter() - start)"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(FUNCTIONS)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return float(run.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    modules = [PEER, *sorted(file.stem for file in FUNCTIONS.glob("*.py"))]
    title("Cold import of each handler")
    for module in modules:
        seconds(module)  # compiles it, and brings it into the file cache
    measured: dict[str, list[float]] = {module: [] for module in modules}
    for _ in range(runs):
        for module in modules:
            measured[module].append(seconds(module))
    rows = [
        (
            f"`import {module}`",
            spread([1000 * value for value in values], 0),
            "" if module == PEER else ratio(values, measured[PEER]),
        )
        for module, values in measured.items()
    ]
    table(("Import", "ms", f"ratio to `import {PEER}` (at most {TARGET})"), rows)
    print(f"Median (least–most) of {runs} fresh processes each, in turns.\n")
    print("Not measured: AWS's own part of a cold start (no AWS here); making the clients, which the first call does;")
    print("fpdf2, which only the building of a PDF imports.")


if __name__ == "__main__":
    main()
