"""Targets of a group: how healthy they are, and which of them is next.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from samhost.elb.description import HealthCheck, Target, TargetGroup


class State(StrEnum):
    """A registered target's health, as DescribeTargetHealth names it."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(eq=False)
class RegisteredTarget:
    """A target, its health, and what it has not answered yet."""

    target: Target
    state: State = State.INITIAL
    under_way: set[asyncio.Timeout] = field(default_factory=set)
    _streak: int = 0  # checks in a row that spoke against the state

    def record(self, passed: bool, check: HealthCheck) -> bool:
        """Count a health check; returns whether the state is another now.

        The first success makes a new target healthy; later it takes as many in a row as the threshold says.
        """
        if passed == (self.state is State.HEALTHY) and self.state is not State.INITIAL:
            self._streak = 0
            return False
        if passed and self.state is State.INITIAL:
            return self._become(State.HEALTHY)
        self._streak += 1
        if self._streak < (check.healthy_threshold if passed else check.unhealthy_threshold):
            return False
        return self._become(State.HEALTHY if passed else State.UNHEALTHY)

    def drain(self, seconds: float) -> None:
        """Let requests under way have this much longer, now that it is deregistered."""
        end = asyncio.get_running_loop().time() + seconds
        for limit in self.under_way:
            limit.reschedule(end)

    def _become(self, state: State) -> bool:
        self.state, self._streak = state, 0
        return True


class Pool:
    """The registered targets of a group, each in its turn."""

    def __init__(self, group: TargetGroup):
        """Begin without any target; `update` brings them."""
        self.group = group
        self.targets: dict[Target, RegisteredTarget] = {}
        self._leaving: list[RegisteredTarget] = []  # those that were healthy until they were deregistered
        self._turn = 0

    def update(self, group: TargetGroup) -> tuple[list[RegisteredTarget], list[RegisteredTarget]]:
        """Take over what the group is now; returns the targets that are new, and those that are deregistered."""
        self.group = group
        gone = [self.targets.pop(target) for target in list(self.targets) if target not in group.targets]
        new = [RegisteredTarget(target) for target in group.targets if target not in self.targets]
        self.targets |= {each.target: each for each in new}
        leaving = self._leaving + [each for each in gone if each.state is State.HEALTHY]
        self._leaving = leaving if self._are_awaited() else []
        return new, gone

    def next(self) -> RegisteredTarget | None:
        """The healthy target whose turn it is; any unhealthy one where none is healthy (the group fails open).

        Where all targets are replaced at once, those before them go on until the first of the new ones is checked: at
        AWS whoever replaces them sees their health, and waits for it. None where no target is registered, or the only
        ones have not been checked yet [inf].
        """
        candidates = self._in(State.HEALTHY) or (self._are_awaited() and self._leaving) or self._in(State.UNHEALTHY)
        if not candidates:
            return None
        self._turn = (self._turn + 1) % len(candidates)
        return candidates[self._turn]

    def _in(self, state: State) -> list[RegisteredTarget]:
        return [each for each in self.targets.values() if each.state is state]

    def _are_awaited(self) -> bool:
        """Whether there are new targets, and no healthy ones."""
        return bool(self._in(State.INITIAL)) and not self._in(State.HEALTHY)
