"""The health check that task definitions name: what it says of a service that answers, and of one that does not."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from local_system import ROOT, free_ports


@pytest.fixture
def service():
    """A service whose health check is answered with its `status`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(self.server.status if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def check(port):
    return subprocess.run(
        [sys.executable, "-S", ROOT / "containers" / "health.py"],
        env=os.environ | {"PORT": str(port)}, capture_output=True, text=True, timeout=30,
    )  # fmt: skip


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_it_passes_where_the_service_says_that_it_is_healthy_and_only_there(service, status, code):
    service.status = status

    assert check(service.server_address[1]).returncode == code


def test_it_fails_where_nobody_listens():
    [port] = free_ports(1)

    run = check(port)
    assert run.returncode == 1
    assert "No answer" in run.stderr
