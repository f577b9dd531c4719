"""The files that results go to: checked before any work begins, and written whole or not at all."""

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from docscan_cli.errors import InvalidInputError, OutputError
from docscan_cli.wording import printable

STDOUT = Path("-")
"""The name that stands for the standard output."""


class Layout(StrEnum):
    """What a PDF shows of a page: its image, with the text invisible on it, or the text, typeset."""

    SCAN = "scan"
    TEXT = "text"


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


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A file to write to that becomes `target` when the block ends well, and is removed when it does not.

    Until then `target` stays as it was. A link stays a link; what it points to is replaced, with its mode kept.
    Raises OutputError where the disk refuses.
    """
    target = target.resolve()
    beside = target.with_name(f".docscan-{secrets.token_hex(6)}.part")
    try:
        try:
            with beside.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, beside)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{printable(str(target))} could not be written: {error.strerror or error}.") from error
