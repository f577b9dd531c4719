"""A text in the user's own editor."""

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from docscan_cli.errors import DocscanError, InvalidInputError, StoppedError
from docscan_cli.wording import printable

EDITORS = ("sensible-editor", "nano", "vi", "notepad")
"""What is tried where neither VISUAL nor EDITOR is set."""


@contextlib.contextmanager
def edited(text: str, name: str) -> Iterator[str]:
    """Have `text` edited in a file called `name`; the block gets what it has become, without line ends at its end.

    Where the block fails, or the editor does, what the user wrote is kept, and the error has a note that says where.
    Raises InvalidInputError where no editor can be started or the file is not UTF-8 any more, StoppedError where the
    editor ends with an error.
    """
    folder = Path(tempfile.mkdtemp(prefix="docscan-"))  # for its user's eyes alone
    file = folder / name
    file.write_text(before := text + "\n", "utf-8")
    try:
        _run_editor(file)
        yield text_in(file)
    except (DocscanError, KeyboardInterrupt) as error:
        failure = StoppedError("Stopped.") if isinstance(error, KeyboardInterrupt) else error
        if file.exists() and file.read_bytes() != before.encode():
            failure.add_note(f"Your text is kept in {file}: give that as FILE to go on.")
            raise failure from None
        shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def text_in(file: Path) -> str:
    """The text of a file, without line ends at its end. Raises InvalidInputError unless it can be read as UTF-8."""
    try:
        return decoded(file.read_bytes(), printable(str(file)))
    except OSError as error:
        raise InvalidInputError(f"{printable(str(file))} cannot be read: {error.strerror}.") from error


def decoded(data: bytes, name: str) -> str:
    """Text from UTF-8, without line ends at its end. Raises InvalidInputError, which says `name`, for other bytes."""
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").rstrip("\n")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{name} is not text in UTF-8.") from error


def _run_editor(file: Path) -> None:
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or next(filter(shutil.which, EDITORS), "")
    if not chosen:
        raise InvalidInputError("There is no editor. Name yours in EDITOR, or give the text in a FILE.")
    try:
        code = subprocess.run([*shlex.split(chosen), file], check=False).returncode
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"The editor {printable(chosen)!r} cannot be started: {error}. Name yours in EDITOR, or give a FILE."
        ) from error
    if code:
        raise StoppedError(f"The editor ended with an error ({code}). Nothing was changed.")
