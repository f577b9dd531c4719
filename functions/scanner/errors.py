"""What can go wrong, as types with fields.

    ScannerError
    ├── InvalidRequestError     the caller has to change the request
    ├── UnauthenticatedError    nobody is signed in
    ├── NotFoundError           no such resource, or another user's
    ├── PagesNotReadyError      pages are still being recognised
    ├── NothingToExportError    no page is ready
    ├── ProjectTooLargeError    too much for an answer within a request
    ├── QuotaExceededError      the day's quota of pages is used up
    ├── NoRoomError             no position is left between two pages
    ├── ContendedError          too many changes of the same project at once
    ├── SupersededError         the stored state is not the one the change was based on
    ├── MissingObjectError      an object that was to be read is not, or no longer, there
    ├── UnfinishedError         time is up, the rest follows with the next delivery
    ├── ThrottledError          recognition is asked for more than its quota allows
    ├── GivenUpError            all attempts are used up
    ├── ImportRefusedError      a file that cannot be imported; its code is the import's failure
    └── ImageRefusedError       a page's image can never be recognised; its code is the page's failure

Only `scanner.edge` knows which HTTP status each of them is.
"""

from collections.abc import Collection


class ScannerError(Exception):
    """An expected error. `code` is for programs, `message` tells a person what to do."""

    code = "internal-error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequestError(ScannerError):
    """The caller has to change the request."""

    code = "invalid-request"


class UnauthenticatedError(ScannerError):
    """The request carries no verified identity."""

    code = "unauthenticated"


class NotFoundError(ScannerError):
    """There is no such resource for this user."""

    code = "not-found"


class PagesNotReadyError(ScannerError):
    """Pages are still being recognised."""

    code = "pages-not-ready"


class NothingToExportError(ScannerError):
    """No page of the project is ready."""

    code = "nothing-to-export"


class ProjectTooLargeError(ScannerError):
    """The project is too large for a PDF within one request."""

    code = "project-too-large"


class QuotaExceededError(ScannerError):
    """The day's quota of pages is used up."""

    code = "quota-exceeded"


class NoRoomError(ScannerError):
    """No position is left between two pages."""

    code = "no-room"


class ContendedError(ScannerError):
    """Other changes of the same project kept getting in first."""

    code = "busy"


class SupersededError(ScannerError):
    """The stored state is no longer the one a change was based on; nothing was changed.

    `refused` holds the places, in a transaction, of the actions whose conditions do not hold.
    """

    def __init__(self, message: str, refused: Collection[int] = ()) -> None:
        super().__init__(message)
        self.refused = refused


class MissingObjectError(ScannerError):
    """An object that was to be read is not, or no longer, there; `key` is its key."""

    def __init__(self, key: str) -> None:
        super().__init__("Something that belongs to this project is not there.")
        self.key = key


class UnfinishedError(ScannerError):
    """Work was left over when time ran out; it is safe to start again."""


class ThrottledError(ScannerError):
    """Recognition is asked for more than its quota allows; later it will do."""


class GivenUpError(ScannerError):
    """All attempts are used up."""


class ImportRefusedError(ScannerError):
    """A file, or a page of it, that cannot be imported. `code` is one of the import failure codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ImageRefusedError(ScannerError):
    """An image that cannot become a page. `code` is one of the page failure codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
