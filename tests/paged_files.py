"""PDFs and TIFFs of several pages, as scanners, offices and attackers make them."""

import io
import zlib
from collections.abc import Callable, Iterable

import pikepdf
from fpdf import FPDF, TextMode
from PIL import Image, ImageDraw, ImageFont

A4 = (595.0, 842.0)
LETTER = "Dear reader, this letter has a good hundred letters and digits, so that nobody takes it for a stamp, 1 to 99."

type Draw = Callable[[FPDF], None]


def photograph(words: str = "", size: tuple[int, int] = (620, 877), mode: str = "RGB", quality: int = 80) -> bytes:
    """A JPEG with some words on it."""
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).text((40, 100), words, fill="black", font=ImageFont.load_default(48))
    picture.convert(mode).save(file := io.BytesIO(), "JPEG", quality=quality)
    return file.getvalue()


def written(*pages: Draw) -> bytes:
    """A PDF with a page for each function that draws one."""
    pdf = FPDF(unit="pt", format=A4)
    pdf.set_margin(0)
    pdf.set_auto_page_break(auto=False)
    for draw in pages:
        pdf.add_page()
        draw(pdf)
    return bytes(pdf.output())


def scan(jpeg: bytes) -> Draw:
    """The page is this JPEG."""
    return lambda pdf: pdf.image(io.BytesIO(jpeg), 0, 0, *A4) and None


def letter(text: str = LETTER) -> Draw:
    """The page is text, line by line."""

    def draw(pdf: FPDF) -> None:
        pdf.set_font("helvetica", size=10)
        for number, line in enumerate(text.split("\n")):
            pdf.text(36, 72 + 20 * number, line)

    return draw


def read_scan(jpeg: bytes, text: str = LETTER) -> Draw:
    """The page is a JPEG under invisible text, as of programs that recognise it."""

    def draw(pdf: FPDF) -> None:
        scan(jpeg)(pdf)
        with pdf.local_context(text_mode=TextMode.INVISIBLE):
            letter(text)(pdf)

    return draw


def drawing(pdf: FPDF) -> None:
    """The page is lines and a circle."""
    pdf.line(10, 10, 500, 800)
    pdf.circle(200, 300, 80, style="F")


def of_contents(
    contents: bytes, images: Iterable[pikepdf.Stream | Callable[[pikepdf.Pdf], pikepdf.Object]] = (), **page: object
) -> bytes:
    """A PDF of one page with these drawing instructions; images are called /I0, /I1 …; `page` has its other entries."""
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=A4)
        made = pdf.pages[0].obj
        made.Contents = pdf.make_stream(contents)
        objects = {f"/I{number}": make(pdf) for number, make in enumerate(images)}
        made.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(objects))
        for name, value in page.items():
            made[f"/{name}"] = value
        return saved(pdf)


def jpeg_object(jpeg: bytes, **entries: object) -> Callable[[pikepdf.Pdf], pikepdf.Object]:
    """An image that is this JPEG."""

    def make(pdf: pikepdf.Pdf) -> pikepdf.Object:
        with Image.open(io.BytesIO(jpeg)) as opened:
            size, mode = opened.size, opened.mode
        spaces = {"L": pikepdf.Name.DeviceGray, "RGB": pikepdf.Name.DeviceRGB, "CMYK": pikepdf.Name.DeviceCMYK}
        described = {
            "Type": pikepdf.Name.XObject,
            "Subtype": pikepdf.Name.Image,
            "Width": size[0],
            "Height": size[1],
            "ColorSpace": spaces[mode],
            "BitsPerComponent": 8,
            "Filter": pikepdf.Name.DCTDecode,
        }
        values = {name: value(pdf) if callable(value) else value for name, value in (described | entries).items()}
        return pdf.make_stream(jpeg, pikepdf.Dictionary({f"/{name}": value for name, value in values.items()}))

    return make


def packed_object(width: int, height: int, data: bytes, **entries: object) -> Callable[[pikepdf.Pdf], pikepdf.Object]:
    """A grey image of that size, as it says, with Flate's bytes."""

    def make(pdf: pikepdf.Pdf) -> pikepdf.Object:
        described = {
            "Type": pikepdf.Name.XObject,
            "Subtype": pikepdf.Name.Image,
            "Width": width,
            "Height": height,
            "ColorSpace": pikepdf.Name.DeviceGray,
            "BitsPerComponent": 8,
            "Filter": pikepdf.Name.FlateDecode,
        }
        return pdf.make_stream(data, pikepdf.Dictionary({f"/{name}": v for name, v in (described | entries).items()}))

    return make


def saved(pdf: pikepdf.Pdf, **options: object) -> bytes:
    pdf.save(file := io.BytesIO(), **options)
    return file.getvalue()


def saved_anew(document: bytes, change: Callable[[pikepdf.Pdf], object] = lambda pdf: None, **options: object) -> bytes:
    """The same PDF after a change, saved with pikepdf's options."""
    with pikepdf.open(io.BytesIO(document)) as pdf:
        change(pdf)
        return saved(pdf, **options)


def flate_bomb(size: int) -> bytes:
    """Flate's bytes for so many zeros."""
    packer = zlib.compressobj(9)
    piece = bytes(1 << 20)
    return b"".join(packer.compress(piece) for _ in range(size >> 20)) + packer.flush()


def tiff(*pages: Image.Image, **options: object) -> bytes:
    """A TIFF of these pages."""
    pages[0].save(file := io.BytesIO(), "TIFF", save_all=True, append_images=list(pages[1:]), **options)
    return file.getvalue()
