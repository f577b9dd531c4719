"""The log: one line for each invocation, and what went wrong."""

import logging
import sys
from typing import Any

LOGGER = logging.getLogger("docscan")


def record(what: str, **fields: Any) -> None:
    """Log that `what` was done. Lambda's JSON format prints the fields; the message repeats them for text formats."""
    if not LOGGER.hasHandlers():  # Lambda's runtime has set one; a local engine has not, and is slow without any output
        logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
    LOGGER.setLevel(logging.INFO)
    LOGGER.info(" ".join([what, *(f"{name}={value}" for name, value in fields.items())]), extra=fields)
