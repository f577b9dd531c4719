"""Child processes: started, waited for, restarted when they fall, stopped in order."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from samhost.errors import ProcessFailedError, SamhostError
from samhost.settings import HOST

READY_SECONDS = 60  # the OCR models of a cold disk are the slowest to load
STOP_SECONDS = 20  # the engine writes its state when it stops
LONGEST_BACK_OFF_SECONDS = 30


class Part(Protocol):
    """What is started, runs until it ends, and is stopped: a child process, or what runs several."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def start(self) -> None:
        """Start it and wait until it is ready."""

    async def ended(self) -> int:
        """Wait for its end; returns an exit status."""
        ...

    async def stop(self) -> None:
        """Stop it, if it runs."""


@dataclass
class Child:
    """A module that runs as a process of its own, and when it counts as ready."""

    name: str
    arguments: list[str]  # a module and its arguments
    environment: dict[str, str]
    log_file: Path
    is_ready: Callable[[], Awaitable[bool]]
    process: asyncio.subprocess.Process | None = field(default=None, init=False)

    async def start(self) -> None:
        """Start it and wait until it is ready.

        Raises ProcessFailedError where it ends first, or is not ready in time.
        """
        with self.log_file.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "samhost.child", *self.arguments,
                env=os.environ | self.environment,
                stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log,
                start_new_session=True,  # a Ctrl-C is for the supervisor, which stops its children in order
            )  # fmt: skip
        deadline = time.monotonic() + READY_SECONDS
        while not await self.is_ready():
            if self.process.returncode is not None:
                raise self._failure(f"ended with status {self.process.returncode}")
            if time.monotonic() > deadline:
                await self.stop()
                raise self._failure(f"was not ready after {READY_SECONDS} s")
            await asyncio.sleep(0.05)

    async def ended(self) -> int:
        """Wait for its end; returns its exit status (negative: the signal that ended it)."""
        if self.process is None:
            raise ProcessFailedError(self.name, "was never started", "", self.log_file)
        return await self.process.wait()

    async def stop(self) -> None:
        """Ask it to stop, and end it where it does not."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()

    def _failure(self, why: str) -> ProcessFailedError:
        lines = self.log_file.read_text(errors="replace").splitlines()[-15:]
        return ProcessFailedError(self.name, why, "\n".join(lines), self.log_file)


async def keep_running(child: Part, restarted: Callable[[Part], Awaitable[None]]) -> None:
    """Restart a child whenever it ends, later and later while it does not stay up; runs until cancelled."""
    back_off = 0.0
    while True:
        started = time.monotonic()
        status = await child.ended()
        stayed_up = time.monotonic() - started > LONGEST_BACK_OFF_SECONDS
        back_off = 0.0 if stayed_up else min(2 * back_off + 1, LONGEST_BACK_OFF_SECONDS)
        print(f"The {child.name} ended with status {status}; it is started again in {back_off:.0f} s", flush=True)
        await asyncio.sleep(back_off)
        try:
            await child.start()
            await restarted(child)
        except SamhostError as error:
            print(error, flush=True)


async def accepts_connections(port: int) -> bool:
    """Whether something listens on the port."""
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, as the kernel gives them out."""
    with contextlib.ExitStack() as held:
        listeners = [held.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in listeners]


def is_free(port: int) -> bool:
    """Whether the port can be listened on."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True
