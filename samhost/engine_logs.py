"""The logs of Python and Node.js functions inside the engine's process, taken without waiting.

A function logs to a pipe, and answers on another. What it has written before its answer is in the pipe when the answer
has arrived. MiniStack 1.5.33 reads lines in a thread, and after each invocation polls for what that thread may still
bring: for 5 ms after the last line, for 50 ms where no line comes. Here whoever wants the log reads what is left in the
pipe. A thread empties it, too, for a function that writes more than a pipe holds would wait for that and never answer.

What a function's own threads write after its answer is in the log of its next invocation, as on AWS. Custom runtimes
are MiniStack's own matter: their program may write its log and its answer in any order.
"""

import os
import select
import threading
from collections.abc import Callable
from typing import IO, Any, override

from ministack.core import lambda_runtime

PIPE_BYTES = 1 << 16  # what a pipe holds, on Linux as on macOS: one read of as much takes all that was there before it


def install() -> None:
    """Have the engine run functions of Python and Node.js in workers of this module."""
    lambda_runtime.Worker = LoggingWorker


class PipeLog:
    """What is written to a pipe, from its other end.

    Two threads read it: one that keeps it from filling up, and the one that wants to know what is there now. The lock
    keeps what they read in order.
    """

    def __init__(self, pipe: IO, before: bytes = b""):
        """Begin with what was written to another pipe before."""
        self._pipe = pipe  # open for as long as somebody may read it
        self._written = bytearray(before)
        self._lock = threading.Lock()
        os.set_blocking(pipe.fileno(), False)

    def keep_reading(self) -> None:
        """Read until everybody who could write has closed the pipe."""
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        at_end = False
        while not at_end:
            poll.poll()
            with self._lock:
                at_end = self._read()

    def take(self) -> bytes:
        """All that was written up to now and is not taken yet, without waiting for more."""
        with self._lock:
            self._read()
            written, self._written = bytes(self._written), bytearray()
        return written

    def _read(self) -> bool:
        """Read what the pipe holds, once: a writer that never stops holds nobody up. Return whether it has ended."""
        try:
            content = os.read(self._pipe.fileno(), PIPE_BYTES)
        except BlockingIOError:
            return False
        self._written += content
        return not content


class LoggingWorker(lambda_runtime.Worker):
    """MiniStack's worker, with the log of each invocation complete and at once."""

    _log: PipeLog | None = None

    @property
    def _read_stderr(self) -> Callable[[], None]:  # pyright: ignore[reportIncompatibleMethodOverride] - called all the same
        """What MiniStack runs in a thread for each process that it starts.

        It asks for it once the process is there, so that is when the log of this process begins, and not when the
        thread comes to run. What another one has written after its last answer, such as why it died, comes first.
        """
        process: Any = self._proc
        self._log = PipeLog(process.stderr, self._log.take() if self._log else b"")
        return self._log.keep_reading

    @override
    def _drain_stderr(self) -> str:
        """The lines of an invocation, as MiniStack asks for them after a timeout."""
        return self._log.take().decode(errors="replace").removesuffix("\n") if self._log else ""

    @override
    def _drain_stderr_bounded(self, first_line_wait: float = 0, idle_confirm: float = 0, hard_cap: float = 0) -> str:
        """The same after any other end of an invocation; nothing is waited for."""
        return self._drain_stderr()
