"""What a command has begun at a system: a second call of the same command finds it here, and goes on with it.

It is in the person's configuration folder, a file for each thing that was begun, named by a digest of what makes a call
"the same". The system has the last word: what it does not know any more is begun anew.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docscan_cli.errors import InvalidInputError, OutputError
from docscan_cli.private_files import private_folder, write_private
from docscan_cli.wording import printable

KEPT_SECONDS = 90 * 86_400
"""From the last change. Longer than the system itself remembers."""


class Begun:
    """What is known of something that was begun: facts by name. None are, until there is something to go on with."""

    def __init__(self, path: Path) -> None:
        """Read what an earlier call has noted in `path`; what cannot be read is as if it were not there."""
        self._path = path
        self.facts: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            facts = json.loads(path.read_text("utf-8"))
            self.facts = facts if isinstance(facts, dict) else {}

    def note(self, **facts: Any) -> None:
        """Keep these facts, too, from now on. Raises OutputError where the disk refuses."""
        self.facts |= facts
        write_private(self._path, self.facts)

    def forget(self) -> None:
        """Keep nothing of it: neither the facts, nor the files that were half written (the fact `parts`)."""
        for part in self.facts.get("parts", {}):
            with contextlib.suppress(OSError):
                Path(part).unlink()
        self.facts = {}
        with contextlib.suppress(OSError):
            self._path.unlink()


@contextlib.contextmanager
def begun(kind: str, *identity: str | None) -> Iterator[Begun]:
    """What an earlier call that was the same, by its `kind` and `identity`, has begun. No other call has it meanwhile.

    Raises InvalidInputError where another process is at it, and OutputError where the disk refuses.
    """
    folder = private_folder("begun")
    digest = hashlib.sha256(json.dumps([kind, *identity]).encode())
    with _alone(folder, int.from_bytes(digest.digest()[:7])):
        _forget_old(folder)
        yield Begun(folder / f"{digest.hexdigest()}.json")


def _forget_old(folder: Path) -> None:
    for path in folder.glob("*.json"):
        with contextlib.suppress(OSError):  # another call may have forgotten it by now
            if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                Begun(path).forget()


@contextlib.contextmanager
def _alone(folder: Path, number: int) -> Iterator[None]:
    """Hold the lock of that number: one byte of a file that is never written, so that no lock is ever left behind."""
    try:
        import fcntl
    except ImportError:  # on Windows, two calls of the same at the same time are the person's own affair
        yield
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (folder / "lock").open("ab")
    except OSError as error:
        raise OutputError(f"{printable(str(folder))} could not be written: {error.strerror}.") from error
    with file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError as error:
            raise InvalidInputError("The same command is running already. Wait for it, or stop it first.") from error
        yield
