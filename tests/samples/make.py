"""Make the sample pages: scans and photographs with their text, and files that are no page.

OUT_DIR/images/ID.jpg|png|tif   the pages
OUT_DIR/gt/ID.txt               the text on each, line by line in reading order (UTF-8)
OUT_DIR/manifest.json           id, kind, lang, width, height, exif_orientation, gt_unit, gt_words, image of each page
OUT_DIR/bad/                    files to refuse, with a manifest.json: id, kind, bytes, image

The same package versions give the same bytes.
"""

import argparse
import io
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from PIL import Image
from samplepages.bad_files import BAD_FILES, BadFile
from samplepages.catalogue import PAGES, SamplePage, draw
from samplepages.fonts import FontMissingError

ISO_639_3 = {
    "ar": "ara",
    "de": "deu",
    "el": "ell",
    "en": "eng",
    "fr": "fra",
    "he": "heb",
    "hi": "hin",
    "ja": "jpn",
    "ko": "kor",
    "pl": "pol",
    "ru": "rus",
    "vi": "vie",
    "zh-Hans": "zho",
}


def write_page(page: SamplePage, out: Path) -> dict[str, object]:
    """Write the page's image and text, and return its entry in the manifest (width and height as the file has them)."""
    drawn = draw(page)
    image = out / "images" / f"{page.id}{drawn.suffix}"
    image.write_bytes(drawn.image)
    text = "\n".join(drawn.lines) + "\n"
    (out / "gt" / f"{page.id}.txt").write_text(text, encoding="utf-8")
    with Image.open(io.BytesIO(drawn.image)) as opened:
        width, height = opened.size
    return {
        "id": page.id,
        "kind": page.kind,
        "lang": ISO_639_3[page.style.language],
        "width": width,
        "height": height,
        "exif_orientation": page.orientation,
        "gt_unit": "line",
        "gt_words": len(text.split()),
        "image": image.name,
    }


def write_bad_file(bad: BadFile, out: Path) -> dict[str, object]:
    """Write the file and return its entry in the manifest of bad files."""
    file = out / "bad" / f"{bad.id}{bad.suffix}"
    content = bad.make()
    file.write_bytes(content)
    return {"id": bad.id, "kind": bad.kind, "bytes": len(content), "image": file.name}


def make(out: Path, only: set[str]) -> None:
    """Make the pages and bad files named in `only`, or all where it is empty."""
    for folder in ("images", "gt", "bad"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor() as pool:
        pages = list(pool.map(partial(write_page, out=out), [page for page in PAGES if not only or page.id in only]))
        bad_files = [write_bad_file(bad, out) for bad in BAD_FILES if not only or bad.id in only]
    for path, entries in ((out / "manifest.json", pages), (out / "bad" / "manifest.json", bad_files)):
        path.write_text(json.dumps(entries, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Read the command line and make what it asks for."""
    names = [item.id for item in (*PAGES, *BAD_FILES)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    parser.add_argument("--only", nargs="+", default=[], choices=names, metavar="NAME", help=", ".join(names))
    arguments = parser.parse_args()
    try:
        make(arguments.out, set(arguments.only))
    except FontMissingError as error:
        sys.exit(f"make.py: {error}")


if __name__ == "__main__":
    main()
