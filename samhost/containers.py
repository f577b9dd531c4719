"""Lets `sam local` run functions in containers against the local system.

A container does not reach 127.0.0.1 of the machine it runs on. `forwarded` opens a way for as long as it is wanted, and
the environment file gives functions the names of the deployed resources.
"""

import json
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from samhost.deployment import engine_client, stack_resources
from samhost.settings import HOST, Settings


class _Forward(socketserver.BaseRequestHandler):
    """Copies what comes on a connection to a port of 127.0.0.1, and what comes back."""

    to_port: int

    def handle(self) -> None:
        with socket.create_connection((HOST, self.to_port)) as system:
            other = {self.request: system, system: self.request}
            while True:
                for side in select.select(list(other), [], [])[0]:
                    if not (data := side.recv(2**16)):
                        return
                    other[side].sendall(data)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def forwarded(address: str, to_port: int, port: int = 0) -> Iterator[int]:
    """A port of `address` (0: a free one) that leads to `to_port` of 127.0.0.1.

    Raises OSError where the address is none of this machine's own, or the port is taken.
    """
    server = _Server((address, port), type("ForwardTo", (_Forward,), {"to_port": to_port}))
    with server:
        threading.Thread(target=server.serve_forever, name=f"forward-{to_port}").start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def write_environment(settings: Settings) -> Path:
    """Write what `sam local … --env-vars` takes: each function's variables as deployed, and the local endpoints."""
    address = settings.container_address or HOST
    endpoints = {
        "AWS_ENDPOINT_URL": f"http://{address}:{urlsplit(settings.engine_url).port}",
        "AWS_ENDPOINT_URL_TEXTRACT": f"http://{address}:{urlsplit(settings.textract_url).port}",
    }
    client = engine_client(settings, "lambda")
    environment = {}
    for name, function in stack_resources(settings, "AWS::Lambda::Function").items():
        deployed = client.get_function_configuration(FunctionName=function).get("Environment", {}).get("Variables", {})
        environment[name] = deployed | endpoints | settings.sam_local_variables
    file = settings.data_dir / "sam-local.json"
    file.write_text(json.dumps(environment, indent=1))
    return file
