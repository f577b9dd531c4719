"""JSON objects, as clients send them."""

import json
from typing import Any

from scanner.errors import InvalidRequestError


def parse(text: str | bytes, refusal: str) -> dict[str, Any]:
    """Return the JSON object that `text` is. Raises InvalidRequestError, with `refusal` as its message, for all else.

    Nothing of the text is in the error. Too deep a nesting is refused as well.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(refusal) from error
    if not isinstance(document, dict):
        raise InvalidRequestError(refusal)
    return document
