"""Imports: files of many pages, and what has become of them.

    awaiting-upload → running → completed | failed

A file is taken apart in parts of PART_PAGES pages. An import remembers how many pages each part has made, so that a
part that is interrupted goes on where it was, and a page that its owner has deleted does not come back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Self

from scanner.errors import InvalidRequestError
from scanner.ids import derived_id, new_id, timestamp

CONTENT_TYPES = ("application/pdf", "image/tiff")
MAX_BYTES = 2 << 30
MAX_PAGES = 5_000
PART_PAGES = 10


class Status(StrEnum):
    """Where an import stands."""

    AWAITING_UPLOAD = "awaiting-upload"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an import failed: `code` for programs, `message` for the person who can do something about it."""

    code: str
    message: str


CODES = frozenset(
    {
        "import-damaged",
        "import-encrypted",
        "import-unsupported",
        "import-too-large",
        "import-too-many-pages",
        "quota-exceeded",
        "page-failed",
        "not-found",
        "import-failed",
    }
)
"""What an import can fail with."""

INTERRUPTED = Failure(
    "import-failed",
    "The import was interrupted. The pages made so far stay. To have all of them, import the file again.",
)


@dataclass(frozen=True, slots=True)
class Import:
    """An import.

    `version` is that of the uploaded object, empty until it has arrived, and `execution` the ARN of the workflow that
    has taken it on. Once the file was opened, its pages have the positions from `first_position` on, and `made` says of
    each part how many of its pages there are. `pages_with_text` of the `pages_done` have the text that the file had.
    """

    import_id: str
    owner: str
    project_id: str
    content_type: str
    recognise_anyway: bool
    status: Status
    created_at: str
    updated_at: str
    version: str = ""
    execution: str | None = None
    page_count: int | None = None
    first_position: int | None = None
    made: tuple[int, ...] = ()
    pages_done: int = 0
    pages_with_text: int = 0
    failure: Failure | None = None

    @classmethod
    def create(cls, owner: str, project_id: str, order: "Order") -> Self:
        """Make a new import, which awaits the upload of its file."""
        now = timestamp()
        return cls(
            import_id=new_id(),
            owner=owner,
            project_id=project_id,
            content_type=order.content_type,
            recognise_anyway=order.recognise_anyway,
            status=Status.AWAITING_UPLOAD,
            created_at=now,
            updated_at=now,
        )

    def pages_of(self, part: int) -> range:
        """Return the numbers, from 1, of the pages in a part. Only of an import whose file was opened."""
        first = part * PART_PAGES + 1
        return range(first, min(first + PART_PAGES, (self.page_count or 0) + 1))

    def position(self, number: int) -> Decimal:
        """Return the position of a page. Only of an import whose file was opened."""
        return Decimal((self.first_position or 0) + number - 1)

    def page_id(self, number: int) -> str:
        """Return the id of a page, the same however often it is made."""
        return derived_id(self.import_id, f"page {number}")

    def image_id(self, number: int) -> str:
        """Return the id of a page's image, the same however often it is made."""
        return derived_id(self.import_id, f"image {number}")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be imported, and how."""

    content_type: str
    recognise_anyway: bool

    @classmethod
    def parse(cls, body: Mapping[str, object]) -> Self:
        """Read what was sent to create an import. Raises InvalidRequestError."""
        wanted, anyway = body.get("contentType"), body.get("recogniseAnyway", False)
        if wanted not in CONTENT_TYPES or not isinstance(wanted, str):
            raise InvalidRequestError(
                f'Send the file\'s type, one of {", ".join(CONTENT_TYPES)}: {{"contentType": "…"}}.'
            )
        if not isinstance(anyway, bool):
            raise InvalidRequestError("`recogniseAnyway` is true or false.")
        return cls(wanted, anyway)


def part_count(page_count: int) -> int:
    """Return in how many parts a file of so many pages is taken apart."""
    return -(-page_count // PART_PAGES)
