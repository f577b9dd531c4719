"""The files that results go to: checked before any work begins, and written whole or not at all."""

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Literal

from docscan_cli.errors import InvalidInputError, OutputError
from docscan_cli.wording import printable

_NOT_IN_NAMES = frozenset('/\\:*?"<>|')
_MAX_NAME_BYTES = 200
STDOUT = Path("-")
"""The name that stands for the standard output."""


class Layout(StrEnum):
    """What a PDF shows of a page: its image, with the text invisible on it, or the text, typeset."""

    SCAN = "scan"
    TEXT = "text"


class Format(StrEnum):
    """What an export consists of."""

    PDF = "pdf"
    TEXT_PDF = "text-pdf"
    TXT = "txt"
    JSON = "json"

    @property
    def suffix(self) -> str:
        """How the names of its files end."""
        return ".pdf" if self in {Format.PDF, Format.TEXT_PDF} else f".{self}"


def check_output(target: Path, *, force: bool, inputs: Iterable[Path] = ()) -> None:
    """Raise InvalidInputError unless `target` can be written.

    An existing file is replaced only with `force`, and one of the `inputs` never.
    """
    name = printable(str(target))
    folder = target.resolve().parent
    if any(target.resolve() == path.resolve() for path in inputs):
        raise InvalidInputError(f"{name} is one of the images to scan. Give the result another name.")
    if target.exists():
        mode = target.stat().st_mode
        if not stat.S_ISREG(mode):
            raise InvalidInputError(f"{name} is a folder or device. Give the result the name of a file.")
        if not force:
            raise InvalidInputError(f"{name} exists. Give another name, or --force to replace it.")
    if not folder.is_dir():
        raise InvalidInputError(f"{name} cannot be written: there is no folder {printable(str(folder))}.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InvalidInputError(f"{name} cannot be written: no permission for the folder {printable(str(folder))}.")


def file_name(name: str, suffix: str) -> str:
    """A name for a file after what a person called something, which every common file system takes."""
    plain = "".join("_" if character in _NOT_IN_NAMES else character for character in printable(name))
    plain = plain.encode("utf-8", "replace")[:_MAX_NAME_BYTES].decode("utf-8", "ignore").strip(" .-")
    return f"{plain or 'Docscan'}{suffix}"


def volumes(target: Path, count: int) -> list[Path]:
    """The files of a document that comes in `count` volumes: `out.pdf`; or `out-1.pdf`, `out-2.pdf` and so on."""
    if count == 1:
        return [target]
    return [target.with_name(f"{target.stem}-{number}{target.suffix}") for number in range(1, count + 1)]


def size_of(target: Path) -> int | None:
    """The size of a file in bytes, None where there is none."""
    return target.stat().st_size if target.is_file() else None


def beside(target: Path, name: str) -> Path:
    """Where what becomes `target` is written until it is whole: hidden, and on the same disk."""
    return target.resolve().with_name(f".docscan-{name}.part")


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A file to write to that becomes `target` when the block ends well, and is removed when it does not.

    Until then `target` stays as it was. A link stays a link; what it points to is replaced, with its mode kept.
    Raises OutputError where the disk refuses.
    """
    part = beside(target, secrets.token_hex(6))
    try:
        with _becoming(target, part, "xb") as file:
            yield file
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def continuing(target: Path, part: Path) -> Iterator[BinaryIO]:
    """Like `replacing`, but what is written goes to `part`, beside `target`, and stays there when the block fails.

    What is there already is kept, and the file's position is its end.
    """
    with _becoming(target, part, "ab") as file:
        yield file


@contextlib.contextmanager
def _becoming(target: Path, part: Path, mode: Literal["ab", "xb"]) -> Iterator[BinaryIO]:
    target = target.resolve()
    try:
        with part.open(mode) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    except OSError as error:
        raise OutputError(f"{printable(str(target))} could not be written: {error.strerror or error}.") from error
