"""The listeners, rules, target groups and targets that there are, as the engine's public API tells them.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode
from xml.etree import ElementTree

from samhost.elb.actions import Action, Forward, Refused, load_action
from samhost.elb.errors import DescriptionError, UnsupportedError
from samhost.elb.rules import LAST, Condition, Facts, Rule, first_met
from samhost.engine_process import READS_ONLY
from samhost.gateway.engine import Engine

_HEADERS = {"content-type": "application/x-www-form-urlencoded; charset=utf-8", READS_ONLY: "true"}
_NAMESPACE = "{http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/}"
_OK = 200
HTTP, TCP = "HTTP", "TCP"
# Properties and attributes of target groups that would have requests go elsewhere, with the values that are acted on.
_ACTED_ON = {
    "Protocol": (HTTP, TCP),
    "TargetType": ("ip", "alb", "instance"),
    "HealthCheckProtocol": (HTTP, TCP),
    "load_balancing.algorithm.type": ("round_robin",),
    "slow_start.duration_seconds": ("0",),
    "stickiness.enabled": ("false",),
}


class Target(NamedTuple):
    """A target by its id, an IP address or a load balancer's ARN, and its port."""

    id: str
    port: int


@dataclass(frozen=True)
class HealthCheck:
    """How a group's targets are checked; times in seconds. `statuses` are ranges of those of a healthy target."""

    protocol: str
    port: int | None  # None: that of the target
    path: str
    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int
    statuses: tuple[range, ...]


@dataclass(frozen=True)
class TargetGroup:
    """A target group, and who is registered in it."""

    arn: str
    name: str
    check: HealthCheck
    deregistration_delay: float
    targets: tuple[Target, ...]
    not_acted_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listener:
    """A listener and its rules, by priority; that of a Network Load Balancer has nothing but the default rule."""

    arn: str
    load_balancer: str
    dns_name: str
    protocol: str
    port: int
    rules: tuple[Rule, ...]
    idle_timeout: float = 60

    def action(self, facts: Facts) -> Action:
        """What is done with a request."""
        rule = first_met(self.rules, facts)
        return rule.action if rule else Refused("a listener without a default rule")

    @property
    def default(self) -> Action:
        """What is done where no condition is asked."""
        return self.rules[-1].action if self.rules else Refused("a listener without a default rule")

    @property
    def is_served(self) -> bool:
        """Whether there can be a port for it."""
        return self.protocol in (HTTP, TCP)

    @property
    def refused(self) -> Iterator[str]:
        """What of it is not emulated."""
        if not self.is_served:
            yield f"not emulated: the protocol {self.protocol}"
        for rule in self.rules:
            if isinstance(rule.action, Refused):
                name = "the default rule" if rule.priority == LAST else f"rule {rule.priority}"
                yield f"{name}: {rule.action.reason}"


@dataclass(frozen=True)
class Description:
    """All that there is, by ARN."""

    listeners: Mapping[str, Listener]
    groups: Mapping[str, TargetGroup]


async def describe(engine: Engine) -> Description:
    """Ask the engine what there is.

    Raises DescriptionError, TimeoutError and ConnectionError.
    """
    try:
        return await _describe(engine)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise DescriptionError(f"The engine describes what is not understood here: {error!r}") from error


async def _describe(engine: Engine) -> Description:
    api = _Api(engine)
    balancers, groups = await asyncio.gather(
        api.ask("DescribeLoadBalancers", "LoadBalancers"), api.ask("DescribeTargetGroups", "TargetGroups")
    )
    listeners = [listener for found in await asyncio.gather(*map(api.listeners, balancers)) for listener in found]
    loaded = await asyncio.gather(*map(api.group, groups))
    return Description({listener.arn: listener for listener in listeners}, {group.arn: group for group in loaded})


