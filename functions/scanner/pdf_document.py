"""A PDF/A-2b on its way into a file: fpdf2's document, in memory that does not grow with the images put into it.

fpdf2 would hold every image, and once more in the document that it puts together. Here images wait in a temporary file,
and what is finished goes to a file at once. The same input gives the same bytes.
"""

import hashlib
import tempfile
import zlib
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from fpdf import FPDF, ViewerPreferences
from fpdf.enums import OutputIntentSubType, PDFResourceType
from fpdf.image_datastructures import RasterImageInfo
from fpdf.output import OutputProducer, PDFICCProfile, PDFXObject
from fpdf.syntax import Name, PDFArray, PDFContentStream
from fpdf.util import builtin_srgb2014_bytes

from scanner import archival, glyphless
from scanner.sheets import Sheets, heading, label

_FONT = "glyphless"


class Document(FPDF):
    """A document in points, with one font, whose glyphs are for `characters` and all empty.

    `language` is a BCP 47 tag. `sheets` tells the project's pages that the document shows so far.
    """

    def __init__(self, title: str, created: datetime, language: str | None, characters: Set[str]) -> None:
        super().__init__(unit="pt")
        self.pdf_version = "1.7"
        self.set_auto_page_break(auto=False)
        self.set_margin(0)
        self.set_title(title)
        self.set_producer(archival.PRODUCER)
        self.set_creation_date(created)
        self.set_xmp_metadata(archival.xmp(title, created))
        self.add_output_intent(
            OutputIntentSubType.PDFA,
            output_condition_identifier="sRGB",
            dest_output_profile=PDFICCProfile(builtin_srgb2014_bytes(), n=3, alternate="DeviceRGB"),
            info="sRGB IEC 61966-2-1",
        )
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        if language:
            self.set_lang(language)
        self.sheets: list[Sheets] = []
        self._waiting = tempfile.TemporaryFile()  # noqa: SIM115 - gone with the document
        self._digest = hashlib.sha256()
        with tempfile.NamedTemporaryFile(suffix=".ttf") as font:
            font.write(glyphless.font(characters))
            font.flush()
            self.add_font(_FONT, fname=font.name)
        self.set_font(_FONT, size=1)
        self._font: Any = self.current_font

    def add_sheet(self, number: int, width: float, height: float) -> None:
        """Begin a sheet of that size that shows the project's page `number`, or more of it."""
        nth = self.sheets.pop().count + 1 if self.sheets and self.sheets[-1].number == number else 1
        self.sheets.append(Sheets(number, nth))
        prefix, start = label(number, nth)
        self.add_page(format=(width, height), label_style="D", label_prefix=prefix, label_start=start)
        if nth == 1:
            self.start_section(heading(number))

    def draw(self, *operators: str) -> None:
        """Add operators to the current page's content."""
        self._out("\n".join(operators))

    def select_font(self) -> str:
        """Return the operator that selects the font, one point large, on the current page."""
        return self._set_font_for_page(self._font, self.font_size_pt, wrap_in_text_object=False)

    def show(self, text: str) -> str:
        """Return the operator that shows text from left to right."""
        return self._font.encode_text(text)

    def add_form(self, content: bytes, box: tuple[int, int, int, int]) -> int:
        """Add what pages show again and again; return the number N under which they do, as `/IN Do`, once allowed."""
        form: Any = PDFContentStream(content, compress=len(content) > 200)
        form.type, form.subtype, form.b_box = Name("XObject"), Name("Form"), PDFArray(list(box))
        number = self._resource_catalog.next_xobject_index
        self._resource_catalog.next_xobject_index += 1
        self._resource_catalog.form_xobjects.append((number, form))
        return number

    def allow_form(self, number: int) -> None:
        """Allow the current page to show a form."""
        self._resource_catalog.add(PDFResourceType.X_OBJECT, number, self.page)

    def add_image(self, info: dict[str, Any], profile: bytes | None) -> str:
        """Add an image, as fpdf2 describes one, with its ICC profile; return the name under which to place it.

        The encoded bytes in `data`, and in `smask` where there is one, are put aside until the document is written.
        """
        cache = self.image_cache
        index = cache.icc_profiles.setdefault(profile, len(cache.icc_profiles)) if profile else None
        stored = {key: self._put_aside(info[key]) for key in ("data", "smask") if key in info}
        name = f"page-{self.page}"
        cache.images[name] = RasterImageInfo(
            info | stored, i=len(cache.images) + 1, usages=0, iccp_i=index, inverted=False
        )
        return name

    def write_to(self, file: IO[bytes]) -> None:
        """Finish the document and write it."""
        sink = _Sink(file, self._digest)
        self.output(output_producer_class=lambda document: _Producer(document, sink))  # pyright: ignore[reportArgumentType]
        self._waiting.close()

    def file_id(self) -> str:
        """Identify the file by what has been written of it; fpdf2 asks when that is all but the trailer."""
        identifier = self._digest.hexdigest()[:32].upper()
        return f"<{identifier}><{identifier}>"

    def _put_aside(self, data: bytes) -> "_Stored":
        offset = self._waiting.tell()
        self._waiting.write(data)
        return _Stored(self._waiting, offset, len(data))


@dataclass(frozen=True, slots=True)
class _Stored:
    """Bytes that wait in a file."""

    file: IO[bytes]
    offset: int
    length: int

    def read(self) -> bytes:
        self.file.seek(self.offset)
        return self.file.read(self.length)


class _Sink:
    """A file in place of the buffer in which fpdf2 puts a document together."""

    def __init__(self, file: IO[bytes], digest: Any) -> None:
        self._file, self._digest, self._length = file, digest, 0

    def __iadd__(self, data: bytes) -> "_Sink":
        self._file.write(data)
        self._digest.update(zlib.crc32(data).to_bytes(4))  # of images, a digest would take as long as all else
        self._length += len(data)
        return self

    def __len__(self) -> int:
        return self._length


class _Producer(OutputProducer):
    """fpdf2's producer, writing to a sink; each image's bytes are read when it is their turn, and not copied."""

    def __init__(self, document: FPDF, sink: _Sink) -> None:
        super().__init__(document)
        self.buffer: Any = sink

    def _add_image(self, info: dict[str, Any]) -> PDFXObject:
        stored = info["data"]
        image = super()._add_image({**info, "data": b""})
        image.length = stored.length

        def serialize(**_: object) -> tuple[bytes, ...]:
            head, end, tail = PDFXObject.serialize(image).encode("latin-1").rpartition(b"\nendstream")
            return head, stored.read(), end + tail

        image.serialize = serialize  # pyright: ignore[reportAttributeAccessIssue]
        return image

    def _out(self, data: Any) -> None:
        """Write an object, which may come in parts."""
        if isinstance(data, tuple):
            *parts, data = data
            for part in parts:
                self.buffer += part
        super()._out(data)
