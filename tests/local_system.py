"""The local system as tests reach it."""

import contextlib
import json
import os
import platform
import random
import shutil
import socket
import subprocess
import sys
import time
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

    def versions(self):
        """Every version of every object in the scanner's bucket, as S3 lists them."""
        pages = self.client("s3").get_paginator("list_object_versions").paginate(Bucket=self.output("BucketName"))
        return [version for page in pages for version in page.get("Versions", [])]

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


def free_consecutive_ports(count):
    """The first of as many free ports, below those that the kernel gives out and may take meanwhile."""
    while True:
        first = random.randrange(20_000, 30_000)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for index in range(count):
                stack.enter_context(socket.create_server(("127.0.0.1", first + index)))
            return first


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


def eventually(condition, seconds=60):
    """Wait until a condition holds, and return what it gives."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
    return result


def processes(system, part):
    """The processes of the system whose command line has this in it; not the copies that write snapshots."""

    def is_meant(process):
        try:
            return part in " ".join(process.cmdline()) and process.nice() == 0
        except psutil.Error:  # it has just ended
            return False

    return [process for process in family(system.addresses) if is_meant(process)]


def kill(system, part):
    """Kill the processes of the system that have this in their command line, as soon as there are some."""
    victims = eventually(lambda: processes(system, part))
    for victim in victims:
        victim.kill()


def restarted(system):
    """Wait until the engine answers with the deployment."""

    def answers():
        try:
            return system.client("cloudformation").describe_stacks()["Stacks"]
        except Exception:  # noqa: BLE001 - whatever is wrong with it while it starts
            return False

    eventually(answers)


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
def hosted_template(template, folder, *options):
    """A SAM template as samhost runs it with further options, on free ports, from nothing."""
    api, [engine] = str(free_consecutive_ports(2)), map(str, free_ports(1))
    data_dir, samhost = folder / "data", [sys.executable, "-m", "samhost"]
    environment = os.environ | {"PATH": f"{ROOT / '.venv-sam' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(
        [*samhost, "up", "--detach", "--template", template, "--data-dir", data_dir,
         "--api-port", api, "--engine-port", engine, *options],
        cwd=ROOT, env=environment, check=True, stdout=sys.stderr,
    )  # fmt: skip
    try:
        yield System(data_dir, json.loads((data_dir / "addresses.json").read_text()))
    finally:
        subprocess.run([*samhost, "down", "--data-dir", data_dir], cwd=ROOT, check=True, stdout=sys.stderr)
        shutil.rmtree(data_dir)
