"""The gateway as a process of its own, and a server behind it that does what a test says."""

import asyncio
import concurrent.futures
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from local_system import ROOT, free_ports

Answer = Callable[[str, dict, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class GatewayProcess:
    """A running gateway with one API."""

    url: str
    log_file: Path
    pid: int

    @property
    def log(self) -> str:
        return self.log_file.read_text()


@contextlib.contextmanager
def gateway(
    folder: Path,
    document: dict,
    *,
    stage: dict | None = None,
    engine: str = "http://127.0.0.1:9",
    api_id: str = "a1b2c3d4e5",
    kind: str = "HTTP",
) -> Iterator[GatewayProcess]:
    """Serve a document's `paths` and other members, in a stage; by default there is no engine (port 9 discards)."""
    [port] = free_ports(1)
    api = {
        "name": "TestApi", "type": kind, "apiId": api_id, "host": "127.0.0.1", "port": port, "stage": stage or {},
        "document": {"openapi": "3.0.3", "info": {"title": "Test", "version": "1"}} | document,
    }  # fmt: skip
    config = {"engine": engine, "region": "us-east-1", "accountId": "000000000000", "apis": [api]}
    file, log_file = folder / "gateway.json", folder / "gateway.log"
    file.write_text(json.dumps(config))
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "samhost.gateway", "--config", str(file)],
            cwd=ROOT, env=os.environ | credentials, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while "is ready" not in log_file.read_text():
            assert process.poll() is None, log_file.read_text()
            assert time.monotonic() < deadline, log_file.read_text()
            time.sleep(0.05)
        yield GatewayProcess(f"http://127.0.0.1:{port}", log_file, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextlib.contextmanager
def server(answer: Answer) -> Iterator[str]:
    """A server that hands each request's line, headers and connection to `answer`; yields its URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = [tuple(line.split(": ", 1)) for line in head[1:-2]]
                length = int({name.lower(): value for name, value in headers}.get("content-length", 0))
                request = {"line": head[0], "headers": headers, "body": (await reader.readexactly(length)).decode()}
                await answer(head[0].split(" ")[1], request, writer)
                await writer.drain()
        writer.close()

    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    stop = concurrent.futures.Future()

    async def run() -> None:
        started = await asyncio.start_server(serve, sock=listener)
        await asyncio.wrap_future(stop)
        started.close()

    thread = threading.Thread(target=asyncio.run, args=[run()])
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set_result(None)
        thread.join()


def reply(writer: asyncio.StreamWriter, body: bytes, *headers: str, status: str = "200 OK") -> None:
    """Write an answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    writer.write("\r\n".join(lines).encode() + body)


async def get_all(url: str, paths: list[str]) -> list[tuple[int, str, bytes]]:
    """Ask for all paths at once; returns status, request id and body of each answer."""
    connector = aiohttp.TCPConnector(limit=0)

    async def get(client: aiohttp.ClientSession, path: str) -> tuple[int, str, bytes]:
        async with client.get(path) as answer:
            return answer.status, answer.headers["apigw-requestid"], await answer.read()

    async with aiohttp.ClientSession(url, connector=connector) as client:
        return await asyncio.gather(*(get(client, path) for path in paths))
