"""The documents of an export: its parts, joined to as many volumes as it takes, one at a time."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from scanner import exported_text
from scanner.aws import bucket, bus, exports_table, projects_table
from scanner.errors import MissingObjectError, NotFoundError, NothingToExportError
from scanner.export import Attempt, Format, PlannedPart, Product, Volume
from scanner.services.export_parts import SHEETS, parse_sheets
from scanner.settings import SETTINGS


@dataclass(frozen=True, slots=True)
class Unfinished:
    """There is no product yet: these parts have to be built (again); or, where there are none, volumes are left."""

    parts: tuple[PlannedPart, ...] = ()


def join(owner: str, export_id: str) -> Product | Unfinished | None:
    """Make the next volume of an export, and of the last one the product, of which the event bus hears.

    Doing it again makes no second document. Returns None if the export has ended otherwise meanwhile. Raises
    NotFoundError where the project is gone, NothingToExportError where all of its pages are; and PublishingError, after
    which it is to be tried again.
    """
    attempt = exports_table.get(owner, export_id)
    if attempt is None or (attempt.ended_at and not attempt.completed_at):
        return None
    if attempt.completed_at:
        return _product(attempt)
    if missing := tuple(part for part in attempt.planned if part.number not in attempt.parts):
        return Unfinished(missing)
    left = _volumes_left(attempt)
    if not (left or attempt.volumes):
        raise NothingToExportError("All pages of this export were deleted while it was made.")
    if left:
        try:
            volume = _joined(attempt, left)
        except _MissingPartsError as error:
            for number in error.numbers:
                exports_table.forget_part(attempt, number)
            return Unfinished(tuple(attempt.planned[number] for number in error.numbers))
        if not exports_table.add_volume(attempt, volume):
            _delete_documents(attempt)
            return None
        if len(left) > 1:
            return Unfinished()
    completed = exports_table.complete(attempt)
    return _product(completed) if completed else None


class _MissingPartsError(Exception):
    """Parts that were built are not there any more."""

    def __init__(self, numbers: tuple[int, ...]) -> None:
        super().__init__(f"parts {numbers}")
        self.numbers = numbers


def _volumes_left(attempt: Attempt) -> list[list[int]]:
    """Return the numbers of the parts of each volume that is not made yet; parts without pages are in none.

    What is in the volumes that are made is told by their pages, not by what would fit into them now: a part that had to
    be built again may be smaller than the one for which there was no room.
    """
    volumes: list[list[int]] = []
    room = 0
    pages_made = sum(volume.page_count for volume in attempt.volumes)
    for number, part in sorted(attempt.parts.items()):
        if pages_made:
            pages_made -= part.page_count
            continue
        if not part.page_count:
            continue
        if part.size > room or not volumes:
            volumes.append([])
            room = SETTINGS.volume_bytes
        volumes[-1].append(number)
        room -= part.size
    return volumes


def _joined(attempt: Attempt, left: Sequence[Sequence[int]]) -> Volume:
    """Make the first of the volumes that are left, and store it. Raises _MissingPartsError, NotFoundError."""
    numbers, place = left[0], len(attempt.volumes) + 1
    count = len(attempt.volumes) + len(left)
    title = attempt.name if count == 1 else f"{attempt.name} ({place} of {count})"
    key = bucket.volume_key(attempt.project_id, attempt.export_id, place, attempt.format.extension)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        parts = _downloaded(attempt, numbers, folder)
        document = folder / "document"
        with document.open("wb") as file:
            _write(attempt, title, parts, file)
        size = document.stat().st_size
        bucket.upload(key, document, attempt.format.content_type)
    try:
        projects_table.get(attempt.owner, attempt.project_id)
    except NotFoundError:  # and whatever deletes the project may have been here before
        _delete_documents(attempt)
        raise
    return Volume(key, size, sum(attempt.parts[number].page_count for number in numbers))


@dataclass(frozen=True, slots=True)
class _Downloaded:
    """A part, by its number, as a file, and what was noted beside it when it was built."""

    number: int
    path: Path
    notes: Mapping[str, str]


def _downloaded(attempt: Attempt, numbers: Sequence[int], folder: Path) -> list[_Downloaded]:
    parts, missing = [], []
    for number in numbers:
        path = folder / f"part-{number}"
        try:
            parts.append(_Downloaded(number, path, bucket.download(_key(attempt, number), path)))
        except MissingObjectError:
            missing.append(number)
    if missing:
        raise _MissingPartsError(tuple(missing))
    return parts


def _write(attempt: Attempt, title: str, parts: Sequence[_Downloaded], file: IO[bytes]) -> None:
    paths = [part.path for part in parts]
    match attempt.format:
        case Format.PDF | Format.TEXT_PDF:
            from scanner import pdf_joining  # takes qpdf

            sheets = [sheets for part in parts for sheets in parse_sheets(part.notes[SHEETS])]
            created = datetime.fromisoformat(attempt.changed_at)
            try:
                pdf_joining.join(paths, sheets, title, created, attempt.language, file)
            except pdf_joining.DamagedPartError as error:
                number = parts[error.part].number
                bucket.delete_part(_key(attempt, number), lambda: False)
                raise _MissingPartsError((number,)) from error
        case Format.TXT:
            exported_text.join_plain(paths, file)
        case Format.JSON:
            exported_text.join_json(paths, attempt.project_id, attempt.name, file)


def _key(attempt: Attempt, number: int) -> str:
    return bucket.part_key(attempt.project_id, attempt.parts[number].digest, attempt.format.extension)


def _delete_documents(attempt: Attempt) -> None:
    bucket.delete_export(attempt.project_id, attempt.export_id, lambda: False)


def _product(attempt: Attempt) -> Product:
    """Return what a completed attempt has made, and tell the bus. Raises PublishingError."""
    product = Product(
        export_id=attempt.export_id,
        project_id=attempt.project_id,
        owner=attempt.owner,
        format=attempt.format,
        name=attempt.name,
        volumes=attempt.volumes,
        page_count=sum(part.page_count for part in attempt.parts.values()),
        left_out_count=attempt.all_left_out,
        completed_at=attempt.completed_at or "",
    )
    bus.publish(bus.export_completed(product))
    return product
