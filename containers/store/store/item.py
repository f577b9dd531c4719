"""Items: what a client may send, and how DynamoDB keeps it.

An item is any JSON object that DynamoDB can give back equal. Refused are the few that it could not: numbers beyond its
range or precision, and what is nested deeper than it takes.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

import json
from decimal import Decimal
from typing import Any

MAX_BYTES = 256 * 1024  # as JSON; DynamoDB's 400 KB are counted in its own way
MAX_DEPTH = 30  # DynamoDB takes 32 levels; the item is one of them
_MAX_DIGITS = 38
_EXPONENTS = range(-130, 126)


class InvalidItemError(Exception):
    """What was sent cannot be kept; its text is for whom it came from."""


def parse(body: bytes, id_name: str, item_id: str) -> dict[str, Any]:
    """Return the item in a request's body, its id put in. Raises InvalidItemError."""
    try:
        item = json.loads(body, parse_int=_integer, parse_float=_fraction, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidItemError("Send a JSON object as the body") from error
    if not isinstance(item, dict):
        raise InvalidItemError("Send a JSON object as the body")
    if item.get(id_name, item_id) != item_id:
        raise InvalidItemError(f"{id_name} in path is different from {id_name} in payload")
    if _depth(item) > MAX_DEPTH:
        raise InvalidItemError(f"The object is nested deeper than {MAX_DEPTH} levels")
    return item | {id_name: item_id}


def plain(value: Any) -> Any:
    """Return what DynamoDB has given, as JSON knows it."""
    match value:
        case dict():
            return {name: plain(member) for name, member in value.items()}
        case list():
            return [plain(member) for member in value]
        case Decimal():
            return int(value) if value == value.to_integral_value() and abs(value) < 10**_MAX_DIGITS else float(value)
    return value


def _integer(text: str) -> Decimal:
    return _number(Decimal(text), text)


def _fraction(text: str) -> Decimal:
    """Take a fraction for what JSON's readers take it for, a double, whose shortest form has no more than 17 digits."""
    return _number(Decimal(repr(float(text))), text)


def _number(number: Decimal, text: str) -> Decimal:
    if not number.is_finite() or len(number.as_tuple().digits) > _MAX_DIGITS or number.adjusted() not in _EXPONENTS:
        raise InvalidItemError(f"The number {text[:50]} is beyond what can be kept")
    return number


def _refuse_constant(name: str) -> None:
    raise InvalidItemError(f"{name} is no JSON")


def _depth(value: Any) -> int:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, members), default=0) if isinstance(value, dict | list) else 0
