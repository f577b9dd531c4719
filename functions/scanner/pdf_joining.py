"""Joining PDFs that were built in parts into one, as it would have been built at once: in order, searchable, PDF/A-2b.

qpdf copies images and pages as they are, from file to file. What parts have alike is in the joined PDF once: font
programs, colour profiles, the forms of typeset glyphs.
"""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from scanner import archival
from scanner.sheets import Sheets, heading, label

_PACKET = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n{}\n<?xpacket end="w"?>\n'

_PLACEHOLDER = b"31415926535897932384626433832795"
"""What qpdf writes for a file's identifier if it is not to make one up."""

_SHARED_AT_ONCE = 16_000
"""Streams, which take some 80 MB."""


class DamagedPartError(Exception):
    """A part is not what was written: `part`, its place among the parts from 0 on, is to be built again."""

    def __init__(self, part: int, reason: str) -> None:
        super().__init__(f"part {part} of the PDF is damaged: {reason}")
        self.part = part


def join(
    parts: Sequence[Path],
    sheets: Sequence[Sheets],
    title: str,
    created: datetime,
    language: str | None,
    file: IO[bytes],
) -> None:
    """Write one PDF of `parts`, which `pdf.build` or `typeset_pdf.build` have written; `sheets` is of all of them.

    `language` is a BCP 47 tag. The same parts give the same bytes. `file` is one that can be sought in. Raises
    DamagedPartError where a part cannot be read, ValueError where the parts have more or fewer sheets than `sheets`
    says.
    """
    checked = [_checked(number, path) for number, path in enumerate(parts)]
    identifiers, alike = zip(*checked, strict=True)
    with tempfile.TemporaryDirectory() as folder, _merged(_condensed(parts, alike, Path(folder))) as joined:
        if len(joined.pages) != (told := sum(page.count for page in sheets)):
            raise ValueError(f"the parts have {len(joined.pages)} sheets, not {told}")
        _describe(joined, title, created, language)
        _list(joined, sheets)
        with Pdf.open(parts[0]) as first:
            intents = first.make_indirect(first.Root.OutputIntents)
            joined.Root.OutputIntents = joined.copy_foreign(intents)
        described = repr([identifiers, title, created.astimezone(UTC), language, *sheets]).encode()
        _write(joined, hashlib.sha256(described).digest()[:16], file)


@contextmanager
def _merged(parts: Iterable[Path]) -> Iterator[Pdf]:
    """Give a PDF of the parts' pages, by a job of qpdf's own: pikepdf's pages would take each image into memory."""
    pages = [{"file": str(path), "range": "1-z"} for path in parts]
    job = pikepdf.Job({"empty": "", "pages": pages, "outputFile": "never written", "removeUnreferencedResources": "no"})
    with job.create_pdf() as merged:
        _share(merged)
        yield merged


def _condensed(parts: Sequence[Path], alike: Sequence[int], folder: Path) -> Sequence[Path]:
    """Return PDFs of the same pages that have fewer streams to share, if `parts` have many: joined by batches.

    `alike` says of each part how many streams it may share. A part of Chinese has a thousand glyphs or two, and each
    takes some 5 KB of memory until all parts are joined. The batches go to `folder`; parts of images make none.
    """
    batches, room = [], 0
    for path, count in zip(parts, alike, strict=True):
        if count > room or not batches:
            batches.append([])
            room = _SHARED_AT_ONCE
        batches[-1].append(path)
        room -= count
    if sum(alike) <= _SHARED_AT_ONCE or len(batches) == len(parts):
        return parts
    (folder := folder / "condensed").mkdir()
    condensed, left = [folder / f"{number}.pdf" for number, _ in enumerate(batches)], []
    for target, batch in zip(condensed, batches, strict=True):
        with _merged(batch) as merged, target.open("wb") as file:
            left.append(_share(merged))
            _write(merged, bytes(16), file)
    return _condensed(condensed, left, folder)


