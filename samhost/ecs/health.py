"""Whether a task is healthy, by the outcomes of its container's health check.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html. One thing is different: until a check
has passed for the first time, there is one every FIRST_INTERVAL_SECONDS instead of every `interval`, for people wait
for that. It changes nothing in how long a task may take.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

FIRST_INTERVAL_SECONDS = 0.5


class Health(Enum):
    """A task's health, as ECS names it."""

    UNKNOWN = "UNKNOWN"
    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"


@dataclass(frozen=True)
class HealthCheck:
    """A container's health check; all times are seconds."""

    command: tuple[str, ...]
    interval: float = 30
    timeout: float = 5
    retries: int = 3
    start_period: float = 0

    @classmethod
    def load(cls, definition: Mapping[str, Any]) -> Self | None:
        """Read it from a container definition of ECS's API; None where there is none."""
        command = definition.get("command") or ["NONE"]
        if command[0] == "NONE":
            return None
        given = {"interval": "interval", "timeout": "timeout", "retries": "retries", "startPeriod": "start_period"}
        values = {name: int(definition[key]) for key, name in given.items() if definition.get(key) is not None}
        match command:
            case ["CMD", *arguments]:
                return cls(tuple(arguments), **values)
            case ["CMD-SHELL", *text]:
                return cls(("/bin/sh", "-c", " ".join(text)), **values)
        return cls(("/bin/sh", "-c", " ".join(command)), **values)


@dataclass
class HealthRecord:
    """What a task's checks have shown so far; `started` is when the task started, of any clock that counts seconds."""

    check: HealthCheck
    started: float
    status: Health = Health.UNKNOWN
    _failures: int = 0

    def passed(self) -> None:
        """Take note of a check that has passed."""
        self.status, self._failures = Health.HEALTHY, 0

    def failed(self, now: float) -> None:
        """Take note of a check that has failed, or took too long."""
        if self.status is Health.UNKNOWN:
            patience = self.check.start_period + self.check.retries * self.check.interval
            if now - self.started >= patience:
                self.status = Health.UNHEALTHY
            return
        self._failures += 1
        if self._failures >= self.check.retries:
            self.status = Health.UNHEALTHY

    @property
    def pause(self) -> float:
        """Seconds until the next check."""
        return FIRST_INTERVAL_SECONDS if self.status is Health.UNKNOWN else self.check.interval
