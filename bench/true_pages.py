"""Pages to measure with, and the text that is on them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from peers import LANGUAGES

_MAKE = Path(__file__).parents[1] / "tests" / "samples" / "make.py"


@dataclass(frozen=True)
class TruePage:
    image: Path
    text: str


def true_pages(folder: Path) -> tuple[str, list[TruePage]]:
    """Return what the pages are, and the pages: those of DOCSCAN_TEST_PAGES, else sample pages made in `folder`.

    Of the sample pages only those in the languages that the peer is told of.
    """
    given = os.environ.get("DOCSCAN_TEST_PAGES")
    source = Path(given) if given else folder
    if not given:
        subprocess.run([sys.executable, _MAKE, folder], check=True)
    entries = json.loads((source / "manifest.json").read_text())
    found = [
        TruePage(source / "images" / entry["image"], (source / "gt" / f"{entry['id']}.txt").read_text())
        for entry in entries
        if given or entry["lang"] in LANGUAGES
    ]
    return f"{len(found)} real pages" if given else f"{len(found)} sample pages, which a script has drawn", found
