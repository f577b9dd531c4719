"""A Lambda route through the local gateway, beside the same function under `sam local start-api`.

    .venv/bin/python bench/start_api.py [--requests N] [--runs N]

`GET /projects` of the demo user by the one, and of the development user by the other, which checks no tokens. Both are
warm: the gateway's engine keeps a process for each request at a time, `start-api` one container for the function. It
needs Docker and Lambda's image (`.ci/container-engine`, `.ci/lambda-image`); without them it says so.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx
from report import ratio, spread, table, title
from scan import running_system

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]
from local_system import ARCHITECTURE, IMAGE, ROOT, System, access_token, address_for_containers, free_ports

SAM = ROOT / ".venv-sam" / "bin" / "sam"


@contextmanager
def start_api(system: System, folder: Path) -> Iterator[str]:
    """`sam local start-api` on the running system's tables; yields its address."""
    [port] = free_ports(1)
    override = ["--parameter-overrides", f"Architecture={ARCHITECTURE}"]
    path = f"{SAM.parent}{os.pathsep}{os.environ['PATH']}"
    engine = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    environment = os.environ | engine | {"PATH": path, "AWS_ENDPOINT_URL": system.addresses["engine"]}
    subprocess.run([SAM, "build", *override], cwd=ROOT, env=environment, check=True, capture_output=True)
    command = [SAM, "local", "start-api", "--port", str(port), "--skip-pull-image", "--warm-containers", "LAZY"]
    command += ["--env-vars", system.data_dir / "sam-local.json", *override]
    with (
        (folder / "start-api.log").open("w") as log,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log) as server,
    ):
        try:
            for _ in range(600):
                try:
                    httpx.get(f"http://127.0.0.1:{port}/")
                    break
                except httpx.ConnectError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def send(address: str, headers: dict[str, str], count: int, concurrency: int) -> tuple[float, float]:
    """Requests a second, and the median of a request's milliseconds."""
    times = []

    def one_after_another(share: int) -> None:
        with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
            for _ in range(share):
                start = perf_counter()
                client.get("/projects").raise_for_status()
                times.append(1000 * (perf_counter() - start))

    start = perf_counter()
    with ThreadPoolExecutor(concurrency) as threads:
        list(threads.map(one_after_another, [count // concurrency] * concurrency))
    return len(times) / (perf_counter() - start), median(times)


def compare(system: System, peer: str, requests: int, runs: int) -> None:
    token = access_token(system, system.output("CliClientId"))
    sides = {
        "gateway": (system.addresses["apis"]["ScannerApi"], {"authorization": f"Bearer {token}"}),
        "start-api": (peer, {}),
    }
    rows = []
    for concurrency in (1, 8):
        measured: dict[str, list[tuple[float, float]]] = {side: [] for side in sides}
        for _ in range(runs + 1):  # the first time, processes and containers start
            for side, (address, headers) in sides.items():
                measured[side].append(send(address, headers, requests, concurrency))
        ours, theirs = ([speed for speed, _ in measured[side][1:]] for side in sides)
        waits = (spread([wait for _, wait in measured[side][1:]], 0) for side in sides)
        rows.append((concurrency, spread(ours, 0), spread(theirs, 1), ratio(ours, theirs), *waits))
    header = ("at once", "gateway, requests/s", "start-api, requests/s", "ratio", "gateway, ms", "start-api, ms")
    table(header, rows)
    print(f"Median (least–most) of {runs} runs of {requests} requests in turns, after the first one.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    title("The gateway beside sam local start-api")
    try:
        address = address_for_containers()
    except (OSError, subprocess.CalledProcessError):
        print(f"Not measured: no Docker engine with {IMAGE} answers.\n")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with running_system(folder, "--container-address", address) as system, start_api(system, folder) as peer:
            compare(system, peer, arguments.requests, arguments.runs)


if __name__ == "__main__":
    main()
