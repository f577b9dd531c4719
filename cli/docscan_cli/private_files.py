"""What the command keeps for itself, in the person's configuration folder: for its owner's eyes alone (mode 0600)."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from docscan_cli.errors import OutputError
from docscan_cli.wording import printable


def private_folder(name: str) -> Path:
    """The folder of that name among the command's own ones; it may not be there yet."""
    import typer

    return Path(typer.get_app_dir("docscan")) / name


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as JSON, whole or not at all. Raises OutputError where the disk refuses."""
    beside = path.with_name(f".{secrets.token_hex(6)}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump(content, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{printable(str(path))} could not be written: {error.strerror}.") from error
