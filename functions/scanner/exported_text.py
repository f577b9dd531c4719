"""Exports as text: plain, with a form feed between pages, or as JSON with the place of each word.

Both are written a page at a time, in parts that are joined later, and joined without looking at what they hold.
"""

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from scanner import correction, text
from scanner.page import Page

_FORM_FEED = b"\f"
_COMMA = b",\n"


def write_plain(texts: Iterable[str], file: IO[bytes]) -> None:
    """Write the texts of a part's pages, UTF-8."""
    _write_between((content.encode() for content in texts), _FORM_FEED, file)


def write_json(pages: Iterable[bytes], file: IO[bytes]) -> None:
    """Write a part's pages as `json_page` gives them."""
    _write_between(pages, _COMMA, file)


def json_page(number: int, page: Page, recognised: text.RecognisedText) -> bytes:
    """Return the `number`th page of a project as an object of JSON: ExportedPage of the API."""
    content = correction.applied(page, recognised)
    described = {
        "pageId": page.page_id,
        "number": number,
        "text": content.text,
        "confidence": recognised.confidence,
        "width": content.width,
        "height": content.height,
        "rotation": page.rotation,
        "corrected": page.corrected,
        "lines": text.lines_to_document(content),
    }
    return json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()


def join_plain(parts: Sequence[Path], file: IO[bytes]) -> None:
    """Write the document of plain text that the parts come to."""
    _join(parts, _FORM_FEED, file)


def join_json(parts: Sequence[Path], project_id: str, name: str, file: IO[bytes]) -> None:
    """Write the document of JSON that the parts come to: ExportedText of the API."""
    about = json.dumps({"projectId": project_id, "name": name}, ensure_ascii=False)
    file.write(b'{"project":' + about.encode() + b',"pages":[\n')
    _join(parts, _COMMA, file)
    file.write(b"\n]}\n")


def _write_between(pieces: Iterable[bytes], separator: bytes, file: IO[bytes]) -> None:
    for place, piece in enumerate(pieces):
        file.write(separator + piece if place else piece)


def _join(parts: Sequence[Path], separator: bytes, file: IO[bytes]) -> None:
    for place, path in enumerate(parts):
        file.write(separator if place else b"")
        with path.open("rb") as part:
            shutil.copyfileobj(part, file, 1 << 20)
