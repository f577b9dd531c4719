"""Which tasks of a service are to be started and stopped now, as ECS's rolling updates decide it.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
"""

from collections.abc import Sequence
from dataclasses import dataclass

from samhost.ecs.health import Health


@dataclass(frozen=True)
class Goal:
    """How many tasks a service shall have, and between what bounds it is changed."""

    count: int
    minimum_healthy_percent: int = 100
    maximum_percent: int = 200

    @property
    def least_healthy(self) -> int:
        """Healthy tasks below which none is stopped that is healthy; rounded up, as on AWS."""
        return -(-self.count * self.minimum_healthy_percent // 100)

    @property
    def most(self) -> int:
        """Tasks above which none is started; rounded down, as on AWS, but one at least where one is wanted."""
        return max(self.count * self.maximum_percent // 100, min(self.count, 1))


@dataclass(frozen=True)
class Candidate:
    """A task that runs: is it of the newest deployment, and how is it."""

    is_current: bool
    health: Health


def decide(goal: Goal, tasks: Sequence[Candidate]) -> tuple[int, list[int]]:
    """Return how many tasks to start, and the indexes of those to stop; `tasks` are in the order of their starts.

    What is unhealthy is stopped at once, for nobody sends requests to it; so is what an older deployment has begun to
    start. Other tasks of older deployments are stopped as soon as enough others are healthy.
    """
    healthy = [index for index, task in enumerate(tasks) if task.health is Health.HEALTHY]
    stopped = [
        index
        for index, task in enumerate(tasks)
        if task.health is Health.UNHEALTHY or (task.health is Health.UNKNOWN and not task.is_current)
    ]
    current = [index for index, task in enumerate(tasks) if task.is_current and task.health is not Health.UNHEALTHY]
    surplus = max(len(current) - goal.count, 0)
    starting = [index for index in reversed(current) if index not in healthy]
    stopped += starting[:surplus]
    surplus -= len(starting[:surplus])
    old = [index for index in healthy if not tasks[index].is_current]
    newest = [index for index in reversed(healthy) if tasks[index].is_current]
    stopped += (old + newest[:surplus])[: max(len(healthy) - goal.least_healthy, 0)]
    started = min(goal.count - len(current), goal.most - (len(tasks) - len(stopped)))
    return max(started, 0), sorted(stopped)
