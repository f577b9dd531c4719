"""How things are put into words on the terminal."""


def printable(text: str) -> str:
    """`text` on one line and without anything that a terminal would act on (file and project names may hold that)."""
    return "".join(character if character.isprintable() else "�" for character in text)


def counted(number: int, noun: str) -> str:
    """`1 page`, `2 pages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(number_of_bytes: int) -> str:
    """`812 KB`, `1.2 MB`, `1.9 GB`."""
    if number_of_bytes < 1_000_000:
        return f"{max(1, round(number_of_bytes / 1000))} KB"
    if number_of_bytes < 1_000_000_000:
        return f"{number_of_bytes / 1_000_000:.1f} MB"
    return f"{number_of_bytes / 1_000_000_000:.1f} GB"
