"""Files of many pages, by what they are."""

from typing import IO

from scanner.imported_page import PagedFile


def open_file(file: IO[bytes], content_type: str) -> PagedFile:
    """Open a file as what it was announced to be, `application/pdf` or `image/tiff`. Raises ImportRefusedError.

    The libraries are imported here: they take as long as all else, and not every function needs them.
    """
    if content_type == "application/pdf":
        from scanner.pdf_file import PdfFile

        return PdfFile.open(file)
    from scanner.tiff_file import TiffFile

    return TiffFile.open(file)
