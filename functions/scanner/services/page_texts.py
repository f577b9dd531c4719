"""The text of a page, as it was recognised or corrected, from its item and its words object."""

from scanner import correction, text
from scanner.aws import bucket
from scanner.page import Page


def text_of(page: Page) -> str:
    """Return the text of a page that is ready and was read with it. Raises MissingObjectError.

    Where it was too large for the table it comes from the words object.
    """
    return recognised(page).text if page.text is None else page.text


def recognised(page: Page) -> text.RecognisedText:
    """Return what was recognised on a page that is ready, corrected or not. Raises MissingObjectError."""
    return text.from_json(bucket.read(bucket.words_key(page)))


def with_geometry(page: Page) -> text.RecognisedText:
    """Return the text of a page that is ready, with the place of each word. Raises MissingObjectError.

    One that is corrected was read with its text.
    """
    return correction.applied(page, recognised(page))
