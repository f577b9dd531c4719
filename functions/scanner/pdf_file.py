"""PDF files of many pages: each page's image, and its text where it has one.

pikepdf reads the file, wherever in it a page's objects are, and makes a PDF of each page alone; what has to be drawn or
searched for text, PDFium gets in that form. So neither needs the rest of the file, whatever is wrong with it.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import IO, BinaryIO, Self, cast

import pikepdf
import pypdfium2
from PIL import Image, ImageChops

from scanner import image, imports, pdf_guard, pdf_scan, pdf_words
from scanner.errors import ImageRefusedError, ImportRefusedError
from scanner.imported_page import DPI, MAX_PIXELS, ImportedPage, damaged, drawn, refused, too_many_pages
from scanner.pdf_geometry import Placement, quarters, visible_box

# What pikepdf raises for what is in a damaged file, or is of another type than it should be; PDFium's error is a
# RuntimeError, too.
_DAMAGE = (
    pikepdf.PdfError,
    RuntimeError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
    NotImplementedError,
)

_HEADER, _HEADER_WITHIN = b"%PDF-", 1024  # as readers look for it
_END, _END_WITHIN = b"%%EOF", 64 << 10  # some write more behind it
_INHERITED = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")
_DEEPEST = 64  # of the page tree


class PdfFile:
    """A PDF; a page's place is the number of its object, or 0 where it is found by going through all pages only."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pdf = pdf

    @classmethod
    def open(cls, file: IO[bytes]) -> Self:
        """Open a PDF; one with a password for changes only is open to all. Raises ImportRefusedError."""
        file.seek(0)
        if _HEADER not in file.read(_HEADER_WITHIN):
            raise ImportRefusedError("import-unsupported", "This is no PDF file. Import a PDF, or a TIFF.")
        file.seek(0)
        try:
            pdf = pikepdf.open(cast("BinaryIO", file), inherit_page_attributes=False)
        except pikepdf.PasswordError as error:
            message = "The PDF is protected by a password. Save it without one, and import that."
            raise ImportRefusedError("import-encrypted", message) from error
        except _DAMAGE as error:
            raise damaged("PDF") from error
        repaired = any("econstruct" in str(warning) for warning in pdf.get_warnings())
        if repaired and not _has_end(file):  # cut off: what was lost would be missing on pages, or pages would
            raise damaged("PDF")
        return cls(pdf)

    def places(self) -> list[int]:
        """Return the pages' places. Raises ImportRefusedError."""
        try:
            found = [page.obj.objgen for page in self._pdf.pages]
        except _DAMAGE as error:
            raise damaged("PDF") from error
        if not found:
            raise damaged("PDF")
        if len(found) > imports.MAX_PAGES:
            raise too_many_pages(imports.MAX_PAGES)
        return [number if self._is_of_file(number, generation) else 0 for number, generation in found]

    def page(self, number: int, place: int, *, with_text: bool) -> ImportedPage:
        """Take out a page: as the JPEG that it is, bytes unchanged, or drawn. Raises ImportRefusedError."""
        try:
            with self._alone(number, place) as alone:
                return _Alone(alone).taken(with_text=with_text)
        except pdf_guard.TooMuchError as error:
            raise refused(number, f"it {error}") from error
        except _DAMAGE as error:
            raise refused(number, "it is damaged or incomplete.") from error

    def _is_of_file(self, number: int, generation: int) -> bool:
        """Tell whether a page can be found by its object: not one that pikepdf has added, for a page that is twice in
        the tree, or is no object of its own.
        """
        return generation == 0 and number < int(self._pdf.trailer.get("/Size", 0))

    @contextmanager
    def _alone(self, number: int, place: int) -> Iterator[pikepdf.Pdf]:
        """Make a PDF of one page, with what it inherits from the tree, and the layers that are switched off.

        Its streams stay in the file until they are read.
        """
        page = self._pdf.get_object(place, 0) if place else self._pdf.pages[number - 1].obj
        with pikepdf.new() as alone:
            alone.pages.append(pikepdf.Page(page))
            copy = alone.pages[0].obj
            for name in _INHERITED:
                if name not in copy and (value := _inherited(page, name)) is not None:
                    copy[name] = self._copied(alone, value)
            if (layers := self._pdf.Root.get("/OCProperties")) is not None:
                alone.Root.OCProperties = self._copied(alone, layers)
            yield alone

    def _copied(self, alone: pikepdf.Pdf, value: pikepdf.Object) -> pikepdf.Object:
        if not isinstance(value, pikepdf.Object):  # a number
            return value
        return alone.copy_foreign(value if value.is_indirect else self._pdf.make_indirect(value))


