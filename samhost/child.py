"""Runs a module as a child of the supervisor, and ends with it: `python -m samhost.child MODULE [ARGUMENT…]`.

The supervisor holds the other end of standard input. When it is gone, for whatever reason (a `kill -9` too), standard
input ends and the child stops as it would on SIGTERM: no process stays behind.
"""

import os
import runpy
import signal
import sys
import threading


def _stop_when_input_ends() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run the module named by the first argument as `__main__`, with the arguments after it."""
    threading.Thread(target=_stop_when_input_ends, daemon=True, name="supervisor-watch").start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
