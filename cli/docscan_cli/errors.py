"""What can go wrong, each kind with the exit code that it ends the command with.

DocscanError
├── MissingPagesError    1  finished, but some pages are missing from the result
├── InvalidInputError    2  the command line or a file cannot be used; nothing was changed
├── UnreachableError     3  no system is running, or it cannot be reached
├── SignInError          4  not signed in, or the sign-in was refused
├── ServerError          5  the system answered with an error of its own
├── RefusedError         6  the system cannot do this: no such project, nothing to export, …
├── OutputError          7  a result could not be written
├── WaitTimeoutError     8  gave up waiting; recognition goes on without the command
├── DefectError         70  a defect of docscan itself
└── StoppedError       130  stopped by Ctrl-C, or by "no" to a question

Exit code 0 means that all went well. `main` maps these to exit codes, once.
"""

from typing import ClassVar


class DocscanError(Exception):
    """An error whose message says to the user what happened and what to do."""

    exit_code: ClassVar[int]
    meaning: ClassVar[str]


class MissingPagesError(DocscanError):
    """The command finished and wrote what it could; the message names the pages that are missing from it."""

    exit_code = 1
    meaning = "finished, but some pages are missing from the result; they are named"


class InvalidInputError(DocscanError):
    """The command line or a file given on it cannot be used. Raised before anything is created."""

    exit_code = 2
    meaning = "the command line or a file cannot be used; nothing was changed"


class UnreachableError(DocscanError):
    """No system is running, or the network does not lead to it."""

    exit_code = 3
    meaning = "no system is running, or it cannot be reached"


class SignInError(DocscanError):
    """Nobody is signed in, the sign-in has ended, or it was refused."""

    exit_code = 4
    meaning = "not signed in, or the sign-in was refused"


class ServerError(DocscanError):
    """The system answered with an error of its own, or with something that the contract does not know."""

    exit_code = 5
    meaning = "the system answered with an error of its own"


class RefusedError(DocscanError):
    """The system understood and cannot do it.

    `code` is the API's error code (`not-found`, `nothing-to-export`, …), None where an answer has none.
    """

    exit_code = 6
    meaning = "the system cannot do this: no such project, nothing to export, …"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class OutputError(DocscanError):
    """A result could not be written to its file."""

    exit_code = 7
    meaning = "a result could not be written"


class WaitTimeoutError(DocscanError):
    """Nothing changed for so long that the command gave up. The project stays as it is, and recognition goes on."""

    exit_code = 8
    meaning = "gave up waiting; recognition goes on without the command"


class DefectError(DocscanError):
    """Something that docscan should have foreseen."""

    exit_code = 70
    meaning = "a defect of docscan itself"


class StoppedError(DocscanError):
    """The user stopped the command."""

    exit_code = 130
    meaning = 'stopped by Ctrl-C, or by "no" to a question'


EXIT_CODES: dict[int, str] = {0: "all went well"} | {
    error.exit_code: error.meaning for error in DocscanError.__subclasses__()
}
"""What each exit code means, for `--help`."""
