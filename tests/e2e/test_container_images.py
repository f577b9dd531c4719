"""The images in containers/, built and run by Docker as tasks are: as nobody, with nothing to write on."""

import contextlib
import json
import os
import subprocess
import time

import httpx
import pytest
from local_system import ROOT, free_ports

BASE = "public.ecr.aws/docker/library/python:3.13-slim"
SERVICES = {
    "catalog": ("books", "/api/books/6"),
    "preview": ("-", "/health"),
    "site": ("helloworld", "/"),
    "store": ("foods", "/health"),
}


def docker(*arguments, check=True):
    # The legacy builder is enough for these files, and there where BuildKit's plug-in is not.
    environment = os.environ | {"DOCKER_BUILDKIT": "0"}
    return subprocess.run(
        ["docker", *arguments], env=environment, capture_output=True, text=True, check=check, timeout=300
    ).stdout.strip()


@pytest.fixture(scope="module", params=SERVICES)
def image(request, why_no_image):
    """A service's name, and its image."""
    if why := why_no_image(BASE, ".ci/python-image"):
        pytest.skip(why)
    tag = f"docscan-test/{request.param}"
    dockerfile = ROOT / "containers" / request.param / "Dockerfile"
    docker("build", "--quiet", "--build-arg", f"BASE={BASE}", "--file", dockerfile, "--tag", tag, ROOT)
    yield request.param, tag
    docker("rmi", "--force", tag)


@contextlib.contextmanager
def task(image, **environment):
    """Yield the id and the address of a container that runs as a task does, once it answers."""
    [port] = free_ports(1)
    variables = [argument for item in environment.items() for argument in ("--env", "=".join(item))]
    container = docker(
        "run", "--detach", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
        "--memory", "512m", "--publish", f"127.0.0.1:{port}:8080", *variables, image,
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{address}/health").status_code == 200:
                    break
            time.sleep(0.1)
        yield container, address
    finally:
        docker("rm", "--force", container)


def test_a_service_runs_as_nobody_on_what_it_cannot_change_and_ends_with_0(image):
    name, tag = image
    service, path = SERVICES[name]
    aws = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    with task(tag, SERVICE=service, TABLE="foods", **aws) as (container, address):
        assert httpx.get(address + path).status_code == 200
        assert docker("exec", container, "id", "-u") == "65532"
        docker("exec", container, "python3.13", "-S", "/service/health.py")
        docker("stop", "--time", "30", container)
        [state] = json.loads(docker("inspect", container))
        assert state["State"]["ExitCode"] == 0
        events = [json.loads(line)["event"] for line in docker("logs", container).splitlines()]
        assert (events[0], events[-1]) == ("serving", "stopped")
