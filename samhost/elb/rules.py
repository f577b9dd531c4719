"""Listener rules: which of them a request meets.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from samhost.elb.errors import UnsupportedError

LAST = 50_001  # after every priority that a rule can have


@dataclass(frozen=True)
class Facts:
    """What conditions ask of a request; header names are lower case, path and query as they were sent."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    source_ip: str

    def values(self, header: str) -> list[str]:
        """Every value of a header, by its name in lower case."""
        return [value for name, value in self.headers if name == header]

    @property
    def host(self) -> str:
        """The host that the client named, without a port."""
        return re.sub(r":\d*$", "", next(iter(self.values("host")), ""))

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Keys and values of the query, decoded [inf]."""
        pairs = (part.partition("=") for part in self.query.split("&") if part)
        return [(unquote_plus(key), unquote_plus(value)) for key, _, value in pairs]


@dataclass(frozen=True)
class Condition:
    """One condition: met where any of its values is.

    Values are patterns, but methods; pairs of patterns for a query string, the key None for any; and IP networks.
    """

    field: str
    values: tuple[Any, ...]
    name: str = ""  # of the header that it is about

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> "Condition":
        """Read a condition as DescribeRules tells it; raises UnsupportedError."""
        field = told.get("Field", "")
        if field not in _MET:
            raise UnsupportedError(f"a condition about {field or 'nothing'}")
        config = told.get(_CONFIG[field]) or {}
        if told.get("RegexValues") or config.get("RegexValues"):
            raise UnsupportedError(f"a {field} condition with RegexValues")
        values: list[Any] = config.get("Values") or told.get("Values") or []
        if field == "query-string":
            values = [(pair.get("Key") or None, pair.get("Value", "")) for pair in values]
        if field == "source-ip":
            values = _networks(values)
        if not values:
            raise UnsupportedError(f"a {field} condition without values")
        return cls(field, tuple(values), config.get("HttpHeaderName", "").lower())

    def is_met(self, facts: Facts) -> bool:
        """Whether a request meets it."""
        return _MET[self.field](self, facts)


def _path(condition: Condition, facts: Facts) -> bool:
    return any(_pattern(value).fullmatch(facts.path) for value in condition.values)


def _host(condition: Condition, facts: Facts) -> bool:
    return any(_pattern(value, re.IGNORECASE).fullmatch(facts.host) for value in condition.values)


def _method(condition: Condition, facts: Facts) -> bool:
    return facts.method in condition.values


def _header(condition: Condition, facts: Facts) -> bool:
    sent = facts.values(condition.name)
    return any(_pattern(value, re.IGNORECASE).fullmatch(text) for value in condition.values for text in sent)


def _query(condition: Condition, facts: Facts) -> bool:
    return any(
        (wanted is None or _pattern(wanted, re.IGNORECASE).fullmatch(key))
        and _pattern(value, re.IGNORECASE).fullmatch(text)
        for wanted, value in condition.values
        for key, text in facts.parameters
    )


def _source(condition: Condition, facts: Facts) -> bool:
    try:
        address = ipaddress.ip_address(facts.source_ip)
    except ValueError:
        return False
    return any(address in network for network in condition.values)


def _networks(values: Sequence[Any]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(value, strict=False) for value in values]
    except ValueError as error:
        raise UnsupportedError(f"a source-ip condition in which {error}") from None


_MET: dict[str, Callable[[Condition, Facts], bool]] = {
    "path-pattern": _path,
    "host-header": _host,
    "http-request-method": _method,
    "http-header": _header,
    "query-string": _query,
    "source-ip": _source,
}
_CONFIG = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "http-header": "HttpHeaderConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}


@lru_cache(maxsize=1024)
def _pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern in which `*` is any number of characters and `?` is one; nothing else is special."""
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", text))
    return re.compile("".join(parts), flags | re.DOTALL)


@dataclass(frozen=True)
class Rule:
    """What is done with requests that meet all conditions; the default rule has none, and comes last."""

    priority: int
    conditions: tuple[Condition, ...]
    action: Any

    def is_met(self, facts: Facts) -> bool:
        """Whether a request meets all of the conditions."""
        return all(condition.is_met(facts) for condition in self.conditions)


def first_met(rules: Sequence[Rule], facts: Facts) -> Rule | None:
    """The rule that decides about a request: of those that it meets, the one of the lowest priority."""
    return next((rule for rule in rules if rule.is_met(facts)), None)
