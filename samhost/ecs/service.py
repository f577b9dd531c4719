"""A service's tasks: which of them run, which come and go, and how long one that fails is waited for."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from samhost.ecs.declarations import ServiceKey
from samhost.ecs.health import Health
from samhost.ecs.images import Image, image_name, take
from samhost.ecs.rolling import Candidate, Goal, decide
from samhost.ecs.task import Program, Task
from samhost.ecs.task_definition import TaskDefinition
from samhost.ecs.wanted import WantedService
from samhost.errors import CannotRunError

LONGEST_BACK_OFF_SECONDS = 30
STAYS_UP_SECONDS = 30.0  # a task that ends later than this has not failed


def back_off(failures: int) -> float:
    """Seconds to wait after so many tasks in a row that did not stay up: none after the first one."""
    return 0 if failures < 2 else min(2.0 ** (failures - 2), LONGEST_BACK_OFF_SECONDS)


class Service:
    """The tasks of one service, in the order of their starts."""

    def __init__(self, key: ServiceKey, containers: Path, folder: Path, log_file: Path):
        """Images are found in `containers`, a folder for each; their files are put into `folder`."""
        self.key = key
        self.tasks: list[Task] = []
        self.not_run: str | None = None  # why not
        self.wanted: WantedService | None = None
        self._containers = containers
        self.folder = folder
        self._log_file = log_file
        self._program: Program | None = None
        self._deployment: str | None = None  # the newest that was looked at
        self._failures = 0
        self._not_before = 0.0

    @property
    def present(self) -> list[Task]:
        """The tasks that are not about to end."""
        return [task for task in self.tasks if not task.is_leaving]

    @property
    def healthy(self) -> list[Task]:
        """Those that requests may be sent to."""
        return [task for task in self.present if task.health is Health.HEALTHY]

    def aim(self, wanted: WantedService, definition: Callable[[str], dict]) -> None:
        """Take what is wanted now. A deployment that cannot run leaves the tasks of the one before, and `not_run`.

        Raises what `definition` does; then the deployment is looked at again the next time.
        """
        self.wanted = wanted
        if wanted.deployment == self._deployment:
            return
        described = definition(wanted.task_definition)
        self._deployment, self.not_run, self._failures, self._not_before = wanted.deployment, None, 0, 0.0
        try:
            loaded = TaskDefinition.load(described)
            self._program = self._load(loaded, self.folder / wanted.deployment.rpartition("/")[2])
        except CannotRunError as error:
            self.not_run = str(error)
        except OSError as error:
            self.not_run = f"its image cannot be made: {error}"

    def leave(self) -> None:
        """Want no tasks any more: the service is gone."""
        if self.wanted:
            self.wanted = replace(self.wanted, goal=Goal(0))

    def decide(self, now: float) -> tuple[list[Task], list[Task]]:
        """Return the tasks to start, which are among `tasks` from now on, and those to stop, which are leaving."""
        if self.wanted is None or (self.not_run and self.wanted.goal.count):
            return [], []
        present = self.present
        candidates = [Candidate(task.deployment == self.wanted.deployment, task.health) for task in present]
        missing, stopped = decide(self.wanted.goal, candidates)
        begun = []
        if self._program and self.wanted.deployment == self._deployment and now >= self._not_before:
            begun = [Task(self._program, self.wanted.deployment) for _ in range(missing)]
            self.tasks += begun
        ending = [present[index] for index in stopped]
        if any(task.health is Health.UNHEALTHY for task in ending):
            self._count_failure(now)
        for task in ending:
            task.is_leaving = True
        return begun, ending

    def ended(self, task: Task, lasted: float) -> None:
        """Take note that a task's process is gone, `lasted` seconds after its start."""
        self.tasks.remove(task)
        if not task.is_leaving:
            if lasted >= STAYS_UP_SECONDS:
                self._failures = 0
            self._count_failure(time.monotonic())

    def _count_failure(self, now: float) -> None:
        self._failures += 1
        self._not_before = now + back_off(self._failures)

    def _load(self, definition: TaskDefinition, folder: Path) -> Program:
        name = image_name(definition.image)
        dockerfile = self._containers / name / "Dockerfile"
        if not name or not dockerfile.is_file():
            raise CannotRunError(f"its image {definition.image} would be {dockerfile}, which is not there")
        image = take(dockerfile, self._containers.parent, folder)
        if definition.working_directory:
            image.working_directory = definition.working_directory
        check = definition.health_check
        return Program(
            definition.family,
            definition.role,
            image.arguments(_command(image, definition)),
            image.path("."),
            image.variables(definition.environment),
            self._log_file,
            definition.port,
            check,
            image.arguments(check.command) if check else (),
            image.stop_signal,
            definition.stop_timeout,
        )

    def status(self) -> Mapping[str, object]:
        """What `samhost status` tells of it."""
        return {
            "cluster": self.key.cluster,
            "service": self.key.name,
            "tasks": self.wanted.goal.count if self.wanted else 0,
            "healthy": len(self.healthy),
            "ports": [task.port for task in self.healthy],
            "notRun": self.not_run,
        }


def _command(image: Image, definition: TaskDefinition) -> list[str]:
    """What a container starts: another entry point than the image's is without the image's command, too."""
    if definition.entry_point:
        return [*definition.entry_point, *definition.command]
    return [*image.entry_point, *(definition.command or image.command)]


def service_rows(statuses: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """A line for each service, as people read it: its name, and how its tasks are."""
    return [
        (name, "not run" if status["notRun"] else f"{status['healthy']} of {status['tasks']} tasks healthy")
        for name, status in statuses.items()
    ]


async def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until a condition holds, for so long at most; return whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True
