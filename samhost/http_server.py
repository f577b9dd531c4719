"""HTTP servers in one event loop, as many as there are ports: the gateway's, and the load balancers'."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator

import uvicorn

from samhost.gateway.errors import ConfigurationError

GRACE_SECONDS = 15  # for requests under way when the process is told to stop
BACKLOG = 2048
OPEN_FILES = 8192  # each request under way holds two connections; some systems begin with 256 files


class HttpServer(uvicorn.Server):
    """A server that leaves signals alone: there are several in the process, and it handles them once."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def http_server(application: Callable[..., Awaitable[None]]) -> HttpServer:
    """A server for an ASGI application that takes nothing but HTTP scopes."""
    return HttpServer(
        uvicorn.Config(
            application,
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


def listen(name: str, host: str, port: int) -> socket.socket:
    """A socket that listens; raises ConfigurationError, which names who wanted it."""
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigurationError(f"{name} cannot listen on {host}:{port}: {why}") from error


def raise_file_limit() -> None:
    """Let this process have as many files open as its requests need, where the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Call this on SIGTERM and on SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
