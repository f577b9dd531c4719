"""Pages a minute from image files to a searchable PDF, through the whole running system, and how well they are read.

    [DOCSCAN_TEST_PAGES=FOLDER] .venv/bin/python bench/scan.py [--pages N] [--runs N]

Beside it, on the same images and cores, in turns: the OCR engine alone (one process, models loaded, EXIF orientation
applied, no PDF), and ocrmypdf. The system is one of our own on free ports, with a data directory that is deleted again;
where DOCSCAN_DATA_DIR names one that is running, it is that.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from statistics import fmean
from time import perf_counter

import peers
from report import CORES, ratio, spread, table, title
from true_pages import TruePage, true_pages

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]
from local_system import DOCSCAN, ROOT, System, free_ports
from scoring import character_error_rate, word_f1

LEAST_TO_ENGINE, LEAST_TO_PEER = 0.85, 1.7

type Side = Callable[[list[Path], Path], Callable[[], list[str]]]
"""Reads images, in a folder for its files; what it returns gives the text of each, and is not measured."""


@contextmanager
def running_system(folder: Path, *options: str) -> Iterator[System]:
    """The system of DOCSCAN_DATA_DIR where that is set; otherwise one of our own, from nothing, with `options`."""
    given = os.environ.get("DOCSCAN_DATA_DIR")
    data_dir = Path(given).resolve() if given else folder / "data"
    ports = zip(("--api-port", "--engine-port", "--textract-port"), map(str, free_ports(3)), strict=True)
    addresses = [word for pair in ports for word in pair]
    if not given:
        command = [DOCSCAN, "up", "--detach", "--data-dir", data_dir, *addresses, *options]
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    try:
        yield System(data_dir, json.loads((data_dir / "addresses.json").read_text()))
    finally:
        if not given:
            subprocess.run([DOCSCAN, "down", "--data-dir", data_dir], cwd=ROOT, check=True, stdout=sys.stderr)


def whole_system(system: System) -> Side:
    def docscan(*arguments: str | Path) -> str:
        run = system.docscan(*arguments)
        if run.returncode:
            raise RuntimeError(run.stderr)
        return run.stdout

    def scan(images: list[Path], folder: Path) -> Callable[[], list[str]]:
        docscan("scan", *images, "-o", folder / "docscan.pdf", "--force")
        return newest_text

    def newest_text() -> list[str]:
        newest = json.loads(docscan("projects", "--json"))[0]
        return docscan("text", newest["projectId"]).split("\f")

    return scan


def engine_alone() -> Side:
    from PIL import Image, ImageOps

    from samhost.textract.engine import RapidOcrEngine
    from samhost.textract.layout import arrange

    engine = RapidOcrEngine()

    def read(image: Path) -> str:
        upright = ImageOps.exif_transpose(Image.open(image)).convert("RGB")
        return "\n".join(line.text for line in arrange(engine.read(upright)))

    def read_all(images: list[Path], _: Path) -> Callable[[], list[str]]:
        texts = [read(image) for image in images]
        return lambda: texts

    return read_all


def ocrmypdf(interpreter: Path) -> Side:
    """img2pdf, for ocrmypdf takes one file, and then ocrmypdf; its defaults, but for PDF/A, which we do not make."""

    def scan(images: list[Path], folder: Path) -> Callable[[], list[str]]:
        images_pdf, text = folder / "images.pdf", folder / "ocrmypdf.txt"
        options = ["--jobs", str(CORES), "--language", "+".join(peers.LANGUAGES), "--output-type", "pdf"]
        for module, *arguments in (
            ("img2pdf", *images, "--output", images_pdf),
            ("ocrmypdf", *options, "--sidecar", text, images_pdf, folder / "ocrmypdf.pdf"),
        ):
            run = subprocess.run(
                [interpreter, "-m", module, *map(str, arguments)], capture_output=True, text=True, check=False
            )
            if run.returncode:
                raise RuntimeError(run.stderr)
        return lambda: text.read_text().split("\f")

    return scan


def pages_a_minute(side: Side, images: list[Path], folder: Path) -> tuple[float, Callable[[], list[str]]]:
    start = perf_counter()
    texts = side(images, folder)
    return 60 * len(images) / (perf_counter() - start), texts


def accuracy(truth: list[TruePage], texts: Sequence[str]) -> tuple[str, str]:
    """Mean character error rate and word F1 over the pages, each once, in per cent."""
    scores = [
        (character_error_rate(page.text, text), word_f1(page.text, text))
        for page, text in zip(truth, texts, strict=False)
    ]
    return f"{fmean(cer for cer, _ in scores):.1f}", f"{fmean(f1 for _, f1 in scores):.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=24, help="of each run; the pages there are, again and again")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # whoever uses the command does not compile it each time
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        what, truth = true_pages(folder / "samples")
        images = []
        for number, page in enumerate(islice(cycle(truth), arguments.pages)):
            images.append(Path(shutil.copy(page.image, folder / f"{number:03}{page.image.suffix}")))
        title(f"Scan of {len(images)} pages through the whole system")
        with running_system(folder) as system:
            sides = {"whole system": whole_system(system), "OCR engine alone": engine_alone()}
            try:
                sides["ocrmypdf"] = ocrmypdf(peers.ocrmypdf())
            except peers.PeerMissingError as error:
                print(f"Not measured: the ratio to ocrmypdf. {error}\n")
            # The first time, functions start and the engine meets the images' shapes; files come into the cache.
            first, accuracies = {}, {}
            for name, side in sides.items():
                first[name], texts = pages_a_minute(side, images, folder)
                accuracies[name] = accuracy(truth, texts())
            speeds: dict[str, list[float]] = {name: [] for name in sides}
            for _ in range(arguments.runs):
                for name, side in sides.items():
                    speeds[name].append(pages_a_minute(side, images, folder)[0])
        least = {"OCR engine alone": LEAST_TO_ENGINE, "ocrmypdf": LEAST_TO_PEER}
        rows = [
            (
                name,
                f"{first[name]:.0f}",
                spread(speeds[name], 1),
                f"{ratio(speeds['whole system'], speeds[name])} (at least {least[name]})" if name in least else "",
                *accuracies[name],
            )
            for name in sides
        ]
        header = ("", "pages a minute, first run", "pages a minute", "whole system to this", "CER %", "word F1 %")
        table(header, rows)
        print(f"{what}, repeated; median (least–most) of {arguments.runs} runs in turns, after the first one.")
        if "ocrmypdf" in sides:
            version = f"{peers.PACKAGES[0]}, {peers.tesseract_version()}, --language {'+'.join(peers.LANGUAGES)}"
            print(f"ocrmypdf: {version}, --jobs {CORES}, img2pdf's time included.")
        print("\nNot measured: AWS (Textract, Lambda and the network are other machines there).")


if __name__ == "__main__":
    main()
