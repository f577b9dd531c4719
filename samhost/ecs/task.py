"""A task: one process in a group of its own, from its start to its end."""

import asyncio
import contextlib
import os
import signal
import socket
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from samhost.ecs.health import Health, HealthCheck, HealthRecord
from samhost.ecs.orphans import signal_group
from samhost.processes import accepts_connections
from samhost.settings import HOST, REGION, Settings

_LISTENS_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Program:
    """What the tasks of a deployment run; `check` is how the health check is run here."""

    family: str
    role: str  # ARN; empty where the tasks have none
    arguments: Sequence[str]
    working_directory: Path
    environment: Mapping[str, str]
    log_file: Path
    port: int | None  # the container's; None where it has none
    health_check: HealthCheck | None
    check: Sequence[str]
    stop_signal: signal.Signals
    stop_timeout: float


@dataclass
class Task:
    """A process that runs a program on a port of its own; the id is as ECS's are: 32 hexadecimal digits."""

    program: Program
    deployment: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    port: int = 0
    health: Health = Health.UNKNOWN
    is_leaving: bool = False
    process: asyncio.subprocess.Process | None = None
    _environment: dict[str, str] = field(default_factory=dict)

    async def start(self, environment: Mapping[str, str]) -> int:
        """Start the process, with these variables besides the program's; returns its group's id.

        Raises OSError where it cannot be started.
        """
        self.port = _free_port()
        self._environment = {**self.program.environment, **environment, "HOST": HOST, "PORT": str(self.port)}
        with self.program.log_file.open("ab") as log:
            self.process = await self._spawn(self.program.arguments, log.fileno())
        return self.process.pid

    async def watch(self, changed: Callable[[], None]) -> int:
        """Keep `health` up to date until the process ends; `changed` is called when it is another one.

        Returns the exit status (negative: the signal that ended it).
        """
        assert self.process is not None  # noqa: S101 - it was started
        ended = asyncio.create_task(self.process.wait())
        check = self.program.health_check
        record = HealthRecord(check, time.monotonic()) if check else None
        try:
            while not ended.done():
                if record:
                    await self._check(record, ended)
                    now = record.status
                else:  # it has no check: for ECS it is as good as it runs, and here somebody must listen
                    listens = self.program.port is None or await accepts_connections(self.port)
                    now = Health.HEALTHY if listens else self.health
                if now is not self.health:
                    self.health = now
                    changed()
                pause = record.pause if record else _LISTENS_PAUSE_SECONDS
                await asyncio.wait({ended}, timeout=None if not record and now is Health.HEALTHY else pause)
            return await ended
        finally:
            ended.cancel()
            signal_group(self.process.pid, signal.SIGKILL)  # what it has started, and left

    async def stop(self, drain: float, patience: float | None = None) -> None:
        """After `drain` seconds send the stop signal, and SIGKILL if that does not end it in `patience` seconds."""
        if self.process is None:
            return
        ended = asyncio.create_task(self.process.wait())
        for seconds, sign in (
            (drain, self.program.stop_signal),
            (self.program.stop_timeout if patience is None else patience, signal.SIGKILL),
        ):
            await asyncio.wait({ended}, timeout=seconds)
            if not ended.done():
                signal_group(self.process.pid, sign)
        await ended

    async def _check(self, record: HealthRecord, ended: asyncio.Task[int]) -> None:
        """Run the health check once, as ECS does: inside the container, with its environment."""
        try:
            process = await self._spawn(self.program.check, asyncio.subprocess.DEVNULL)
        except OSError:
            record.failed(time.monotonic())
            return
        done = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({done, ended}, timeout=record.check.timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if process.returncode is None:
                signal_group(process.pid, signal.SIGKILL)
            with contextlib.suppress(asyncio.CancelledError):
                await done
        if process.returncode == 0:
            record.passed()
        else:
            record.failed(time.monotonic())

    async def _spawn(self, arguments: Sequence[str], output: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *arguments,
            env=self._environment,
            cwd=self.program.working_directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def environment(settings: Settings, home: Path) -> dict[str, str]:
    """Variables that lead an AWS SDK to the engine, and keep it from what is this machine's user's."""
    return {
        "AWS_ENDPOINT_URL": settings.engine_url,
        "AWS_ENDPOINT_URL_TEXTRACT": settings.textract_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # The credentials of whoever works here would come before the task's own.
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(home),
    }


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return listener.getsockname()[1]
