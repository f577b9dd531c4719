"""A PDF of 100 photographed pages: time as a ratio to img2pdf's, which places the same images without text, and memory.

    [DOCSCAN_TEST_PAGES=FOLDER] .venv/bin/python bench/searchable_pdf.py [--pages N] [--runs N]

The photographs are the pages at 12 megapixels, with a camera's noise, as JPEGs of 1 to 2 MB; the words and their places
are what the local OCR engine reads on them. Each build is a fresh process that reads the images from files and writes
the PDF to one; what counts is the time from after its imports, and its own largest resident set.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from statistics import fmean, median
from time import perf_counter

from report import ratio, spread, table, title

ROOT = Path(__file__).parents[1]
MOST_TIME, MOST_MEMORY = 2, 256
MEGAPIXELS = 12
SIZES = range(1_000_000, 2_000_001)

IMG2PDF = """
import sys, time
from pathlib import Path
import img2pdf
folder = Path(sys.argv[1])
imported = time.perf_counter()
with open(folder / "img2pdf.pdf", "wb") as out:
    img2pdf.convert(*(str(image) for image in sorted(folder.glob("*.jpg"))), outputstream=out)
print(time.perf_counter() - imported)
"""


def prepare(folder: Path, count: int) -> str:
    """Put the photographs and what is read on them (Textract's blocks) into `folder`; return what the pages are."""
    from true_pages import true_pages

    from samhost.textract.blocks import detect_document_text_response
    from samhost.textract.engine import RapidOcrEngine
    from samhost.textract.layout import arrange
    from samhost.textract.page import Page

    what, found = true_pages(folder / "samples")
    engine = RapidOcrEngine()
    made = []
    for page in found[:count]:
        picture = photograph(page.image)
        read = Page(picture.width, picture.height, arrange(engine.read(picture)))
        made.append((jpeg(picture), detect_document_text_response(read), picture.size))
    for number, (encoded, blocks, size) in enumerate(islice(cycle(made), count)):
        # A comment makes each file another one, so that no program can store two pages as one.
        comment = f"page {number:03}".encode()
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment
        (folder / f"{number:03}.jpg").write_bytes(encoded[:2] + segment + encoded[2:])
        (folder / f"{number:03}.json").write_text(json.dumps([blocks["Blocks"], *size]))
    return what


def photograph(page: Path):
    """Return a page's image as a camera has it: upright, of 12 megapixels, with noise."""
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(Image.open(page)).convert("RGB")
    scale = (MEGAPIXELS * 1_000_000 / (upright.width * upright.height)) ** 0.5
    picture = upright.resize((round(upright.width * scale), round(upright.height * scale)), Image.Resampling.LANCZOS)
    noise = Image.effect_noise(picture.size, 20).convert("RGB")
    return Image.blend(picture, noise, 0.1)


def jpeg(image) -> bytes:
    """Encode within SIZES, by bisection of the quality."""
    low, high = 1, 100
    while low < high:
        quality = (low + high) // 2
        encoded = io.BytesIO()
        image.save(encoded, "JPEG", quality=quality)
        size = encoded.tell()
        if size in SIZES:
            return encoded.getvalue()
        low, high = (low, quality) if size > SIZES[-1] else (quality + 1, high)
    raise RuntimeError(f"no quality gives a JPEG of {SIZES} bytes")


def build(folder: Path) -> None:
    """Build the PDF as the function does, and print seconds, and MB of memory after the imports and at most."""
    sys.path.insert(0, str(ROOT / "functions"))
    from scanner import pdf, text
    from scanner.aws.textract import parse

    # As the function has them: read back from the words objects.
    words = [
        text.from_json(text.to_json(parse(*json.loads(file.read_text())))) for file in sorted(folder.glob("*.json"))
    ]
    before = peak_memory()
    start = perf_counter()
    scanned = [
        pdf.ScannedPage(number, page, image.read_bytes)
        for number, (page, image) in enumerate(zip(words, sorted(folder.glob("*.jpg")), strict=True), 1)
    ]
    with (folder / "docscan.pdf").open("wb") as file:
        pdf.build("Benchmark", datetime(2026, 1, 1, tzinfo=UTC), scanned, lambda _: None, file)
    print(json.dumps([perf_counter() - start, before, peak_memory()]))


def peak_memory() -> float:
    """The largest resident set of this process so far, in MB (10⁶ bytes); getrusage would count its parent's, too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    return (
        next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) * 1024 / 1e6
    )


def run(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.build:
        build(arguments.build)
        return
    import peers

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        what = prepare(folder, arguments.pages)
        images = [image.stat().st_size / 1e6 for image in folder.glob("*.jpg")]
        words = [json.loads(file.read_text())[0] for file in folder.glob("*.json")]
        per_page = fmean(sum(block["BlockType"] == "WORD" for block in blocks) for blocks in words)
        title(f"A searchable PDF of {len(images)} photographed pages")
        try:
            peer, why = peers.python(), ""
        except peers.PeerMissingError as error:
            peer, why = None, str(error)
        ours, before, memory, theirs = [], [], [], []
        for counts in [False, *[True] * arguments.runs]:  # the first round compiles and fills the file cache
            built = json.loads(run(sys.executable, __file__, "--build", folder))
            placed = float(run(peer, "-c", IMG2PDF, folder)) if peer else 0.0
            if counts:
                for values, value in zip((ours, before, memory, theirs), (*built, placed), strict=True):
                    values.append(value)
        sizes = f"{min(images):.1f} to {max(images):.1f} MB ({sum(images):.0f} MB together)"
        print(f"{what} as JPEGs of {sizes}, {per_page:.0f} words a page.\n")
        rows = [
            ("time, searchable PDF", f"{spread(ours)} s", ""),
            ("time, img2pdf: the images alone", f"{spread(theirs)} s" if peer else why, ""),
            ("ratio to img2pdf", ratio(ours, theirs) if peer else "not measured", f"{MOST_TIME}"),
            ("peak memory", f"{spread(memory, 0)} MB", f"{MOST_MEMORY} MB"),
            ("of it, interpreter, imports and the words", f"{spread(before, 0)} MB", ""),
        ]
        table(("", "median (least–most)", "at most"), rows)
        print(f"{arguments.runs} fresh processes each, in turns.")
        grown = (median(memory) - median(before)) / sum(images)
        print(f"The document grows the process by {grown:.1f} times its images.\n")
        print("Not measured: the transfers from and to S3 (a disk stands for them), and a Lambda's own processor.")


if __name__ == "__main__":
    main()
