"""Ends the tasks that a killed samhost leaves: `python -m samhost.ecs.orphans`.

It is told the process groups of tasks on standard input, a line each: `+ID` for one that has started, `-ID` for one
that has ended. When standard input ends, samhost is gone, and so shall be what is left.
"""

import contextlib
import os
import signal
import sys
import time

PATIENCE_SECONDS = 3.0  # for tasks to end by themselves


def main() -> None:
    """Wait for the end of standard input, and then end all groups that are left."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line.startswith("+") else groups.discard)(int(line[1:]))
    for group in groups:
        signal_group(group, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(map(_is_there, groups)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        signal_group(group, signal.SIGKILL)


def signal_group(group: int, sign: int) -> None:
    """Send a signal to all processes of a group, if there are any."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, sign)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
