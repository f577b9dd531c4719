"""Systems to stop and to kill, and the two ways in which tests run the functions outside of the local system.

`sam local` runs a function in AWS's own image, under a Docker engine. Where there is no engine, the same runtime
interface runs it as a process: AWS's emulator, which comes with the SAM CLI, and AWS's client for Python. Then the
summary of the run says so.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from local_system import ARCHITECTURE, DOCSCAN, IMAGE, ROOT, address_for_containers, free_ports

from samhost.containers import forwarded

SAM_BIN = ROOT / ".venv-sam" / "bin"
HOST = "127.0.0.1"
ENGINE_ROOT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}

NO_CONTAINERS = pytest.StashKey[str]()


def pytest_terminal_summary(terminalreporter, config):
    if why := config.stash.get(NO_CONTAINERS, None):
        terminalreporter.section("NO CONTAINERS: `sam local` WAS NOT TRIED", sep="!", yellow=True, bold=True)
        terminalreporter.line(f"{why}\nThe functions ran under the runtime interface emulator instead.", yellow=True)


# ---------------------------------------------------------------- Pages
@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    """Some of the project's own sample pages, and the text that is on them."""
    folder = tmp_path_factory.mktemp("samples")
    names = ["letter-english", "invoice-english", "letter-german", "truncated"]
    subprocess.run([sys.executable, ROOT / "tests" / "samples" / "make.py", folder, "--only", *names], check=True)
    return folder


# ---------------------------------------------------------------- A local system of a module's own
@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A system of this module's own, to stop and to kill: `own(verb, …)` runs the command on it."""
    data_dir = tmp_path_factory.mktemp("own") / "data"
    api, engine, textract = map(str, free_ports(3))
    ports = ["--api-port", api, "--engine-port", engine, "--textract-port", textract]

    def docscan(verb, *arguments):
        options = ["--detach", *ports] if verb == "up" else []
        return subprocess.run(
            [DOCSCAN, verb, "--data-dir", data_dir, *options, *arguments],
            cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180,
        )  # fmt: skip

    docscan.data_dir = data_dir
    yield docscan
    docscan("down")


@pytest.fixture
def running(own):
    if own("status").returncode:
        started = own("up")
        assert started.returncode == 0, started.stdout + started.stderr
    return json.loads((own.data_dir / "addresses.json").read_text())


# ---------------------------------------------------------------- The SAM CLI
@pytest.fixture(scope="session")
def sam():
    """Runs a `sam` command to its end, and returns it with its output as text."""
    return _sam


def _sam(*arguments: str, environment: dict[str, str] | None = None, stdin: str | None = None):
    assert (SAM_BIN / "sam").exists(), f"The SAM CLI is missing in {SAM_BIN}: run `make setup`."
    options = _sam_options(environment or {})
    return subprocess.run(
        [SAM_BIN / "sam", *arguments], **options, input=stdin, capture_output=True, text=True, check=False, timeout=300
    )


def _sam_options(environment: dict[str, str]) -> dict:
    # .venv-sam comes first on PATH, for `sam build` takes the Python that it finds there.
    path = {"PATH": f"{SAM_BIN}{os.pathsep}{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0"}
    return {"cwd": ROOT, "env": _without_aws() | path | environment}


def _without_aws() -> dict[str, str]:
    """The environment of this process, without whatever account the user works with."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


@pytest.fixture(scope="session")
def built_template() -> Path:
    """The template as `sam build` leaves it, for this machine's processor."""
    build = _sam("build", "--parameter-overrides", f"Architecture={ARCHITECTURE}")
    assert build.returncode == 0, build.stderr
    return ROOT / ".aws-sam" / "build" / "template.yaml"


# ---------------------------------------------------------------- Running functions
class FunctionRunner(Protocol):
    """Runs the built functions, one invocation at a time."""

    def invoke(self, function: str, event: dict) -> dict:
        """The answer of a function, by its logical id; fails with the function's log where it raises."""
        ...

    def get(self, path: str) -> httpx.Response:
        """The answer of a route of ProjectsFunction, asked without a token."""
        ...


@dataclass
class SamLocal:
    """`sam local invoke` and `sam local start-api`."""

    environment_file: Path
    engine: str

    def invoke(self, function: str, event: dict) -> dict:
        command = ["local", "invoke", function, "--event", "-", *self._options()]
        run = _sam(*command, environment=self._credentials(), stdin=json.dumps(event))
        return _answer(run.stdout, run.stderr)

    def get(self, path: str) -> httpx.Response:
        port = _free_port()
        command = [SAM_BIN / "sam", "local", "start-api", "--port", str(port), *self._options()]
        log = self.environment_file.with_name("start-api.log")
        options = _sam_options(self._credentials())
        with log.open("w") as output, subprocess.Popen(command, **options, stdout=output, stderr=output) as server:
            try:
                _wait_for(port, server, log)
                return httpx.get(f"http://{HOST}:{port}{path}", timeout=60)
            finally:
                server.terminate()

    def _options(self) -> list[str]:
        # Without --skip-pull-image SAM asks the registry for a newer image each time.
        return [
            "--env-vars", str(self.environment_file), "--skip-pull-image",
            "--parameter-overrides", f"Architecture={ARCHITECTURE}",
        ]  # fmt: skip

    def _credentials(self) -> dict[str, str]:
        # SAM hands its own credentials on to the functions, and looks up their account: at the engine, not at AWS.
        return ENGINE_ROOT | {"AWS_ENDPOINT_URL": self.engine}