def _checked(number: int, path: Path) -> tuple[bytes, int]:
    """Read through a part, nothing mended; return its identifier, a digest of all of it, and how much it may share."""
    try:
        with Pdf.open(path, access_mode=pikepdf.AccessMode.stream, attempt_recovery=False) as part:
            alike = _share(part)
            identifier, warnings = bytes(part.trailer.ID[1]), part.get_warnings()
            complete = "/OutputIntents" in part.Root
    except (pikepdf.PdfError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise DamagedPartError(number, str(error)) from error
    if warnings or not complete:
        raise DamagedPartError(number, str([*warnings, "it has no output intent"][0]))
    return identifier, alike


def _share(joined: Pdf) -> int:
    """Replace what the pages' resources have alike by the first of each; return how many streams were looked at."""
    shared = _Shared()
    for resources in {page.Resources.objgen: page.Resources for page in joined.pages}.values():
        for font in resources.Font.values():
            descriptor = font.DescendantFonts[0].FontDescriptor
            descriptor.FontFile2 = shared.one(descriptor.FontFile2)
        objects = resources.get("/XObject", {})
        for name, shown in objects.items():
            if shown.Subtype == Name.Form:
                objects[name] = shared.one(shown)
            elif isinstance(space := shown.get("/ColorSpace"), Array) and space[0] == Name.ICCBased:
                space[1] = shared.one(space[1])
    return len(shared.seen)


@dataclass(slots=True)
class _Shared:
    """Streams that are alike are one: each is known by a digest of its content and its dictionary."""

    streams: dict[bytes, Any] = field(default_factory=dict)
    seen: dict[tuple[int, int], Any] = field(default_factory=dict)

    def one(self, stream: Any) -> Any:
        """Return the first stream that is like this one."""
        if stream.objgen not in self.seen:
            digest = hashlib.sha256(stream.stream_dict.unparse() + stream.read_raw_bytes()).digest()
            self.seen[stream.objgen] = self.streams.setdefault(digest, stream)
        return self.seen[stream.objgen]


def _describe(joined: Pdf, title: str, created: datetime, language: str | None) -> None:
    packet = Stream(joined, _PACKET.format(archival.xmp(title, created)).encode())
    packet.Type, packet.Subtype = Name.Metadata, Name.XML
    joined.Root.Metadata = joined.make_indirect(packet)
    moment = f"D:{created.astimezone(UTC):%Y%m%d%H%M%S}Z"
    joined.trailer.Info = joined.make_indirect(
        Dictionary(Title=String(title), Producer=archival.PRODUCER, CreationDate=moment)
    )
    joined.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    if language:
        joined.Root.Lang = String(language)


def _list(joined: Pdf, sheets: Sequence[Sheets]) -> None:
    """Give the PDF its outline, an item for each of the project's pages, and a label for each sheet."""
    labels, first = [], 0
    with joined.open_outline() as outline:
        for page in sheets:
            top = float(joined.pages[first].mediabox[3])
            outline.root.append(pikepdf.OutlineItem(heading(page.number), first, page_location="XYZ", left=0, top=top))
            for nth in range(1, min(page.count, 2) + 1):
                prefix, start = label(page.number, nth)
                entry = Dictionary(S=Name.D, St=start)
                if prefix:
                    entry.P = String(prefix)
                labels += [first + nth - 1, entry]
            first += page.count
    joined.Root.PageLabels = Dictionary(Nums=Array(labels))


def _write(joined: Pdf, identifier: bytes, file: IO[bytes]) -> None:
    """Write the PDF with that identifier; to make one up, qpdf would digest all images, longer than all else takes."""
    joined.trailer.ID = Array([String(identifier), String(identifier)])
    ended = _Ended(file)
    joined.save(
        cast("Any", ended),
        min_version="1.7",
        compress_streams=False,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
        object_stream_mode=pikepdf.ObjectStreamMode.disable,  # so that the identifier comes last
        static_id=True,
    )
    end = file.tell()
    file.seek(end - len(ended.last) + ended.last.index(_PLACEHOLDER))
    file.write(identifier.hex().encode())
    file.seek(end)


class _Ended:
    """A file, and the last bytes that were written to it, in which a PDF's identifier is."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.last = file, b""

    def write(self, data: bytes) -> int:
        self.last = (self.last + data[-256:])[-256:]
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
