"""What a rule does with a request: forward it, or answer it.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samhost.elb.errors import UnsupportedError
from samhost.elb.rules import Facts


@dataclass(frozen=True)
class Forward:
    """Send it to one of these target groups, each by its ARN, with as many shares of all requests as its weight."""

    groups: tuple[tuple[str, int], ...]

    def group(self, share: float) -> str | None:
        """The ARN of the group that a number in [0, 1) falls to; None where no group has any weight."""
        position = share * sum(weight for _, weight in self.groups)
        for arn, weight in self.groups:
            if position < weight:
                return arn
            position -= weight
        return None


@dataclass(frozen=True)
class FixedResponse:
    """Answer it with this."""

    status: int
    content_type: str
    body: str


@dataclass(frozen=True)
class Redirect:
    """Answer it with another URL, parts of which are those of the request."""

    status: int
    protocol: str
    host: str
    port: str
    path: str
    query: str

    def location(self, facts: Facts, port: int) -> str:
        """The URL for a request to a listener's port."""
        own = {"protocol": "HTTP", "host": facts.host, "port": str(port), "path": facts.path[1:], "query": facts.query}

        def filled(part: str) -> str:
            return re.sub(r"#\{(\w+)\}", lambda keyword: own.get(keyword[1], keyword[0]), part)

        query = filled(self.query)
        url = f"{filled(self.protocol).lower()}://{filled(self.host)}:{filled(self.port)}{filled(self.path)}"
        return f"{url}?{query}" if query else url


@dataclass(frozen=True)
class Refused:
    """Say that this is not emulated; AWS has no such answer."""

    reason: str


Action = Forward | FixedResponse | Redirect | Refused


def load_action(told: Sequence[Mapping[str, Any]]) -> Action:
    """Read a rule's actions as DescribeRules tells them; raises UnsupportedError."""
    if len(told) != 1:
        types = ", ".join(action.get("Type", "?") for action in told)
        raise UnsupportedError(f"the actions {types}" if told else "no action")
    [action] = told
    match action.get("Type"):
        case "forward":
            return _forward(action)
        case "fixed-response":
            config = action.get("FixedResponseConfig") or {}
            body = config.get("MessageBody") or ""
            return FixedResponse(int(config.get("StatusCode", 200)), config.get("ContentType") or "text/plain", body)
        case "redirect":
            config = action.get("RedirectConfig") or {}
            return Redirect(
                int(config.get("StatusCode", "HTTP_302").removeprefix("HTTP_")),
                config.get("Protocol") or "#{protocol}",
                config.get("Host") or "#{host}",
                config.get("Port") or "#{port}",
                config.get("Path") or "/#{path}",
                config.get("Query", "#{query}"),
            )
        case other:
            raise UnsupportedError(f"the action {other}")


def _forward(action: Mapping[str, Any]) -> Forward:
    config: Mapping[str, Any] = action.get("ForwardConfig") or {}
    groups: list[dict[str, Any]] = config.get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn")}]
    if not all(group.get("TargetGroupArn") for group in groups):
        raise UnsupportedError("a forward action without target groups")
    if (config.get("TargetGroupStickinessConfig") or {}).get("Enabled") == "true":
        raise UnsupportedError("a forward action that keeps clients with a target group (TargetGroupStickinessConfig)")
    return Forward(tuple((group["TargetGroupArn"], int(group.get("Weight", 1))) for group in groups))
