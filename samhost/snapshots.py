"""Snapshots: folders that hold all of a process's state at one instant, each of them whole.

A snapshot is written beside the last one and then given its name, which is the only step that counts: whatever is
killed, and whenever, the newest named snapshot is complete. What it has in common with the last one are hard links.
"""

import asyncio
import contextlib
import fcntl
import filecmp
import gc
import os
import shutil
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

LONGEST_SECONDS = 45
_UNCHANGED = 3  # exit status of a writer


class SnapshotError(Exception):
    """A snapshot could not be written; the last one stands."""


class Snapshots:
    """The snapshots in a folder of their own, each named after its instant: nanoseconds since 1970.

    `save(folder)` writes the state into a folder that may hold the last one's; it replaces files, never changes them.
    """

    def __init__(self, folder: Path, save: Callable[[Path], None]):
        self.folder = folder
        self._save = save
        self._one_at_a_time = asyncio.Lock()

    def newest(self) -> Path | None:
        """The newest snapshot. One that a killed process had begun is waited for, for its writer lives on."""
        with self._held():
            return self._newest()

    async def take(self) -> bool:
        """Write a snapshot of this instant; returns whether anything had changed since the last one.

        A forked copy of this process writes it, and sees the state as it was; this process goes on meanwhile. Raises
        SnapshotError where that fails; the copy has said why on standard error.
        """
        async with self._one_at_a_time:
            parent, instant = os.getpid(), time.time_ns()
            with warnings.catch_warnings():
                # The warning is about threads: a lock that one holds stays locked in the copy. The copy would hang at
                # it, and be ended after LONGEST_SECONDS.
                warnings.simplefilter("ignore", DeprecationWarning)
                writer = os.fork()
            if not writer:
                self._write_and_exit(parent, instant)
            _, status = await asyncio.to_thread(os.waitpid, writer, 0)
            code = os.waitstatus_to_exitcode(status)
            if code not in {0, _UNCHANGED}:
                raise SnapshotError(f"The writer of a snapshot ended with status {code}.")
            return code == 0

    def take_now(self) -> bool:
        """The same in this process, which does nothing else meanwhile."""
        with self._held():
            return self._write(time.time_ns())

    def _write(self, instant: int) -> bool:
        last, unfinished = self._newest(), self.folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        if last:
            shutil.copytree(last, unfinished, copy_function=os.link)
        else:
            unfinished.mkdir()
        self._save(unfinished)
        if last and _same(last, unfinished):
            shutil.rmtree(unfinished)
            return False
        for path in unfinished.rglob("*"):
            _sync(path)
        # The later snapshot has the higher name, even where the clock was set back.
        unfinished.rename(self.folder / str(max(instant, int(last.name) + 1 if last else 0)))
        _sync(self.folder)
        if last:
            shutil.rmtree(last)
        return True

    def _write_and_exit(self, parent: int, instant: int) -> None:
        status = 1
        try:
            signal.alarm(LONGEST_SECONDS)
            gc.disable()  # collecting would copy what the two processes share
            os.nice(10)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # sockets above all: a port is free when its process is dead
            with self._held():
                # Without its parent, the next process may have read the last snapshot already.
                if os.getppid() == parent:
                    status = 0 if self._write(instant) else _UNCHANGED
        except BaseException:  # noqa: BLE001 - the outermost edge of this process
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(status)

    def _newest(self) -> Path | None:
        return max((path for path in self.folder.iterdir() if path.name.isdigit()), key=_instant, default=None)

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _instant(snapshot: Path) -> int:
    return int(snapshot.name)


def _same(one: Path, other: Path) -> bool:
    files = [sorted(path.relative_to(folder) for path in folder.rglob("*")) for folder in (one, other)]
    return files[0] == files[1] and all(
        (one / file).samefile(other / file) or filecmp.cmp(one / file, other / file, shallow=False)
        for file in files[0]
        if (one / file).is_file()
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
