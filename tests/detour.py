"""A detour between the `docscan` command and a running system, which holds the command up where a test wants it."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from local_system import System

CONNECTION_HEADERS = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


class Detour:
    """Passes everything on: to the API below `/`, to the storage below `/storage`, whose links it leads through itself.

    `hold` names what is held up, once: an `upload` when half of it has been read, a `download` when half of it has been
    written, or a request to the API by the beginning of its first line. `held` is set when it is.
    """

    def __init__(self, system: System) -> None:
        self.hold = ""
        self.held = threading.Event()
        self.released = threading.Event()
        self.ranges: list[str | None] = []
        self.uploads = 0
        self._api = system.addresses["apis"]["ScannerApi"]
        self._storage = system.addresses["engine"]
        detour = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except ConnectionError:  # to a command that was killed
                    self.close_connection = True

            def do_any(self) -> None:
                detour._pass_on(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_any  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def hold_once(self, what: str) -> None:
        """Hold up the next one of these."""
        self.hold = what
        self.held.clear()
        self.released.clear()

    def release(self) -> None:
        """Let go of what is held up; its command is dead by now."""
        self.released.set()

    def _pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        in_storage = handler.path.startswith("/storage/")
        url = self._storage + handler.path.removeprefix("/storage") if in_storage else self._api + handler.path
        body = self._read(handler, in_storage)
        if self.hold and handler.requestline.startswith(self.hold):
            self._stop_here()
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in CONNECTION_HEADERS}
        answer = httpx.request(handler.command, url, content=body, headers=headers, timeout=60)
        content = answer.content
        if not in_storage:
            content = content.replace(self._storage.encode(), f"{self.address}/storage".encode())
        handler.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in CONNECTION_HEADERS:
                handler.send_header(name, value)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        if in_storage and handler.command == "GET":
            self.ranges.append(handler.headers.get("range"))
            if self.hold == "download":
                handler.wfile.write(content[: len(content) // 2])
                handler.wfile.flush()
                self._stop_here()
                content = content[len(content) // 2 :]
        handler.wfile.write(content)

    def _read(self, handler: BaseHTTPRequestHandler, in_storage: bool) -> bytes:
        length = int(handler.headers.get("content-length") or 0)
        if not (in_storage and handler.command == "POST"):
            return handler.rfile.read(length)
        self.uploads += 1
        start = handler.rfile.read(length // 2)
        if self.hold == "upload":
            self._stop_here()
            raise ConnectionResetError  # the rest may have been under way already: it is lost
        rest = handler.rfile.read(length - len(start))
        if len(start) + len(rest) < length:
            raise ConnectionResetError
        return start + rest

    def _stop_here(self) -> None:
        self.hold = ""
        self.held.set()
        self.released.wait()


@contextlib.contextmanager
def detour_to(system: System, folder: Path) -> Iterator[tuple[Detour, System]]:
    """A detour, and the system as it is seen through that: `folder` becomes the data folder of it."""
    detour = Detour(system)
    thread = threading.Thread(target=detour.server.serve_forever, daemon=True)
    thread.start()
    addresses = system.addresses | {"apis": {"ScannerApi": detour.address}}
    folder.mkdir()
    (folder / "addresses.json").write_text(json.dumps(addresses))
    try:
        yield detour, System(folder, addresses)
    finally:
        detour.release()
        detour.server.shutdown()
        detour.server.server_close()
        thread.join()
