"""Recognition by Textract."""

from typing import Any

from botocore.exceptions import ClientError

from scanner.aws import clients
from scanner.errors import ImageRefusedError, ThrottledError
from scanner.text import Line, RecognisedText, Word, polygon

# What Textract refuses however often it is asked:
# https://docs.aws.amazon.com/textract/latest/dg/API_DetectDocumentText.html#API_DetectDocumentText_Errors
_REFUSALS = {
    "UnsupportedDocumentException": (
        "unsupported-image",
        "Text recognition cannot read this kind of image. Save it as an ordinary JPEG or PNG, and upload that.",
    ),
    "BadDocumentException": (
        "damaged-image",
        "Text recognition cannot read the image. Take or save it again, and upload that.",
    ),
    "DocumentTooLargeException": (
        "image-too-large",
        "The image is too large for text recognition. Upload a smaller one.",
    ),
    "InvalidParameterException": (
        "recognition-failed",
        "Text recognition does not accept the image. Take or save it again, and upload that.",
    ),
}

_THROTTLED = {"ThrottlingException", "ProvisionedThroughputExceededException", "LimitExceededException"}


def recognise(image: bytes, width: int, height: int) -> RecognisedText:
    """Return the text on an upright JPEG or PNG of `width` by `height` pixels.

    Raises ImageRefusedError where asking again is of no use, and ThrottledError; faults are raised as they come.
    """
    try:
        answer = clients.textract().detect_document_text(Document={"Bytes": image})
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if refusal := _REFUSALS.get(code):
            raise ImageRefusedError(*refusal) from error
        if code in _THROTTLED:
            raise ThrottledError(f"Textract answered {code}.") from error
        raise
    return parse(answer["Blocks"], width, height)


def parse(blocks: list[dict[str, Any]], width: int, height: int) -> RecognisedText:
    """Read Textract's blocks: LINE blocks in reading order, each naming its WORD blocks."""
    words = {block["Id"]: _word(block) for block in blocks if block["BlockType"] == "WORD"}
    lines = [
        Line(block["Text"], round(block["Confidence"], 2), tuple(words[child] for child in _children(block)))
        for block in blocks
        if block["BlockType"] == "LINE"
    ]
    return RecognisedText(width, height, tuple(lines))


def _word(block: dict[str, Any]) -> Word:
    corners = [[round(point["X"], 6), round(point["Y"], 6)] for point in block["Geometry"]["Polygon"]]
    return Word(block["Text"], round(block["Confidence"], 2), polygon(corners))


def _children(block: dict[str, Any]) -> list[str]:
    return [
        child for relation in block.get("Relationships", []) if relation["Type"] == "CHILD" for child in relation["Ids"]
    ]
