"""Positions: numbers that order the pages of a project. Between two of them there is nearly always room for another.

A position has 38 digits at most, as DynamoDB's numbers have. Halving a gap of 1 again and again takes about 125 moves
to the very same place until there is no room.
"""

import re
from decimal import ROUND_FLOOR, Context, Decimal

from scanner.errors import InvalidRequestError

_CONTEXT = Context(prec=38)
_DIGITS = re.compile(r"-?[0-9]{1,38}(\.[0-9]{1,130})?")


def before(upper: Decimal) -> Decimal:
    """Return a whole position below `upper`."""
    return upper.to_integral_value(ROUND_FLOOR) - 1


def between(lower: Decimal, upper: Decimal, share: Decimal = Decimal("0.5")) -> Decimal | None:
    """Return the position at that share of the gap, or None where there is no room for one."""
    middle = _CONTEXT.add(lower, _CONTEXT.multiply(_CONTEXT.subtract(upper, lower), share))
    return middle if lower < middle < upper else None


def to_text(position: Decimal) -> str:
    """Return a position exactly, for a cursor."""
    return format(position, "f")


def from_text(text: str) -> Decimal:
    """Read what `to_text` wrote. Raises InvalidRequestError for anything else."""
    position = Decimal(text) if _DIGITS.fullmatch(text) else None
    if position is None or _CONTEXT.create_decimal(position) != position:
        raise InvalidRequestError("This cursor belongs to no such list. Start again without a cursor.")
    return position


def to_number(position: Decimal) -> int | float:
    """Return a position as JSON has numbers: whole ones exactly, others as closely as a double can."""
    return int(position) if position == position.to_integral_value() else float(position)
