"""The sheets of a PDF and the pages of a project that they show: what readers call them, and how they list them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sheets:
    """A project's page, by its number, and by how many sheets in a row a PDF shows it."""

    number: int
    count: int


def heading(number: int) -> str:
    """Return what a page is called in a PDF's outline."""
    return f"Page {number}"


def label(number: int, nth: int) -> tuple[str, int]:
    """Return prefix and decimal number of the label of a page's nth sheet: "17", then "17-2", "17-3" and so on."""
    return ("", number) if nth == 1 else (f"{number}-", nth)
