"""How every service here is served: one process, a line of JSON for each request, and an end that loses none.

At SIGTERM a service goes on for `DRAIN_SECONDS`: ECS takes a task out of Cloud Map, and out of its target group, at the
moment when it sends the signal, and callers that have looked before that still come. Meanwhile the health check fails,
and each answer ends its connection. Then the service takes no more, finishes what has begun, and exits with 0.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Generator, Mapping
from typing import Any

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

USER_HEADER = "x-user"
"""Who calls: the `sub` of a token that the gateway has verified. The gateway overwrites it, or takes it away."""

KEEP_ALIVE_SECONDS = 75  # longer than a load balancer's 60, which would otherwise send into a connection that closes
GRACE_SECONDS = 20  # for what has begun; ECS waits for no more than 120 s in all
_HEALTH = "/health"


def application(*routes: BaseRoute, refusals: Mapping[type[Exception], int] | None = None) -> Starlette:
    """Return an application of these routes and `GET /health`.

    Errors are answered as `{"message": …}`: those in `refusals` with that status and what they say of themselves.
    """

    def refuse(_: Request, error: Exception) -> JSONResponse:
        return _message(refusals[type(error)], str(error)) if refusals else _fail(_, error)

    app = Starlette(
        routes=[Route(_HEALTH, health), *routes],
        middleware=[Middleware(_Edge)],
        exception_handlers={HTTPException: _refuse, Exception: _fail} | dict.fromkeys(refusals or (), refuse),
    )
    app.router.redirect_slashes = False  # to an address that only the gateway can reach
    return app


def serve(app: Starlette) -> None:
    """Serve on `PORT`, and on `HOST` if only there, until SIGTERM or SIGINT; return when all is answered."""
    uvloop.run(_serve(app))


def log(event: str, **fields: object) -> None:
    """Write a line of JSON to stdout."""
    print(_line(event, **fields), flush=True)


def _line(event: str, **fields: object) -> str:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps({"time": now, "event": event} | fields)


class _Lines(logging.Formatter):
    """What libraries log, a defect's trace among it, as lines like all others."""

    def format(self, record: logging.LogRecord) -> str:
        trace = self.formatException(record.exc_info) if record.exc_info else None
        return _line("log", level=record.levelname, logger=record.name, message=record.getMessage(), trace=trace)


async def _serve(app: Starlette) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Lines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    config = uvicorn.Config(
        app,
        host=os.environ.get("HOST", "0.0.0.0"),  # noqa: S104 - a task has a network interface of its own
        port=int(os.environ["PORT"]),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server, loop = _Server(config), asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    def drain() -> None:
        app.state.draining = True
        loop.call_later(float(os.environ.get("DRAIN_SECONDS", "0")), stop)

    loop.add_signal_handler(signal.SIGTERM, drain)
    loop.add_signal_handler(signal.SIGINT, stop)
    log("serving", port=config.port)
    await server.serve()
    log("stopped")


class _Server(uvicorn.Server):
    """Leaves signals to `_serve`: uvicorn's handlers know no draining, and let the signal end the process after all."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def health(request: Request) -> JSONResponse:
    """Tell whether to send requests here; not whether what is behind works, for a new task would not mend that."""
    draining = _is_draining(request.app)
    return JSONResponse({"status": "draining" if draining else "ok"}, status_code=503 if draining else 200)


def _is_draining(app: Starlette) -> bool:
    return getattr(app.state, "draining", False)


def _refuse(_: Request, error: Any) -> JSONResponse:
    """Answer for an HTTPException, which Starlette raises for a path or a method that there is not."""
    return _message(error.status_code, error.detail.capitalize(), error.headers)


def _fail(_: Request, __: Exception) -> JSONResponse:
    """Answer for a defect. Its trace is in the log, and nobody else's to read."""
    return _message(500, "Internal server error")


def _message(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"message": message}, status, headers)


class _Edge:
    """Logs each request but health checks, and ends connections while the service drains."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if _is_draining(scope["app"]):
                    MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            if scope["path"] != _HEALTH:
                headers = Headers(scope=scope)
                log(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    milliseconds=round(1000 * (time.perf_counter() - started), 1),
                    user=headers.get(USER_HEADER),
                    trace=headers.get("x-amzn-trace-id"),
                )