def _has_end(file: IO[bytes]) -> bool:
    size = file.seek(0, io.SEEK_END)
    file.seek(max(size - _END_WITHIN, 0))
    return _END in file.read(_END_WITHIN)


def _inherited(page: pikepdf.Object, name: str) -> pikepdf.Object | None:
    node = page
    for _ in range(_DEEPEST):
        node = node.get("/Parent")
        if not isinstance(node, pikepdf.Dictionary):
            return None
        if name in node:
            return node[name]
    return None


class _Alone:
    """A PDF of one page."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pdf = pdf
        self._page = pdf.pages[0]
        self._box = visible_box(self._page)
        self._quarters = quarters(self._page.obj.get("/Rotate", 0))

    def taken(self, *, with_text: bool) -> ImportedPage:
        scan = self._scan()
        searched = with_text and self._has_fonts()
        if scan and not searched:
            return ImportedPage(scan.jpeg, "image/jpeg", scan.quarters * 90)
        self._pdf.remove_unreferenced_resources()
        pictures = pdf_guard.check(self._pdf)
        with self._in_pdfium() as page:
            if scan:
                taken = ImportedPage(scan.jpeg, "image/jpeg", scan.quarters * 90)
                with suppress(ImageRefusedError):  # of a damaged JPEG PDFium draws what there is
                    return self._with_text(page, taken, scan.placement)
            taken = ImportedPage(*drawn(_draw(page), lossless=not pictures))
            placement = Placement.of_box(self._box, self._quarters)
            return self._with_text(page, taken, placement) if searched else taken

    def _scan(self) -> pdf_scan.Scan | None:
        try:
            return pdf_scan.find(self._page, self._box, self._quarters)
        except _DAMAGE:
            return None  # PDFium may make more of it

    def _has_fonts(self) -> bool:
        return any(
            found.get("/Type") == "/Font" for found in self._pdf.objects if isinstance(found, pikepdf.Dictionary)
        )

    def _with_text(self, page: pypdfium2.PdfPage, taken: ImportedPage, placement: Placement) -> ImportedPage:
        size = image.upright_size(image.open_image(taken.image))
        text = pdf_words.read(page, placement, size, self._box)
        return replace(taken, text=text, thumbnail=image.prepare(taken.image).thumbnail) if text else taken

    @contextmanager
    def _in_pdfium(self) -> Iterator[pypdfium2.PdfPage]:
        self._pdf.save(file := io.BytesIO(), compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
        document = pypdfium2.PdfDocument(file)
        try:
            yield document[0]
        finally:
            document.close()


def _draw(page: pypdfium2.PdfPage) -> Image.Image:
    """Return a page's pixels, grey where it has no colours: at 300 dpi, or at fewer where that would be too many."""
    width, height = (max(side, 1e-3) for side in page.get_size())
    scale = min(DPI / 72, (MAX_PIXELS / (width * height)) ** 0.5, image.MAX_SIDE / max(width, height))
    bitmap = page.render(scale=scale, rev_byteorder=True)  # pyright: ignore[reportArgumentType] - it takes any number
    try:
        pixels = bitmap.to_pil().convert("RGB")
    finally:
        bitmap.close()
    red, green, blue = pixels.split()
    same = not ImageChops.difference(red, green).getbbox() and not ImageChops.difference(green, blue).getbbox()
    return red if same else pixels
