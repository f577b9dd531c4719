"""The steps of an import: its file is opened, taken apart part by part, and the import is ended.

Each step can be taken again at any time, and two at once do no harm: what was done is in the import, and changes by
conditional writes alone. A refusal ends the import, with its reason; a fault is raised, for the workflow to try again.
"""

from contextlib import suppress
from dataclasses import dataclass
from io import SEEK_END

from scanner import imports, text
from scanner.aws import bucket, imports_table, object_file, pages_table, projects_table
from scanner.errors import ImportRefusedError, NotFoundError, QuotaExceededError, SupersededError
from scanner.imported_page import ImportedPage, PagedFile
from scanner.imports import Failure, Import
from scanner.page import Page, Status, TextSource
from scanner.paged_file import open_file

_IN_VAIN = "although it was tried several times. Pages made so far stay. Save the file anew, and import that."
_REFUSALS = (ImportRefusedError, NotFoundError, QuotaExceededError)


@dataclass(frozen=True, slots=True)
class Part:
    """Some pages of a file that follow one another: which part, from 0, and where its pages are in the file."""

    number: int
    places: list[int]


def open_(key: str, version: str | None, execution: str) -> tuple[Import, list[Part]] | None:
    """Take on the import whose file has arrived, and open it; return it with its parts.

    None where there is nothing to do: the object is no import's, another execution has taken it on, or it was refused.
    Local engines do not tell the `version`; then it is the newest.
    """
    imported = _of_upload(key)
    if imported is None:
        return None
    imported = imports_table.claim(imported, version or bucket.newest_version(key), execution)
    if imported is None:
        return None
    try:
        projects_table.get(imported.owner, imported.project_id)  # with the project the file goes, too
        places = _places(imported)
        opened = imports_table.open_(imported.import_id, len(places))
    except _REFUSALS as refusal:
        imports_table.end(imported, Failure(refusal.code, refusal.message))
        return None
    if opened is None:
        return None
    size = imports.PART_PAGES
    return opened, [Part(first // size, places[first : first + size]) for first in range(0, len(places), size)]


def split(import_id: str, part: Part) -> int:
    """Make the pages of a part that are not made yet; return how many those were.

    Once the import has ended, nothing is made any more; what was made stays, and a page that was begun gets its image.
    """
    imported = imports_table.get(import_id)
    if imported is None or not (imported.status == imports.Status.RUNNING or imported.made[part.number]):
        return 0
    try:
        projects_table.get(imported.owner, imported.project_id)
        with object_file.opened(bucket.import_key(imported), imported.version) as file:
            return _make_pages(import_id, part, open_file(file, imported.content_type))
    except _REFUSALS as refusal:
        imports_table.end(imported, Failure(refusal.code, refusal.message))
        return 0


def finish(import_id: str) -> None:
    """All parts are made: the import is completed, unless it has failed."""
    if imported := _running(import_id):
        imports_table.end(imported, None)


def give_up(import_id: str, part: Part) -> None:
    """A part has failed however often it was tried: so has the import, at the page that the part has come to."""
    if imported := _running(import_id):
        numbers = imported.pages_of(part.number)
        number = numbers[min(imported.made[part.number], len(numbers) - 1)]
        imports_table.end(imported, Failure("page-failed", f"Page {number} could not be imported, {_IN_VAIN}"))


def give_up_file(key: str, execution: str) -> str | None:
    """A file could not be opened however often it was tried: so its import has failed, whose id is returned.

    One that another execution has taken on goes on; one that none has is taken on to fail.
    """
    imported = _of_upload(key)
    if imported and (own := imports_table.claim(imported, imported.version, execution)):
        imports_table.end(own, Failure("import-failed", f"The file could not be opened, {_IN_VAIN}"))
    return imported.import_id if imported else None


def _of_upload(key: str) -> Import | None:
    """Return the import that an object of the bucket is the file of."""
    ids = bucket.parse_import_key(key)
    imported = imports_table.get(ids[1]) if ids else None
    return imported if imported and key == bucket.import_key(imported) else None


def _running(import_id: str) -> Import | None:
    imported = imports_table.get(import_id)
    return imported if imported and imported.status == imports.Status.RUNNING else None


def _places(imported: Import) -> list[int]:
    """Return where the pages are in the file. Raises ImportRefusedError."""
    with object_file.opened(bucket.import_key(imported), imported.version) as file:
        if file.seek(0, SEEK_END) > imports.MAX_BYTES:
            limit = f"{imports.MAX_BYTES >> 30} GB"
            raise ImportRefusedError("import-too-large", f"The file is larger than {limit}. Import it in parts.")
        return open_file(file, imported.content_type).places()


def _make_pages(import_id: str, part: Part, paged: PagedFile) -> int:
    """Make one page after another, as long as the import runs. It is read before each page, for it says which.

    Another attempt may be at work on the same part, or have died over a page that it had only begun. Raises
    ImportRefusedError, NotFoundError.
    """
    finished = mine = 0
    while imported := imports_table.get(import_id):
        numbers, made = imported.pages_of(part.number), imported.made[part.number]
        if made > finished:
            _finish_page(imported, numbers[made - 1], part.places[made - 1], paged)
            finished = made
        if made == len(numbers) or imported.status != imports.Status.RUNNING:
            break
        number = numbers[made]
        taken = paged.page(number, part.places[made], with_text=not imported.recognise_anyway)
        with_text = taken.text is not None
        page = Page.of_import(imported, number, taken.content_type, taken.rotation, with_text=with_text)
        try:
            count = imports_table.page_made(imported, part.number, made, with_text=with_text)
            pages_table.create_imported(page, count)
        except SupersededError as error:
            if 1 in error.refused:
                raise NotFoundError("The project was deleted while the file was imported.") from error
            continue
        _store(page, taken)
        finished, mine = made + 1, mine + 1
    return mine


def _finish_page(imported: Import, number: int, place: int, paged: PagedFile) -> None:
    """Store what a page lacks that was begun: an attempt may have ended between the page and its image."""
    page = pages_table.get(imported.project_id, imported.page_id(number))
    if page and page.status == Status.AWAITING_UPLOAD and page.image_id == imported.image_id(number):
        _store(page, paged.page(number, place, with_text=page.text_source == TextSource.DOCUMENT))


def _store(page: Page, taken: ImportedPage) -> None:
    """Store a page's image, after all that belongs to it: its arrival starts recognition, where there is no text yet.

    Where the page went meanwhile, the arrival has all of it deleted.
    """
    if taken.text is None:
        bucket.write(bucket.image_key(page), taken.image, taken.content_type)
        return
    bucket.write(bucket.words_key(page), text.to_json(taken.text), "application/json")
    bucket.write(bucket.thumbnail_key(page), taken.thumbnail, "image/jpeg")
    version = bucket.write(bucket.image_key(page), taken.image, taken.content_type)
    with suppress(SupersededError):  # another attempt was first, or its owner has deleted the page, or its image
        pages_table.transition(page, page.imported(version, taken.text))
