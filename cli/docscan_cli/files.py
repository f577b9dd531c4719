"""The files that a user gives: what they are, by their content, and whether they can be pages or imports."""

import os
import stat
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from docscan_cli.errors import InvalidInputError
from docscan_cli.wording import printable

MAX_IMAGE_BYTES = 10 * 1024 * 1024
"""What an upload may have, by the API's contract."""

MAX_DOCUMENT_BYTES = 2 * 1024 * 1024 * 1024
"""What an import may have, by the API's contract."""

MAX_PROJECT_NAME = 200
"""Characters of a project's name, by the API's contract."""

IMAGE_TOO_LARGE = "a page image may have {limit}. Save it smaller, or as JPEG, and scan that"
DOCUMENT_TOO_LARGE = "an import may have {limit}. Split it, and import the parts one after the other"

_PDF_HEADER_WITHIN = 1024
HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}


@dataclass(frozen=True)
class InputFile:
    """A file that can become a page, or pages. `size` is in bytes."""

    path: Path
    content_type: str
    size: int

    @property
    def name(self) -> str:
        """How the file is called in messages."""
        return printable(str(self.path))


def check_images(paths: Iterable[Path]) -> list[InputFile]:
    """Look at every image before any work begins.

    Raises InvalidInputError that names all the files that cannot be pages, each with its reason.
    """
    images = _check_all(paths, _image_type)
    check_sizes(images, MAX_IMAGE_BYTES)
    return images


def check_documents(paths: Iterable[Path]) -> list[InputFile]:
    """Look at every PDF and TIFF before any work begins.

    Raises InvalidInputError that names all the files that cannot be imported, each with its reason.
    """
    return _check_all(paths, _document_type)


def check_sizes(files: Iterable[InputFile], limit: int, refusal: str = IMAGE_TOO_LARGE) -> None:
    """Check the files against what the system allows, in bytes, which may be less than the contract does.

    Raises InvalidInputError that names all the files that are too large, in the words of `refusal`.
    """
    megabytes = 1024 * 1024
    problems = [
        f"{file.name}: has {file.size / megabytes:.1f} MB; {refusal.format(limit=f'{limit / megabytes:.3g}')}"
        for file in files
        if file.size > limit
    ]
    if problems:
        raise InvalidInputError("\n".join(problems))


def project_name(files: Sequence[InputFile], fallback: str) -> str:
    """`invoice`, or `invoice and 3 more`: a name that the API takes, whatever the first file is called."""
    first = printable(files[0].path.stem).strip() or fallback
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return first[: MAX_PROJECT_NAME - len(more)] + more


def _check_all(paths: Iterable[Path], content_type: Callable[[BinaryIO], str]) -> list[InputFile]:
    found: list[InputFile] = []
    problems: list[str] = []
    for path in paths:
        try:
            found.append(_check(path, content_type))
        except InvalidInputError as problem:
            problems.append(f"{printable(str(path))}: {problem}")
        except OSError as error:
            problems.append(f"{printable(str(path))}: {error.strerror or error}")
    if problems:
        raise InvalidInputError("\n".join(problems))
    return found


def _check(path: Path, content_type: Callable[[BinaryIO], str]) -> InputFile:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise InvalidInputError(f"is a folder; give the files in it: {printable(str(path / '*'))}")
    if not stat.S_ISREG(mode):
        raise InvalidInputError("is not a regular file")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise InvalidInputError("is empty")
        return InputFile(path, content_type(file), size)


def _document_type(file: BinaryIO) -> str:
    """The document's type by its content. A PDF may begin with something else (ISO 32000-1, annex H.3.4.1)."""
    head = file.read(_PDF_HEADER_WITHIN)
    if b"%PDF-" in head:
        return "application/pdf"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "image/tiff"
    raise InvalidInputError("is neither PDF nor TIFF; single images are pages: docscan scan FILE... -o out.pdf")


def _image_type(file: BinaryIO) -> str:
    """The image's type by its first bytes; its name says nothing reliable."""
    head = file.read(16)
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"II*\0", b"MM\0*")):
        if _has_second_image(file, "<" if head.startswith(b"II") else ">"):
            raise InvalidInputError("is a TIFF of several pages; import it: docscan import FILE")
        return "image/tiff"
    if head.startswith((b"II+\0", b"MM\0+")):
        raise InvalidInputError("is a BigTIFF; save it as a plain TIFF, or as JPEG or PNG, and scan that")
    if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS:
        raise InvalidInputError("is a HEIC or AVIF image; save it as JPEG, and scan that")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        raise InvalidInputError("is a WebP image; save it as JPEG or PNG, and scan that")
    if head.startswith(b"%PDF-"):
        raise InvalidInputError("is a PDF; import it: docscan import FILE")
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
