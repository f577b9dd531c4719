"""What a private integration costs: requests through gateway and Cloud Map, beside the same ones sent to the service.

    .venv/bin/python bench/private_integration.py [--runs N]

Two of the containers' services, each one process, as ECS would run one task of it: the food store, which reads each
item from DynamoDB (the engine's), and the book catalogue, which answers at once, so that the gateway is all that is
seen. The client is bench/gateway.py's. The engine is that of tests/private_integrations on free ports, with a data
directory that is deleted again; the gateway is one of its own, in front of these services.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import uvloop
from gateway import compare, request_bytes
from report import table, title

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]
from gateway_process import gateway
from local_system import ROOT, System, free_ports, hosted_template

LEAST_RATIO = 0.5
REQUESTS = {1: 600, 8: 3000, 64: 6000}  # of a run, by the number of connections
SERVICES = {
    "food store": ("store", "foods", "/foodstore/foods/apple"),
    "book catalogue": ("catalog", "books", "/api/books/1"),
}


def ready(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/health").status_code == 200
    return False


@contextlib.contextmanager
def service(system: System, module: str, kind: str) -> Iterator[str]:
    """A service as a process; yields its URL."""
    [port] = free_ports(1)
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": system.addresses["region"],
        "AWS_ENDPOINT_URL": system.addresses["engine"], "HOST": "127.0.0.1", "PORT": str(port),
        "PYTHONPATH": os.pathsep.join((str(ROOT / "containers"), str(ROOT / "containers" / module))),
        "SERVICE": kind, "TABLE": kind,
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", module], env=environment, stdout=subprocess.DEVNULL)
    try:
        while not ready(f"http://127.0.0.1:{port}"):
            if process.poll() is not None:
                raise RuntimeError(f"{module} has ended with {process.returncode}")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def fill_store(system: System, url: str) -> None:
    name = "foods"
    system.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    httpx.put(f"{url}/foodstore/foods/apple", json={"foodName": "Apple"}).raise_for_status()


def register(system: System, namespace: str, kind: str, url: str) -> str:
    """Make a Cloud Map service with one instance; returns its ARN."""
    cloud_map = system.client("servicediscovery")
    made = cloud_map.create_service(Name=kind, NamespaceId=namespace)["Service"]
    host, _, port = url.removeprefix("http://").partition(":")
    attributes = {"AWS_INSTANCE_IPV4": host, "AWS_INSTANCE_PORT": port}
    cloud_map.register_instance(ServiceId=made["Id"], InstanceId=kind, Attributes=attributes)
    return made["Arn"]


def operation(arn: str) -> dict:
    """A route behind a Cloud Map service, as docs and templates write one."""
    integration = {
        "type": "http_proxy", "httpMethod": "ANY", "payloadFormatVersion": "1.0", "uri": arn,
        "connectionType": "VPC_LINK", "connectionId": "link",
        "requestParameters": {"overwrite:path": "$request.path", "remove:header.x-user": "''"},
    }  # fmt: skip
    return {"get": {"x-amazon-apigateway-integration": integration}}


async def measure(urls: dict[str, str], through: str, runs: int) -> None:
    rows = []
    for name, (_, _, path) in SERVICES.items():
        for concurrency, count in REQUESTS.items():
            requests = {
                side: (url + path, request_bytes(url + path, {}, b"", "GET"))
                for side, url in (("direct", urls[name]), ("gateway", through))
            }
            row = await compare(name, requests, concurrency, count, runs)
            wanted = f"at least {LEAST_RATIO}" if concurrency == 64 else ""
            rows.append((*row[:5], wanted, row[5]))
    header = ("", "at once", "direct, requests/s", "through the gateway", "ratio", "wanted", "ms added, median")
    table(header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    title("Private integrations beside the services themselves")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        template = ROOT / "tests" / "private_integrations" / "template.yaml"
        system = stack.enter_context(hosted_template(template, folder))
        urls = {
            name: stack.enter_context(service(system, module, kind)) for name, (module, kind, _) in SERVICES.items()
        }
        fill_store(system, urls["food store"])
        namespace = system.client("servicediscovery").list_namespaces()["Namespaces"][0]["Id"]
        paths = {
            path: operation(register(system, namespace, kind, urls[name])) for name, (_, kind, path) in SERVICES.items()
        }
        through = stack.enter_context(gateway(folder, {"paths": paths}, engine=system.addresses["engine"]))
        uvloop.run(measure(urls, through.url, runs))
    print(f"Median (least–most) of {runs} runs in turns; client, gateway, services and engine share the cores.")


if __name__ == "__main__":
    main()
