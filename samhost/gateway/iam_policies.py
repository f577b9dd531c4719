"""The parts of IAM policies: statements, patterns, conditions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any


def statements(policy: dict) -> list[dict]:
    """A policy's statements, of which one may stand without a list."""
    listed = policy.get("Statement", [])
    return [listed] if isinstance(listed, dict) else listed


def conditions_hold(statement: dict, context: Mapping[str, str]) -> bool:
    """Whether all conditions of a statement hold for values by their keys, in lower case.

    What cannot be decided here never allows, and always denies.
    """
    undecided = statement.get("Effect") == "Deny"
    return all(
        _holds(operator, patterns, context.get(key.lower()), undecided)
        for operator, key, patterns in _conditions(statement)
    )


def _conditions(statement: dict) -> Iterator[tuple[str, str, list[str]]]:
    for operator, keys in statement.get("Condition", {}).items():
        for key, patterns in keys.items():
            yield operator.lower(), key, as_list(patterns)


def _holds(operator: str, patterns: list[str], value: str | None, undecided: bool) -> bool:
    if value is None:
        return undecided
    match operator:
        case "arnlike" | "arnequals":  # the two behave identically
            return any(_arn_matches(pattern, value) for pattern in patterns)
        case "stringlike":
            return any(matches(pattern, value) for pattern in patterns)
        case "stringequals":
            return value in patterns
    return undecided


def _arn_matches(pattern: str, arn: str) -> bool:
    """Match part by part: a wildcard does not reach over the first five colons."""
    patterns, parts = pattern.split(":", 5), arn.split(":", 5)
    return len(patterns) == len(parts) and all(map(matches, patterns, parts))


def matches(pattern: str, value: str) -> bool:
    """Whether a value fits a pattern, in which `*` stands for any characters and `?` for one."""
    return _expression(pattern).fullmatch(value) is not None


@lru_cache(maxsize=1024)  # authorizers may answer a new pattern for each request
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def as_list(value: Any) -> list[str]:
    """What stands alone or in a list."""
    return value if isinstance(value, list) else [] if value is None else [value]
