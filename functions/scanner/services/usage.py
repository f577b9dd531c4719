"""Usage: what a user has used of late, and may use in a day."""

from scanner.aws import usage_table
from scanner.settings import SETTINGS
from scanner.usage import Day, today

DAYS = 31


def history(owner: str) -> list[Day]:
    """Return the days of the last month in which something was used, newest first; today is always the first."""
    found = usage_table.days(owner, since=today(DAYS - 1))
    return found if found and found[0].day == today() else [Day(today()), *found]


def pages_per_day() -> int:
    """Return how many images a user may upload in a day."""
    return SETTINGS.pages_per_day