class _Api:
    def __init__(self, engine: Engine):
        self._engine = engine

    async def ask(self, action: str, members: str, **parameters: str) -> list[dict]:
        body = urlencode({"Action": action, "Version": "2015-12-01", **parameters}).encode()
        reply = await self._engine.call("elasticloadbalancing", "POST", "/", body, headers=_HEADERS)
        if reply.status != _OK:
            raise DescriptionError(f"The engine answers {action} with status {reply.status}")
        root = ElementTree.fromstring(reply.body)  # noqa: S314 - what the engine says, on this machine
        return _value(root.find(f".//{_NAMESPACE}{members}")) or []

    async def listeners(self, balancer: Mapping[str, Any]) -> list[Listener]:
        arn = balancer["LoadBalancerArn"]
        found, attributes = await asyncio.gather(
            self.ask("DescribeListeners", "Listeners", LoadBalancerArn=arn),
            self.ask("DescribeLoadBalancerAttributes", "Attributes", LoadBalancerArn=arn),
        )
        rules = await asyncio.gather(
            *(self.ask("DescribeRules", "Rules", ListenerArn=each["ListenerArn"]) for each in found)
        )
        idle = _attributes(attributes).get("idle_timeout.timeout_seconds", "60")
        return [
            Listener(
                arn=each["ListenerArn"],
                load_balancer=arn,
                dns_name=balancer["DNSName"],
                protocol=each["Protocol"],
                port=int(each["Port"]),
                rules=tuple(sorted(map(load_rule, told), key=lambda rule: rule.priority)),
                idle_timeout=float(idle),
            )
            for each, told in zip(found, rules, strict=True)
        ]

    async def group(self, told: Mapping[str, Any]) -> TargetGroup:
        arn = told["TargetGroupArn"]
        health, attributes = await asyncio.gather(
            self.ask("DescribeTargetHealth", "TargetHealthDescriptions", TargetGroupArn=arn),
            self.ask("DescribeTargetGroupAttributes", "Attributes", TargetGroupArn=arn),
        )
        return load_group(told, (each["Target"] for each in health), _attributes(attributes))


def load_rule(told: Mapping[str, Any]) -> Rule:
    """Read a rule. One that is not emulated refuses whatever meets those of its conditions that are."""
    conditions, reasons = [], ["transforms"] if told.get("Transforms") else []
    for condition in told.get("Conditions") or []:
        try:
            conditions.append(Condition.load(condition))
        except UnsupportedError as error:
            reasons.append(str(error))
    try:
        action = load_action(told.get("Actions") or [])
    except UnsupportedError as error:
        action = Refused(str(error))
        reasons.append(str(error))
    priority = LAST if told["Priority"] == "default" else int(told["Priority"])
    return Rule(priority, tuple(conditions), Refused(f"not emulated: {', '.join(reasons)}") if reasons else action)


def load_group(
    told: Mapping[str, Any], targets: Iterable[Mapping[str, Any]], attributes: Mapping[str, str]
) -> TargetGroup:
    """Read a target group, the targets that are registered, and its attributes."""
    port = told.get("HealthCheckPort") or "traffic-port"
    check = HealthCheck(
        protocol=told.get("HealthCheckProtocol") or HTTP,
        port=None if port == "traffic-port" else int(port),
        path=told.get("HealthCheckPath") or "/",
        interval=float(told.get("HealthCheckIntervalSeconds") or 30),
        timeout=float(told.get("HealthCheckTimeoutSeconds") or 5),
        healthy_threshold=int(told.get("HealthyThresholdCount") or 5),
        unhealthy_threshold=int(told.get("UnhealthyThresholdCount") or 2),
        statuses=_statuses((told.get("Matcher") or {}).get("HttpCode") or "200"),
    )
    return TargetGroup(
        arn=told["TargetGroupArn"],
        name=told["TargetGroupName"],
        check=check,
        deregistration_delay=float(attributes.get("deregistration_delay.timeout_seconds", 300)),
        targets=tuple(Target(target["Id"], int(target["Port"])) for target in targets),
        not_acted_on=tuple(
            f"{name} {value}"
            for name, acted_on in _ACTED_ON.items()
            if (value := attributes.get(name) or told.get(name) or acted_on[0]) not in acted_on
        ),
    )


def groups_of(rules: Iterable[Rule]) -> set[str]:
    """The ARNs of the target groups that rules forward to."""
    return {arn for rule in rules if isinstance(rule.action, Forward) for arn, _ in rule.action.groups}


def _statuses(matcher: str) -> tuple[range, ...]:
    """`200`, `200,202` or `200-299` as ranges."""
    ends = (part.partition("-") for part in matcher.split(","))
    return tuple(range(int(first), int(last or first) + 1) for first, _, last in ends)


def _attributes(told: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in told}


def _value(element: ElementTree.Element | None) -> Any:
    """An element of the query protocol: a list of members, a structure, or text; None for an empty one."""
    if element is None or len(element) == 0:
        return element.text if element is not None else None
    name = f"{_NAMESPACE}member"
    if all(child.tag == name for child in element):
        return [_value(child) for child in element]
    return {child.tag.removeprefix(_NAMESPACE): _value(child) for child in element}
