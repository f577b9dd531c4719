"""Joining PDFs that were built in parts into one, as it would have been built at once: in order, searchable, PDF/A-2b.

qpdf copies the bytes of images and pages as they are, from file to file. What parts have alike is in the joined PDF
once: font programs, colour profiles, the forms of typeset glyphs.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from scanner import archival
from scanner.sheets import Sheets, heading, label

_PACKET = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n{}\n<?xpacket end="w"?>\n'


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

    `language` is a BCP 47 tag. The same parts give the same bytes. Raises DamagedPartError where a part cannot be read,
    ValueError where the parts have more or fewer sheets than `sheets` says.
    """
    with Pdf.new() as joined:
        shared = _Shared(joined)
        for number, path in enumerate(parts):
            _append(joined, shared, number, path)
        if len(joined.pages) != (told := sum(page.count for page in sheets)):
            raise ValueError(f"the parts have {len(joined.pages)} sheets, not {told}")
        _describe(joined, title, created, language)
        _list(joined, sheets)
        joined.save(
            cast("BinaryIO", file),
            min_version="1.7",
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            deterministic_id=True,
        )


def _append(joined: Pdf, shared: "_Shared", number: int, path: Path) -> None:
    try:
        # Neither mapped into memory nor mended; it is closed when the joined PDF, which reads from it, is.
        part = Pdf.open(path, access_mode=pikepdf.AccessMode.stream, attempt_recovery=False)
        first = len(joined.pages)
        joined.pages.extend(part.pages)
        if number == 0:
            intents = part.make_indirect(part.Root.OutputIntents)
            joined.Root.OutputIntents = joined.copy_foreign(intents)
        for page in joined.pages[first:]:
            shared.replace_in(page)
        warnings = part.get_warnings()
    except (pikepdf.PdfError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise DamagedPartError(number, str(error)) from error
    if warnings:
        raise DamagedPartError(number, str(warnings[0]))


@dataclass(slots=True)
class _Shared:
    """Streams that are alike are one: each is known by a digest of its content and its dictionary."""

    joined: Pdf
    streams: dict[bytes, Any] = field(default_factory=dict)
    seen: dict[tuple[int, int], Any] = field(default_factory=dict)

    def replace_in(self, page: pikepdf.Page) -> None:
        """Replace what the page's resources share with those of pages before it."""
        for font in page.resources.get("/Font", {}).values():
            descriptor = font.DescendantFonts[0].FontDescriptor
            descriptor.FontFile2 = self.one(descriptor.FontFile2)
        objects = page.resources.get("/XObject", {})
        for name, shown in objects.items():
            if shown.Subtype == Name.Form:
                objects[name] = self.one(shown)
            elif isinstance(space := shown.get("/ColorSpace"), Array) and space[0] == Name.ICCBased:
                space[1] = self.one(space[1])

    def one(self, stream: Any) -> Any:
        """Return the first stream that is like this one."""
        if stream.objgen not in self.seen:
            entries = repr(sorted((key, str(value)) for key, value in stream.stream_dict.items()))
            digest = hashlib.sha256(entries.encode() + stream.read_raw_bytes()).digest()
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
