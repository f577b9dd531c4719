"""TIFF files of many pages, read where their pages are: Pillow's own reader of several pages takes in the whole file.

A page is taken out as a TIFF of its own, with the same strips or tiles, which Pillow then decodes.
The format: TIFF Revision 6.0, https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf.
"""

import io
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Self

from PIL import Image

from scanner import image, imports
from scanner.errors import ImageRefusedError, ImportRefusedError
from scanner.imported_page import ImportedPage, damaged, drawn, refused, too_many_pages

_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SHORT, _LONG = 3, 4

_KIND, _OLD_KIND, _WIDTH, _LENGTH = 254, 255, 256, 257
_STRIPS, _TILES = (273, 279), (324, 325)
"""Tags of the offsets and the numbers of bytes."""

_ELSEWHERE = {330, 34665, 34853, 40965, 513, 514}
"""Tags that point to more than the page's own strips: further directories, and JPEGs as TIFF once had them."""

_REDUCED, _MASK = 1, 4
_OLD_REDUCED = 2

_MOST_ENTRIES = 1_000
_MOST_BYTES = 128 << 20
"""Of a page's strips together."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A directory's entry: type and number of its values, and their bytes in the file's order."""

    type: int
    count: int
    data: bytes


type _Directory = dict[int, _Entry]


