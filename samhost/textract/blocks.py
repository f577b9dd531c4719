"""A recognised page as Textract's answer: blocks of type PAGE, LINE and WORD, with geometry in ratios of the page.

Documented is that pages may be turned in any way (limits-document.html), and that geometry is in coordinates of the
page as it was sent. Assumed is that a polygon begins at the top left of the text as it is read, wherever that is in the
image. RotationAngle, an optional member of a word's geometry, is left out: its sense of rotation is not documented.
"""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from samhost.textract.page import Line, Page, Quad, Word

type Block = dict[str, Any]


def detect_document_text_response(page: Page) -> dict[str, Any]:
    """Return the body of DetectDocumentText's answer: the page, then its lines, then all words, in reading order.

    https://docs.aws.amazon.com/textract/latest/dg/API_DetectDocumentText.html#API_DetectDocumentText_ResponseSyntax
    """
    corners = (0.0, 0.0), (page.width, 0.0), (page.width, page.height), (0.0, page.height)
    lines, words = [], []
    for line in page.lines:
        line_words = [_text_block("WORD", word, page) | {"TextType": "PRINTED"} for word in line.words]
        lines.append(_text_block("LINE", line, page) | _children(line_words))
        words += line_words
    page_block = {"BlockType": "PAGE", "Id": str(uuid4()), "Geometry": _geometry(corners, page)} | _children(lines)
    return {
        "DocumentMetadata": {"Pages": 1},
        "Blocks": [page_block, *lines, *words],
        "DetectDocumentTextModelVersion": "1.0",
    }


def _text_block(block_type: str, text: Line | Word, page: Page) -> Block:
    return {
        "BlockType": block_type,
        "Id": str(uuid4()),
        "Text": text.text,
        "Confidence": 100 * text.confidence,
        "Geometry": _geometry(text.quad, page),
    }


def _children(blocks: Sequence[Block]) -> Block:
    """Return the relationship to child blocks; Textract leaves it out where there are none."""
    return {"Relationships": [{"Type": "CHILD", "Ids": [block["Id"] for block in blocks]}]} if blocks else {}


def _geometry(quad: Quad, page: Page) -> Block:
    points = [(min(max(x / page.width, 0.0), 1.0), min(max(y / page.height, 0.0), 1.0)) for x, y in quad]
    xs, ys = zip(*points, strict=True)
    return {
        "BoundingBox": {"Left": min(xs), "Top": min(ys), "Width": max(xs) - min(xs), "Height": max(ys) - min(ys)},
        "Polygon": [{"X": x, "Y": y} for x, y in points],
    }
