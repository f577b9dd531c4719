"""Targets of load balancers inside the engine's process, told apart by id and port.

MiniStack 1.5.33 goes by the id alone, so of several tasks on one address it keeps the first, and loses all at once.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html: a port may be given to
each target, and where none is given it is the group's.
"""

from typing import Any

type Target = dict[str, Any]
"""A target as the engine stores it: `Id`, and `Port` where one was given."""


def install() -> None:
    """Have the engine's ELBv2 register and deregister targets by this module."""
    from ministack.services import alb

    alb._ACTION_MAP |= {"RegisterTargets": _register, "DeregisterTargets": _deregister}  # noqa: SLF001


def with_targets(registered: list[Target], added: list[Target], port: int) -> list[Target]:
    """The targets of a group after a registration; `port` is the group's."""
    there = {_identity(target, port) for target in registered}
    new = {_identity(target, port): target for target in added}
    return registered + [target for identity, target in new.items() if identity not in there]


def without_targets(registered: list[Target], removed: list[Target], port: int) -> list[Target]:
    """The targets of a group after a deregistration: without a port, it is of all targets of that id."""
    gone = {_identity(target, port) for target in removed if "Port" in target}
    ids = {target["Id"] for target in removed if "Port" not in target}
    return [target for target in registered if target["Id"] not in ids and _identity(target, port) not in gone]


def _identity(target: Target, port: int) -> tuple[str, int]:
    return target["Id"], int(target.get("Port", port))


def _register(params: dict) -> Any:
    return _change(params, with_targets, "RegisterTargets")


def _deregister(params: dict) -> Any:
    return _change(params, without_targets, "DeregisterTargets")


def _change(params: dict, change: Any, action: str) -> Any:
    from ministack.services import alb

    arn = alb._p(params, "TargetGroupArn")  # noqa: SLF001
    if arn not in alb._tgs:  # noqa: SLF001
        return alb._error("TargetGroupNotFound", f"Target group '{arn}' not found.")  # noqa: SLF001
    port = int(alb._tgs[arn].get("Port", 80))  # noqa: SLF001
    alb._targets[arn] = change(alb._targets.get(arn, []), alb._parse_targets_param(params), port)  # noqa: SLF001
    return alb._empty(action)  # noqa: SLF001