class TiffFile:
    """A TIFF; a page's place is the offset of its directory."""

    def __init__(self, file: IO[bytes], order: str) -> None:
        self._file = file
        self._order = order

    @classmethod
    def open(cls, file: IO[bytes]) -> Self:
        """Open a TIFF. Raises ImportRefusedError for what is none."""
        file.seek(0)
        order = _ORDERS.get(file.read(4))
        if order is None:
            raise ImportRefusedError("import-unsupported", "This is no TIFF file. Import a PDF, or a TIFF.")
        return cls(file, order)

    def places(self) -> list[int]:
        """Return the pages' places; reduced images and masks are no pages. Raises ImportRefusedError."""
        try:
            found = [offset for offset in self._offsets() if self._is_page(self._directory(offset))]
        except (struct.error, ValueError) as error:
            raise damaged("TIFF") from error
        if not found:
            raise damaged("TIFF")
        if len(found) > imports.MAX_PAGES:
            raise too_many_pages(imports.MAX_PAGES)
        return found

    def page(self, number: int, place: int, *, with_text: bool) -> ImportedPage:  # noqa: ARG002 - a TIFF has none
        """Take out a page: without loss, where that fits. Raises ImportRefusedError."""
        try:
            alone = self._alone(self._directory(place))
            data, content_type = drawn(_decoded(alone), lossless=True)
        except (struct.error, ValueError) as error:
            raise refused(number, "it is damaged or incomplete.") from error
        except Image.DecompressionBombError as error:
            raise refused(number, "it has too many pixels.") from error
        except ImageRefusedError as error:
            raise refused(number, error.message) from error
        return ImportedPage(data, content_type)

    def _offsets(self) -> Iterator[int]:
        """Yield where the directories are. Raises ImportRefusedError where there are too many, or they loop."""
        seen: set[int] = set()
        self._file.seek(4)
        (offset,) = self._unpack("I", self._read(4))
        while offset:
            if offset in seen:
                raise damaged("TIFF")
            if len(seen) >= 2 * imports.MAX_PAGES:
                raise too_many_pages(imports.MAX_PAGES)
            seen.add(offset)
            yield offset
            self._file.seek(offset)
            (count,) = self._unpack("H", self._read(2))
            self._file.seek(offset + 2 + 12 * count)
            (offset,) = self._unpack("I", self._read(4))

    def _is_page(self, directory: _Directory) -> bool:
        kind, old = self._values(directory, _KIND), self._values(directory, _OLD_KIND)
        if not (self._values(directory, _WIDTH) and self._values(directory, _LENGTH)):
            return False
        return not (kind and kind[0] & (_REDUCED | _MASK)) and not (old and old[0] == _OLD_REDUCED)

    def _directory(self, offset: int) -> _Directory:
        """Read a directory. Its longer values are left where they are until they are asked for: see `_values`."""
        self._file.seek(offset)
        (count,) = self._unpack("H", self._read(2))
        if not 0 < count <= _MOST_ENTRIES:
            raise ValueError("This is no directory.")
        data = self._read(12 * count)
        entries: _Directory = {}
        for start in range(0, len(data), 12):
            tag, kind, number = self._unpack("HHI", data[start : start + 8])
            if kind in _SIZES:  # others are to be skipped, says the specification
                entries[tag] = _Entry(kind, number, data[start + 8 : start + 12])
        return entries

    def _bytes(self, entry: _Entry) -> bytes:
        size = entry.count * _SIZES[entry.type]
        if size <= 4:
            return entry.data[:size]
        if size > _MOST_BYTES // 8:
            raise ValueError("The directory holds more than any page needs.")
        (offset,) = self._unpack("I", entry.data)
        self._file.seek(offset)
        return self._read(size)

    def _values(self, directory: _Directory, tag: int) -> tuple[int, ...]:
        entry = directory.get(tag)
        if entry is None or entry.type not in {_SHORT, _LONG}:
            return ()
        return self._unpack(f"{entry.count}{'H' if entry.type == _SHORT else 'I'}", self._bytes(entry))

    def _alone(self, directory: _Directory) -> bytes:
        """Return a TIFF of this page alone: the same entries, and the same strips or tiles one after another."""
        offsets_tag, lengths_tag = _STRIPS if _STRIPS[0] in directory else _TILES
        offsets, lengths = self._values(directory, offsets_tag), self._values(directory, lengths_tag)
        if not offsets or len(offsets) != len(lengths) or sum(lengths) > _MOST_BYTES:
            raise ValueError("The page's strips are not where they should be.")
        kept = {tag: entry for tag, entry in directory.items() if tag not in _ELSEWHERE}
        kept[offsets_tag] = _Entry(_LONG, len(offsets), b"")
        head = 8 + 2 + 12 * len(kept) + 4
        values = {tag: self._bytes(entry) for tag, entry in kept.items() if tag != offsets_tag}
        long = {tag: data for tag, data in values.items() if len(data) > 4}
        start = head + sum(len(data) + len(data) % 2 for data in long.values()) + 4 * len(offsets)
        moved, end = [], start
        for length in lengths:
            moved.append(end)
            end += length
        values[offsets_tag] = struct.pack(f"{self._order}{len(moved)}I", *moved)
        out, tail = io.BytesIO(), io.BytesIO()
        magic = next(magic for magic, order in _ORDERS.items() if order == self._order)
        out.write(magic + struct.pack(f"{self._order}IH", 8, len(kept)))
        for tag in sorted(kept):
            data = values[tag]
            out.write(struct.pack(f"{self._order}HHI", tag, kept[tag].type, kept[tag].count))
            if len(data) <= 4:
                out.write(data.ljust(4, b"\0"))
            else:
                out.write(struct.pack(f"{self._order}I", head + tail.tell()))
                tail.write(data + b"\0" * (len(data) % 2))
        out.write(struct.pack(f"{self._order}I", 0))
        out.write(tail.getvalue().ljust(start - head, b"\0"))
        for offset, length in zip(offsets, lengths, strict=True):
            self._file.seek(offset)
            out.write(self._read(length))
        return out.getvalue()

    def _read(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) != size:
            raise ValueError("The file ends too early.")
        return data

    def _unpack(self, layout: str, data: bytes) -> tuple[int, ...]:
        return struct.unpack(self._order + layout, data)


def _decoded(tiff: bytes) -> Image.Image:
    """Return the upright pixels of a TIFF of one page.

    Raises ImageRefusedError or ValueError for damage, DecompressionBombError.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata, and about more pixels than Pillow likes
            opened = Image.open(io.BytesIO(tiff), formats=("TIFF",))
    except (OSError, SyntaxError, KeyError, TypeError) as error:
        raise ValueError("This is no page.") from error
    pixels = image.decode(opened)
    return pixels.convert("L") if pixels.mode in {"I", "F"} else pixels
