"""Dead letters: back to where they came from."""

from dataclasses import dataclass

from scanner.aws import dead_letters
from scanner.settings import SETTINGS

MAX_LETTERS = 50
"""What one call deals with: some 100 calls of SQS, well within the time of a request."""


@dataclass(frozen=True, slots=True)
class Redrive:
    """How many dead letters went back to their queues, and how many stay; `more` says that others may be waiting."""

    redriven: int
    left: int
    more: bool


def redrive() -> Redrive:
    """Send dead letters back to their queues, each to its own; those of no queue of the stack stay.

    Where this ends in the middle, a message may be in its queue and among the dead letters, but never in neither.
    """
    redriven, left = 0, 0
    while (dealt_with := redriven + left) < MAX_LETTERS:
        letters = dead_letters.receive(MAX_LETTERS - dealt_with)
        if not letters:
            return Redrive(redriven, left, more=False)
        for letter in letters:
            queue_url = SETTINGS.source_queues.get(letter.source or "")
            if queue_url is None:
                left += 1
            else:
                dead_letters.send_back(letter, queue_url)
                redriven += 1
    return Redrive(redriven, left, more=True)