@dataclass
class RuntimeInterfaceEmulator:
    """The same runtime interface without a container: the emulator, and the function as its child process."""

    template: Path
    environments: dict[str, dict[str, str]]
    log: Path

    def invoke(self, function: str, event: dict) -> dict:
        template = yaml.safe_load(self.template.read_text())
        properties = template["Globals"]["Function"] | template["Resources"][function]["Properties"]
        code = self.template.parent / properties["CodeUri"]
        rapid = next(SAM_BIN.parent.glob("lib/python3*/site-packages/samcli/local/rapid"))
        port, runtime_port = _free_port(), _free_port()
        command = [
            rapid / f"aws-lambda-rie-{ARCHITECTURE}",
            "--runtime-interface-emulator-address", f"{HOST}:{port}", "--runtime-api-address", f"{HOST}:{runtime_port}",
            sys.executable, "-m", "awslambdaric", properties["Handler"],
        ]  # fmt: skip
        given = self.environments[function]
        # As with SAM, what the template does not declare is not passed on.
        declared = {
            name: value
            for source in (template["Globals"]["Function"], template["Resources"][function]["Properties"])
            for name, value in source.get("Environment", {}).get("Variables", {}).items()
        }
        environment = {
            name: given.get(name, value) for name, value in declared.items() if name in given or isinstance(value, str)
        } | {
            "AWS_SAM_LOCAL": "true",
            "AWS_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(properties["Timeout"]),
            "PYTHONPATH": str(code),
        }
        options = {"cwd": code, "env": _without_aws() | ENGINE_ROOT | environment}
        with (
            self.log.open("w") as output,
            subprocess.Popen(command, **options, stdout=output, stderr=output) as emulator,
        ):
            try:
                _wait_for(port, emulator, self.log)
                url = f"http://{HOST}:{port}/2015-03-31/functions/function/invocations"
                answer = httpx.post(url, json=event, timeout=60)
            finally:
                emulator.terminate()
        return _answer(answer.text, self.log.read_text())

    def get(self, path: str) -> httpx.Response:
        # What `sam local start-api` makes of a request: payload format 2.0, and no authorizer.
        route = f"GET {path}"
        event = {
            "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": "", "headers": {}, "body": "",
            "requestContext": {"routeKey": route, "stage": "$default", "http": {"method": "GET", "path": path}},
            "isBase64Encoded": False,
        }  # fmt: skip
        answer = self.invoke("ProjectsFunction", event)
        return httpx.Response(answer["statusCode"], headers=answer.get("headers"), text=answer["body"])


def _answer(output: str, log: str) -> dict:
    """A function's answer. SAM and the emulator both call it a success when the function fails: here it is seen."""
    print(log)
    try:
        answer = json.loads(output)
    except ValueError:
        pytest.fail(f"The function's answer is no JSON: {output}")
    assert "errorType" not in answer, answer
    return answer


@pytest.fixture(scope="session")
def functions(
    request: pytest.FixtureRequest,
    system,
    built_template: Path,
    function_environment: dict[str, dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[FunctionRunner]:
    """The built functions, with the variables that the test module's fixture `function_environment` has for each."""
    folder = tmp_path_factory.mktemp("functions")
    endpoints = {
        "AWS_ENDPOINT_URL": system.addresses["engine"],
        "AWS_ENDPOINT_URL_TEXTRACT": system.addresses["textract"],
    }
    if why := _why_no_image(IMAGE, ".ci/lambda-image"):
        if sys.platform != "linux":
            pytest.fail(f"{why} The runtime interface emulator, which would do instead, runs on Linux only.")
        request.config.stash[NO_CONTAINERS] = why
        environments = {name: variables | endpoints for name, variables in function_environment.items()}
        yield RuntimeInterfaceEmulator(built_template, environments, folder / "function.log")
        return
    address = address_for_containers()
    with ExitStack() as stack:
        for name, url in endpoints.items():
            endpoints[name] = f"http://{address}:{stack.enter_context(_reachable(address, urlsplit(url).port))}"
        file = folder / "environment.json"
        file.write_text(json.dumps({name: variables | endpoints for name, variables in function_environment.items()}))
        yield SamLocal(file, system.addresses["engine"])


@pytest.fixture(scope="session")
def why_no_image():
    """Tells why Docker has no image of a name, None where it has: `why_no_image(name, the script that makes it)`."""
    return _why_no_image


def _why_no_image(image: str, script: str) -> str | None:
    if not shutil.which("docker"):
        return "There is no `docker` command; `.ci/container-engine` installs it where it can."
    if message := _failure("docker", "info"):
        return f"No Docker engine answers ({message}); `.ci/container-engine` starts one where it can."
    if _failure("docker", "image", "inspect", image) and (message := _failure("docker", "pull", "--quiet", image)):
        return f"{image} is not there and cannot be pulled ({message}); `{script}` makes it where it can."
    return None


def _failure(*command: str) -> str | None:
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    return (run.stderr.strip().splitlines() or ["it does not say why"])[-1] if run.returncode else None


# ---------------------------------------------------------------- The way from a container to this machine
@contextmanager
def _reachable(address: str, port: int) -> Iterator[int]:
    """A port of `address` that leads to `port` of 127.0.0.1."""
    with ExitStack() as stack:
        try:
            leads_there = stack.enter_context(forwarded(address, port))
        except OSError:
            # Docker Desktop: the address is none of this machine's own, and leads to its 127.0.0.1 by itself.
            leads_there = port
        yield leads_there


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return server.getsockname()[1]


def _wait_for(port: int, process: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        with socket.socket() as client:
            if client.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"Nothing listens on port {port}:\n{log.read_text()}")
