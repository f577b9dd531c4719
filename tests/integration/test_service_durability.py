"""Nothing that a service integration acknowledges is missing, whatever happens between gateway and engine."""

import asyncio
import json
import random
import secrets
import subprocess
import sys
from collections import Counter
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from local_system import free_ports

REQUESTS = 2400
AT_ONCE = 32
TIMEOUT_MS = 3000  # of the integrations; slow answers take longer
PARTS, REFUSED = 3, 20  # after each part nobody listens for this many requests where the engine was
SEED = 1
# How often what happens to a call, of 100.
FAULTS = {
    "refused before": 6,
    "reset after": 6,
    "cut short": 4,
    "garbage": 4,
    "500 before": 6,
    "503 after": 4,
    "slow": 1,
    "FailedEntryCount 1": 5,
}
ROUTES = {
    "message": ("POST", "/messages"),
    "record": ("POST", "/records"),
    "event": ("POST", "/events/durability?resource=arn:a"),
    "execution": ("PUT", "/quick/{name}"),
}


class FaultyEngine:
    """Hands calls to the engine, and does to them what networks and services do."""

    def __init__(self, url, session):
        self._url, self._session, self._random = url, session, random.Random(SEED)
        self.seen = Counter()

    async def handle(self, request):
        body = await request.read()
        fault = self._choose(request)
        self.seen[fault] += 1
        if fault == "refused before":
            request.transport.abort()
        elif fault == "500 before":
            return web.Response(status=500, text="<ErrorResponse/>")
        elif fault == "garbage":
            request.transport.write(b"garbage\r\n\r\n")
            request.transport.close()
        elif fault == "FailedEntryCount 1":
            return web.json_response({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})
        if fault not in {None, "reset after", "cut short", "503 after", "slow"}:
            return web.Response()
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
        async with self._session.request(
            request.method, self._url + request.path_qs, data=body, headers=headers
        ) as answer:
            content = await answer.read()
        if fault == "reset after":
            request.transport.abort()
        elif fault == "cut short":
            request.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + content[:20])
            request.transport.close()
        elif fault == "503 after":
            return web.Response(status=503)
        elif fault == "slow":
            await asyncio.sleep(2 * TIMEOUT_MS / 1000)
        kept = {"content-type", "x-amzn-requestid"}
        passed = {name: value for name, value in answer.headers.items() if name.lower() in kept}
        return web.Response(status=answer.status, body=content, headers=passed)

    def _choose(self, request):
        if request.method == "GET":  # the issuer's keys
            return None
        chance = self._random.uniform(0, 100)
        for fault, share in FAULTS.items():
            chance -= share
            if chance < 0:
                is_event = request.headers.get("x-amz-target") == "AWSEvents.PutEvents"
                return fault if fault != "FailedEntryCount 1" or is_event else None
        return None


@asynccontextmanager
async def faulty_engine(url, port):
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        engine = FaultyEngine(url, session)
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", engine.handle)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield engine
        finally:
            await runner.cleanup()


@pytest.fixture
def gateway(hosted, tmp_path):
    """A gateway of its own for the same API, which takes another port for the engine's; returns both."""
    api_port, engine_port = free_ports(2)
    config = json.loads((hosted.data_dir / "gateway.json").read_text())
    config["engine"] = f"http://127.0.0.1:{engine_port}"
    config["apis"][0]["port"] = api_port
    for path in config["apis"][0]["document"]["paths"].values():
        for operation in path.values():
            operation["x-amazon-apigateway-integration"]["timeoutInMillis"] = TIMEOUT_MS
    file = tmp_path / "gateway.json"
    file.write_text(json.dumps(config))
    environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with (tmp_path / "gateway.log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "samhost.gateway", "--config", file], env=environment, stdout=log, stderr=log
        )
        try:
            yield f"http://127.0.0.1:{api_port}", engine_port
        finally:
            process.terminate()
            process.wait()
            log.seek(0)
            assert "Traceback" not in log.read()


async def acknowledged(url, hosted, engine_port):
    """Send everything; returns the names of what was acknowledged by kind, and how often what happened to a call."""
    found, seen = {kind: set() for kind in ROUTES}, Counter()
    everything = [(kind, f"{kind}-{secrets.token_hex(8)}") for kind in ROUTES for _ in range(REQUESTS // len(ROUTES))]
    random.Random(SEED).shuffle(everything)

    async def send(session, waiting):
        while waiting:
            kind, name = waiting.pop()
            method, path = ROUTES[kind]
            async with session.request(
                method, url + path.format(name=name), json={"name": name}, headers={"x-kind": kind}
            ) as answer:
                content = await answer.read()
            if answer.status == 200 and (kind != "event" or json.loads(content)["FailedEntryCount"] == 0):
                found[kind].add(name)

    async def send_all(session, waiting):
        await asyncio.gather(*(send(session, waiting) for _ in range(AT_ONCE)))

    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        await until_it_answers(session, url)
        for part in range(PARTS):
            waiting = everything[part::PARTS]
            while_nobody_listens = waiting[:REFUSED]
            del waiting[:REFUSED]
            async with faulty_engine(hosted.addresses["engine"], engine_port) as engine:
                await send_all(session, waiting)
            seen += engine.seen
            await send_all(session, while_nobody_listens)
    return found, seen


async def until_it_answers(session, url):
    for _ in range(600):
        try:
            async with session.get(url):
                return
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.1)
    raise AssertionError("the gateway does not answer")


def drained(hosted, output):
    """The bodies of all messages of a queue, which are deleted."""
    sqs, url = hosted.client("sqs"), hosted.output(output)
    while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        yield from (json.loads(message["Body"]) for message in batch)
        entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(batch)]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)


def records(hosted):
    kinesis, stream = hosted.client("kinesis"), hosted.output("StreamName")
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while batch := kinesis.get_records(ShardIterator=iterator, Limit=1000):
            for record in batch["Records"]:
                if record["Data"].startswith(b'{"name"'):
                    yield json.loads(record["Data"])["name"]
            iterator = batch.get("NextShardIterator")
            if not iterator or not batch["Records"]:
                break


def executions(hosted):
    pages = hosted.client("stepfunctions").get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=hosted.output("QuickArn")):
        yield from (execution["name"] for execution in page["executions"])


def test_nothing_that_was_acknowledged_is_missing(hosted, gateway):
    url, engine_port = gateway
    for output in ("MessagesUrl", "EventsUrl"):
        list(drained(hosted, output))
    found, seen = asyncio.run(acknowledged(url, hosted, engine_port))
    assert seen.keys() >= FAULTS.keys()
    there = {
        "message": {body["name"] for body in drained(hosted, "MessagesUrl") if "name" in body},
        "record": set(records(hosted)),
        "event": {body["detail"]["name"] for body in drained(hosted, "EventsUrl")},
        "execution": set(executions(hosted)),
    }
    missing = {kind: len(found[kind] - there[kind]) for kind in ROUTES}
    assert missing == dict.fromkeys(ROUTES, 0)
    # Most went through, and not all: else nothing was tried.
    for names in found.values():
        assert 0.5 < len(names) * len(ROUTES) / REQUESTS < 1
