"""Work that takes its time and may be cut off: whatever ends it early says how to go on."""

import shlex
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from docscan_cli.errors import DocscanError, StoppedError
from docscan_cli.wording import printable


def carry_out(
    work: Callable[[], Coroutine[Any, Any, None]],
    account: Callable[[DocscanError], str],
    complete: tuple[type[DocscanError], ...],
) -> None:
    """Do the work. What ends it early gets a note: what `account` says of how far it is, and how to go on.

    Ctrl-C ends it as a StoppedError. Errors of the types in `complete` need no note: they say all there is to do.
    """
    import asyncio

    try:
        asyncio.run(work())
    except KeyboardInterrupt:
        stopped = StoppedError("Stopped.")
        stopped.add_note(account(stopped))
        raise stopped from None
    except complete:
        raise
    except DocscanError as error:
        error.add_note(account(error))
        raise


def command(*words: str, options: Mapping[str, object]) -> str:
    """A command of docscan's, ready to be copied. Options without a value are left out; True ones stand alone."""
    line = ["docscan", *words]
    for option, value in options.items():
        if value is True:
            line.append(option)
        elif value:
            line += [option, str(value)]
    return printable(shlex.join(line))


def go_on_with(*commands: str) -> str:
    """Name the commands that do the rest."""
    return "\n  ".join(["Go on with:", *commands])
