"""The local system as tests reach it."""

import contextlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import boto3
import psutil

ROOT = Path(__file__).parents[1]
DOCSCAN = Path(sys.executable).with_name("docscan")
ARCHITECTURE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
# AWS's own image of the functions' runtime.
IMAGE = f"public.ecr.aws/lambda/python:3.13-{ARCHITECTURE}"


@dataclass(frozen=True)
class System:
    """A running local system."""

    data_dir: Path
    addresses: dict

    def docscan(self, *arguments, cwd=ROOT, **options):
        """Run the `docscan` command against this system."""
        return subprocess.run(
            [DOCSCAN, *map(str, arguments)],
            cwd=cwd,
            env=os.environ | {"DOCSCAN_DATA_DIR": str(self.data_dir)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            **options,
        )

    def client(self, service):
        """A boto3 client of the engine, as root."""
        return boto3.client(
            service,
            endpoint_url=self.addresses["engine"],
            region_name=self.addresses["region"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def output(self, name):
        return self.addresses["outputs"][name]


def access_token(system, client_id):
    """An access token of the demo user of the system's one user pool."""
    [user] = system.addresses["users"]
    answer = system.client("cognito-idp").initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user["username"], "PASSWORD": user["password"]},
    )
    return answer["AuthenticationResult"]["AccessToken"]


def free_ports(count):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def address_for_containers():
    """The address of this machine as containers see it. Raises CalledProcessError or OSError where there is no Docker.

    Not a name: the SDK puts a bucket's name before the host's.
    """
    program = "import socket; print(socket.gethostbyname('this-machine'))"
    container = ["docker", "run", "--rm", "--add-host", "this-machine:host-gateway", "--entrypoint", "python3.13"]
    run = subprocess.run([*container, IMAGE, "-c", program], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def family(addresses):
    """The processes of a local system: its supervisor first, then all that it and they have started."""
    supervisor = psutil.Process(addresses["pid"])
    return [supervisor, *supervisor.children(recursive=True)]


@contextlib.contextmanager
def service_integrations(folder):
    """`tests/service_integrations` as samhost runs it; SERVICE_INTEGRATIONS_DATA_DIR names one that is running."""
    if given := os.environ.get("SERVICE_INTEGRATIONS_DATA_DIR"):
        data_dir = Path(given).resolve()
        yield System(data_dir, json.loads((data_dir / "addresses.json").read_text()))
        return
    with hosted_template(ROOT / "tests" / "service_integrations" / "template.yaml", folder) as system:
        yield system


@contextlib.contextmanager
def hosted_template(template, folder):
    """A SAM template as samhost runs it, on free ports, from nothing."""
    api, engine = (str(port) for port in free_ports(2))
    data_dir, samhost = folder / "data", [sys.executable, "-m", "samhost"]
    environment = os.environ | {"PATH": f"{ROOT / '.venv-sam' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(
        [*samhost, "up", "--detach", "--template", template, "--data-dir", data_dir,
         "--api-port", api, "--engine-port", engine],
        cwd=ROOT, env=environment, check=True, stdout=sys.stderr,
    )  # fmt: skip
    try:
        yield System(data_dir, json.loads((data_dir / "addresses.json").read_text()))
    finally:
        subprocess.run([*samhost, "down", "--data-dir", data_dir], cwd=ROOT, check=True, stdout=sys.stderr)
        shutil.rmtree(data_dir)
