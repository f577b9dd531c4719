"""Keeps the tasks of all ECS services as the engine says they shall be: ECS's service scheduler on this machine."""

import asyncio
import contextlib
import json
import shutil
import sys
import time
from collections.abc import Coroutine
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from samhost.ecs.credentials import Credentials, task_arn
from samhost.ecs.declarations import Declarations, ServiceKey
from samhost.ecs.images import NOT_BUILT
from samhost.ecs.registration import Instance, Membership, Registrations
from samhost.ecs.service import Service, wait_until
from samhost.ecs.task import Task, environment
from samhost.ecs.wanted import ControlPlane, WantedService
from samhost.errors import EngineAwayError
from samhost.settings import Settings

LOOK_SECONDS = 1.0  # between two looks at what is wanted
PUT_RIGHT_SECONDS = 5.0  # between two looks at what is registered, when nothing has changed here
READY_SECONDS = 60.0
DOWN_SECONDS = 3.0  # what tasks have to end when all ends: nobody sends requests any more


class Scheduler:
    """All services' tasks. It is started, waited for and stopped as a child process is."""

    name = "services"

    def __init__(self, settings: Settings, declared: Declarations):
        self.declared = declared
        self._settings = settings
        self._control = ControlPlane(settings)
        self._registrations = Registrations(settings)
        self._credentials = Credentials(settings)
        self._services: dict[ServiceKey, Service] = {}
        self._folder = settings.data_dir / "tasks"
        self._orphans: asyncio.subprocess.Process | None = None
        self._telling = asyncio.Lock()
        self._changed = asyncio.Event()
        self._registered: Membership | None = None  # as it was put last
        self._put_at = 0.0
        self._background: set[asyncio.Task] = set()
        self._loop: asyncio.Task | None = None

    async def start(self) -> None:
        """Start what shall run, and wait until it is healthy, a minute at most; say what cannot run.

        Raises EngineAwayError.
        """
        if self._loop:
            await self.stop()
        self._services.clear()
        shutil.rmtree(self._folder, ignore_errors=True)
        await self._credentials.start()
        try:
            await asyncio.to_thread(self._control.raise_counts, self.declared)
            await self._look()
        except (BotoCoreError, ClientError) as error:
            raise EngineAwayError(error) from error
        self._loop = asyncio.create_task(self._keep_looking())
        await wait_until(lambda: self._loop is None or self._loop.done() or self._is_ready(), READY_SECONDS)

    async def ended(self) -> int:
        """Wait for the end, which only a defect brings; returns an exit status, as that of a process."""
        if self._loop:
            await asyncio.wait({self._loop})
            if not self._loop.cancelled() and (error := self._loop.exception()):
                print(f"The services: {error!r}", flush=True)
        return 1

    async def stop(self) -> None:
        """Stop all tasks: first nobody finds them any more, then they are asked to end, then they are ended."""
        if self._loop:
            self._loop.cancel()
            await asyncio.wait({self._loop})
        leaving = [task for service in self._services.values() for task in service.tasks]
        for task in leaving:
            task.is_leaving = True
        # Where the engine is gone, or busy, the next start takes out what is left there.
        with contextlib.suppress(BotoCoreError, ClientError, TimeoutError):
            await asyncio.wait_for(self._put(), DOWN_SECONDS)
        await asyncio.gather(*(task.stop(0, DOWN_SECONDS) for task in leaving), return_exceptions=True)
        if self._background:
            await asyncio.wait(self._background, timeout=DOWN_SECONDS)
        await self._credentials.stop()
        if self._orphans and self._orphans.stdin:
            self._orphans.stdin.close()
            await self._orphans.wait()
        self._settings.services_file.unlink(missing_ok=True)

    def remarks(self) -> list[str]:
        """What users should know of what runs: services that do not, or not yet as they should."""
        lines = [NOT_BUILT[0].upper() + NOT_BUILT[1:]] if self._services else []
        for service in self._services.values():
            status, name = service.status(), self._called(service.key)
            if service.not_run:
                lines.append(f"Not run: {name}: {service.not_run}")
            elif not _is_settled(service):
                lines.append(
                    f"Not ready: {name}: {status['healthy']} of {status['tasks']} tasks are healthy; "
                    f"`logs {name}` tells more"
                )
        return lines

    def statuses(self) -> dict[str, Any]:
        """Each service's tasks, by what people call it."""
        return {self._called(service.key): service.status() for service in self._services.values()}

    def _called(self, key: ServiceKey) -> str:
        """A service's place in the template, as APIs have one; its name where no template declares it."""
        return self.declared.places.get(key, key.name)

    def _is_ready(self) -> bool:
        return all(service.not_run or _is_settled(service) for service in self._services.values())

    async def _keep_looking(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_SECONDS)
            self._changed.clear()
            with contextlib.suppress(BotoCoreError, ClientError):  # the engine is away: what runs goes on running
                await self._put()  # first of all nobody shall be sent to a task that is gone
                await self._look()

    async def _look(self) -> None:
        """Do what is to be done now."""
        most = self._settings.max_tasks
        for wanted in (found := await asyncio.to_thread(self._control.services, self.declared, most)):
            await self._aim(wanted)
        there = {wanted.key for wanted in found}
        stopped: list[tuple[Service, Task]] = []
        for key, service in list(self._services.items()):
            if key not in there:
                if not service.tasks:
                    del self._services[key]
                service.leave()
            begun, ending = service.decide(time.monotonic())
            for task in begun:
                self._begin(self._live(service, task))
            stopped += [(service, task) for task in ending]
        # Nobody is told to end whom others still find: where this fails, all those are found again by the next look.
        try:
            await self._put()
        except (BotoCoreError, ClientError):
            for _, task in stopped:
                task.is_leaving = False
            raise
        for service, task in stopped:
            self._begin(self._end(service, task))
        self._write_status()

    async def _aim(self, wanted: WantedService) -> None:
        service = self._services.get(wanted.key)
        if service is None:
            log_file = self._settings.logs_dir / f"{self._called(wanted.key)}.log"
            log_file.parent.mkdir(parents=True, exist_ok=True)
            service = Service(
                wanted.key, self._settings.containers, self._folder / wanted.key.cluster / wanted.key.name, log_file
            )
            self._services[wanted.key] = service
        before = service.not_run
        await asyncio.to_thread(service.aim, wanted, self._control.task_definition)
        if self._loop and service.not_run and service.not_run != before:
            print(f"Not run: {self._called(wanted.key)}: {service.not_run}", flush=True)

    async def _live(self, service: Service, task: Task) -> None:
        """Run a task until its end."""
        started = time.monotonic()
        variables = environment(self._settings, service.folder)
        arn = task_arn(service.key.cluster, task.id)
        if task.program.role:
            variables |= self._credentials.issue(arn, task.program.role)
        try:
            if task.is_leaving:  # all ends, or is changed again, before it has begun
                return
            try:
                group = await task.start(variables)
            except OSError as error:
                print(f"A task of {self._called(service.key)} cannot be started: {error}", flush=True)
                return
            with contextlib.suppress(OSError):  # then it outlives a kill of this process
                await self._tell_orphans(f"+{group}")
            if task.is_leaving:  # it was told to end while it began
                self._begin(self._end(service, task))
            await task.watch(self._changed.set)
            with contextlib.suppress(OSError):
                await self._tell_orphans(f"-{group}")
        finally:
            self._credentials.revoke(arn)
            service.ended(task, time.monotonic() - started)
            self._changed.set()

    async def _end(self, service: Service, task: Task) -> None:
        groups = service.wanted.target_groups if service.wanted else ()
        drain = 0.0
        with contextlib.suppress(BotoCoreError, ClientError):
            drain = await asyncio.to_thread(self._registrations.drain_seconds, groups)
        await task.stop(drain)

    async def _put(self) -> None:
        """Have healthy tasks registered and nobody else, where that has changed or was not looked at for a while."""
        members = Membership()
        for service in self._services.values():
            if not service.wanted:
                continue
            instances = [Instance(task.id, task.port, service.key, task.program.family) for task in service.healthy]
            for arn in service.wanted.registries:
                members.registries.setdefault(arn, []).extend(instances)
            for arn in service.wanted.target_groups:
                members.target_groups.setdefault(arn, set()).update(instance.port for instance in instances)
        if members == self._registered and time.monotonic() - self._put_at < PUT_RIGHT_SECONDS:
            return
        self._registered = None
        await asyncio.to_thread(self._registrations.put, members)
        self._registered, self._put_at = members, time.monotonic()

    async def _tell_orphans(self, line: str) -> None:
        """Tell the process that ends what would be left of tasks if this one were killed."""
        async with self._telling:
            if self._orphans is None or self._orphans.returncode is not None:
                self._orphans = await asyncio.create_subprocess_exec(
                    sys.executable, "-P", "-m", "samhost.ecs.orphans",
                    stdin=asyncio.subprocess.PIPE, start_new_session=True,
                )  # fmt: skip
                running = [task.process for service in self._services.values() for task in service.tasks]
                line = "\n".join([*(f"+{process.pid}" for process in running if process), line])
            if self._orphans.stdin:
                self._orphans.stdin.write(f"{line}\n".encode())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        background = asyncio.create_task(work)
        self._background.add(background)
        background.add_done_callback(self._background.discard)

    def _write_status(self) -> None:
        text = json.dumps(self.statuses(), indent=1)
        file = self._settings.services_file
        if not file.exists() or file.read_text() != text:
            unfinished = file.with_suffix(".unfinished")
            unfinished.write_text(text)
            unfinished.replace(file)


def _is_settled(service: Service) -> bool:
    return service.wanted is not None and len(service.healthy) == len(service.present) == service.wanted.goal.count
