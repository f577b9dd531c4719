"""The image files that a user gives: what they are, by their content, and whether they can be pages."""

import os
import stat
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from docscan_cli.errors import InvalidInputError
from docscan_cli.wording import printable

MAX_IMAGE_BYTES = 10 * 1024 * 1024
"""What an upload may have, by the API's contract."""

HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}


@dataclass(frozen=True)
class InputFile:
    """A file that can become a page. `size` is in bytes."""

    path: Path
    content_type: str
    size: int

    @property
    def name(self) -> str:
        """How the file is called in messages."""
        return printable(str(self.path))


def check_images(paths: Iterable[Path]) -> list[InputFile]:
    """Look at every file before any work begins.

    Raises InvalidInputError that names all the files that cannot be pages, each with its reason.
    """
    images: list[InputFile] = []
    problems: list[str] = []
    for path in paths:
        try:
            images.append(_check_image(path))
        except InvalidInputError as problem:
            problems.append(f"{printable(str(path))}: {problem}")
        except OSError as error:
            problems.append(f"{printable(str(path))}: {error.strerror or error}")
    if problems:
        raise InvalidInputError("\n".join(problems))
    return images


def check_sizes(images: Iterable[InputFile], limit: int) -> None:
    """Check the files against what the system allows, in bytes, which may be less than the contract does.

    Raises InvalidInputError that names all the files that are too large.
    """
    problems: list[str] = []
    for image in images:
        try:
            _check_size(image.size, limit)
        except InvalidInputError as problem:
            problems.append(f"{image.name}: {problem}")
    if problems:
        raise InvalidInputError("\n".join(problems))


def _check_image(path: Path) -> InputFile:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise InvalidInputError(f"is a folder; give the images in it: {printable(str(path / '*.jpg'))}")
    if not stat.S_ISREG(mode):
        raise InvalidInputError("is not a regular file")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise InvalidInputError("is empty")
        content_type = _content_type(file)
    _check_size(size, MAX_IMAGE_BYTES)
    return InputFile(path, content_type, size)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        megabytes = 1024 * 1024
        raise InvalidInputError(
            f"has {size / megabytes:.1f} MB; a page image may have {limit / megabytes:.3g}. "
            "Save it smaller, or as JPEG, and scan that"
        )


def _content_type(file: BinaryIO) -> str:
    """The image's type by its first bytes; its name says nothing reliable."""
    head = file.read(16)
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"II*\0", b"MM\0*")):
        if _has_second_image(file, "<" if head.startswith(b"II") else ">"):
            raise InvalidInputError("is a TIFF of several pages; split it into one file for each page, and scan those")
        return "image/tiff"
    if head.startswith((b"II+\0", b"MM\0+")):
        raise InvalidInputError("is a BigTIFF; save it as a plain TIFF, or as JPEG or PNG, and scan that")
    if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS:
        raise InvalidInputError("is a HEIC or AVIF image; save it as JPEG, and scan that")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        raise InvalidInputError("is a WebP image; save it as JPEG or PNG, and scan that")
    if head.startswith(b"%PDF-"):
        raise InvalidInputError("is a PDF; save its pages as JPEG, PNG or TIFF images, and scan those")
    raise InvalidInputError("is neither JPEG, PNG nor TIFF")


def _has_second_image(file: BinaryIO, byte_order: str) -> bool:
    """Whether a TIFF's first image file directory points to another one (TIFF 6.0, section 2)."""
    file.seek(4)
    try:
        (first,) = struct.unpack(byte_order + "L", file.read(4))
        file.seek(first)
        (entries,) = struct.unpack(byte_order + "H", file.read(2))
        file.seek(first + 2 + 12 * entries)
        (second,) = struct.unpack(byte_order + "L", file.read(4))
    except struct.error:  # cut short: recognition says what is wrong with the image
        return False
    return second != 0
