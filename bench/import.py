"""Import of PDFs: time as a ratio to the libraries alone that it uses, and memory.

    .venv/bin/python bench/import.py [--scans N] [--drawn N] [--runs N]

A scanned PDF has pages of one JPEG of about 1 MB; what counts is to open it and to take out every page, in parts that
open it anew, as the function does, against pikepdf alone taking out the same images. The other PDF has pages of lines
and text, which are drawn at 300 dpi and encoded, and whose words are found; against pypdfium2 alone drawing them, and
drawing and encoding them. Each is a fresh process that reads the PDF from a file; what counts is the time from after
its imports, and its own largest resident set.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from report import ratio, spread, table, title
from searchable_pdf import peak_memory

ROOT = Path(__file__).parents[1]
SCAN_SIDES = 2480, 3508


def make_scans(file: Path, count: int) -> float:
    """Write a PDF of so many scans, each with its own bytes; return their mean size in MB."""
    import pikepdf
    from PIL import Image

    noise = Image.effect_noise(SCAN_SIDES, 16).convert("RGB")
    noise.save(encoded := io.BytesIO(), "JPEG", quality=40)
    jpeg = encoded.getvalue()
    with pikepdf.new() as pdf:
        for number in range(count):
            comment = f"page {number:04}".encode()
            own = jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + jpeg[2:]
            page = pdf.add_blank_page(page_size=(595, 842)).obj
            image = pdf.make_stream(
                own, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=SCAN_SIDES[0], Height=SCAN_SIDES[1],
                ColorSpace=pikepdf.Name.DeviceRGB, BitsPerComponent=8, Filter=pikepdf.Name.DCTDecode,
            )  # fmt: skip
            page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=image))
            page.Contents = pdf.make_stream(b"q 595 0 0 842 0 0 cm /I Do Q")
        pdf.save(file)
    return len(jpeg) / 1e6


def make_drawn(file: Path, count: int) -> None:
    """Write a PDF of so many pages of text and lines."""
    from fpdf import FPDF

    pdf = FPDF(unit="pt", format="A4")
    pdf.set_font("helvetica", size=10)
    for number in range(count):
        pdf.add_page()
        for line in range(48):
            pdf.text(60, 60 + 15 * line, f"Page {number}, line {line}: the quick brown fox jumps over the lazy dog")
            pdf.line(60, 63 + 15 * line, 500, 63 + 15 * line)
    pdf.output(file)


def ours(file: Path) -> int:
    """Take out every page, as the function does; return how many."""
    from scanner import imports
    from scanner.paged_file import open_file

    with file.open("rb") as opened:
        places = open_file(opened, "application/pdf").places()
    for first in range(0, len(places), imports.PART_PAGES):
        with file.open("rb") as opened:
            paged = open_file(opened, "application/pdf")
            for number, place in enumerate(places[first : first + imports.PART_PAGES], first + 1):
                assert paged.page(number, place, with_text=True).image
    return len(places)


def by_pikepdf(file: Path) -> int:
    import pikepdf

    with pikepdf.open(file) as pdf:
        return sum(bool(image.read_raw_bytes()) for page in pdf.pages for image in page.get_images().values())


def by_pdfium(file: Path) -> int:
    return _drawn_by_pdfium(file, encode=False)


def by_pdfium_encoded(file: Path) -> int:
    return _drawn_by_pdfium(file, encode=True)


def _drawn_by_pdfium(file: Path, *, encode: bool) -> int:
    import pypdfium2

    with pypdfium2.PdfDocument(file) as pdf:
        for page in pdf:
            picture = page.render(scale=300 / 72).to_pil()
            if encode:
                picture.save(io.BytesIO(), "PNG", compress_level=1)
        return len(pdf)


WAYS = {way.__name__: way for way in (ours, by_pikepdf, by_pdfium, by_pdfium_encoded)}


def measure(way: str, file: Path) -> None:
    """Print seconds, pages, and MB of memory after the imports and at most."""
    sys.path.insert(0, str(ROOT / "functions"))
    import pikepdf  # noqa: F401
    import pypdfium2  # noqa: F401
    from PIL import Image  # noqa: F401

    from scanner import pdf_file, tiff_file  # noqa: F401

    before = peak_memory()
    start = perf_counter()
    count = WAYS[way](file)
    print(json.dumps([perf_counter() - start, count, before, peak_memory()]))


def run(way: str, file: Path) -> list[float]:
    command = [sys.executable, __file__, "--measure", way, file]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=500)
    parser.add_argument("--drawn", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        way, file = arguments.measure
        measure(way, Path(file))
        return
    with tempfile.TemporaryDirectory() as temporary:
        scans, drawn = Path(temporary, "scans.pdf"), Path(temporary, "drawn.pdf")
        size = make_scans(scans, arguments.scans)
        make_drawn(drawn, arguments.drawn)
        title("Import of PDFs")
        print(f"{arguments.scans} scans of {size:.1f} MB; {arguments.drawn} pages of text and lines.\n")
        on_scans = [("ours", scans), ("by_pikepdf", scans)]
        tried = [*on_scans, ("ours", drawn), ("by_pdfium", drawn), ("by_pdfium_encoded", drawn)]
        results: list[list[list[float]]] = [[] for _ in tried]
        for counts in [False, *[True] * arguments.runs]:  # the first round compiles and fills the file cache
            for found, (way, file) in zip(results, tried, strict=True):
                result = run(way, file)
                assert result[1] == (arguments.scans if file == scans else arguments.drawn)
                if counts:
                    found.append(result)
        seconds = [[result[0] for result in found] for found in results]
        memory = [[result[3] for result in found] for found in results]
        rows = [
            ("scans: open, and take out every page", f"{spread(seconds[0], 2)} s", f"{spread(memory[0], 0)} MB"),
            ("pikepdf alone: the same images", f"{spread(seconds[1], 2)} s", f"{spread(memory[1], 0)} MB"),
            ("ratio to pikepdf", ratio(seconds[0], seconds[1]), ""),
            ("pages drawn, encoded, and their words", f"{spread(seconds[2], 2)} s", f"{spread(memory[2], 0)} MB"),
            ("pypdfium2 alone: drawn", f"{spread(seconds[3], 2)} s", f"{spread(memory[3], 0)} MB"),
            ("pypdfium2 and Pillow: drawn and encoded", f"{spread(seconds[4], 2)} s", f"{spread(memory[4], 0)} MB"),
            ("ratio to pypdfium2", ratio(seconds[2], seconds[3]), ""),
            ("ratio to pypdfium2 and Pillow", ratio(seconds[2], seconds[4]), ""),
        ]
        table(("", "median (least–most)", "peak memory"), rows)
        before = spread([result[2] for result in results[0]], 0)
        print(f"{arguments.runs} fresh processes each, in turns; {before} MB are interpreter and imports.\n")
        print("Not measured: the transfers from and to S3 (a disk stands for them), and a Lambda's own processor.")


if __name__ == "__main__":
    main()
