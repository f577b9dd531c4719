"""A service as a process: its port, its health, and an end that loses no request."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import httpx
import pytest
from local_system import ROOT, free_ports

CONTAINERS = ROOT / "containers"


@contextlib.contextmanager
def running(folder, module, **environment):
    """Yield the process of a service, its address, and the file of its log, once it answers."""
    [port] = free_ports(1)
    variables = {"PORT": str(port), "HOST": "127.0.0.1", "PYTHONPATH": f"{CONTAINERS}{os.pathsep}{CONTAINERS / folder}"}
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", module]
        process = subprocess.Popen(command, env=os.environ | variables | environment, stdout=log)
        try:
            wait_until_ready(process, address)
            yield process, address, log
        finally:
            process.kill()
            process.wait()


def wait_until_ready(process, address):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "The service has ended"
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{address}/health").status_code == 200:
                return
        time.sleep(0.05)
    raise TimeoutError(address)


@pytest.mark.parametrize(
    ("folder", "module", "service", "path"),
    [
        ("catalog", "catalog", "books", "/api/books/1"),
        ("catalog", "catalog", "authors", "/api/authors"),
        ("site", "sites", "helloworld", "/"),
        ("site", "sites", "blog", "/blog"),
        ("site", "sites", "webpage", "/"),
    ],
)
def test_a_service_answers_on_its_port(folder, module, service, path):
    with running(folder, module, SERVICE=service) as (_, address, _):
        assert httpx.get(address + path).status_code == 200


def test_a_store_keeps_items_in_the_engine(system):
    client = system.client("dynamodb")
    name = f"pets-{time.time_ns()}"
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    aws = {"AWS_ENDPOINT_URL": system.addresses["engine"], "AWS_DEFAULT_REGION": system.addresses["region"]}
    aws |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    pet = {"name": "Rex", "age": 3.5, "petId": "1"}
    try:
        with running("store", "store", SERVICE="pets", TABLE=name, **aws) as (_, address, _):
            assert httpx.put(f"{address}/petstore/pets/1", json=pet).json() == pet
        with running("store", "store", SERVICE="pets", TABLE=name, **aws) as (_, address, _):
            assert httpx.get(f"{address}/petstore/pets/1").json() == pet
            assert httpx.get(f"{address}/petstore/pets").json() == {"items": [pet]}
    finally:
        client.delete_table(TableName=name)


def test_what_goes_wrong_is_in_the_log_as_json_and_in_no_answer():
    aws = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}  # port 9 discards
    with running("store", "store", SERVICE="pets", TABLE="pets", **aws, **nowhere) as (process, address, log):
        answer = httpx.get(f"{address}/petstore/pets/1", timeout=60)
        process.terminate()
        process.wait(timeout=30)
        log.seek(0)
        [failure] = [entry for entry in map(json.loads, log) if entry["event"] == "log"]
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal server error"})
    assert failure["level"] == "ERROR"
    assert "EndpointConnectionError" in failure["trace"]


def test_a_service_that_is_told_to_stop_answers_all_that_still_come_and_ends_with_0():
    with running("site", "sites", SERVICE="helloworld", DRAIN_SECONDS="1.5") as (process, address, log):
        statuses, health, went_on = asyncio.run(stopped_under_load(process, address))
        process.wait(timeout=30)
        log.seek(0)
        events = [json.loads(line)["event"] for line in log]
    assert process.returncode == 0
    assert set(statuses) == {200}
    assert health == 503
    assert went_on > 20  # were answered after the signal
    assert (events[0], events[-1]) == ("serving", "stopped")


async def stopped_under_load(process, address):
    """Ask from eight sides without a pause; send SIGTERM; stop asking a second later, as those do who look again."""
    statuses, asking, after = [], True, 0

    async def ask(client):
        nonlocal after
        while asking:
            statuses.append((await client.get(address)).status_code)
            after += told

    told = False
    async with httpx.AsyncClient() as client:
        askers = [asyncio.create_task(ask(client)) for _ in range(8)]
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        told = True
        await asyncio.sleep(0.3)
        health = (await client.get(f"{address}/health")).status_code
        await asyncio.sleep(0.7)
        asking = False
        await asyncio.gather(*askers)
    return statuses, health, after
