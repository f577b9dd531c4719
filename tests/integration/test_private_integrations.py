"""Private integrations, whole: a template with nested stacks, Cloud Map in the engine, instances that are processes."""

import asyncio
import contextlib
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field

import aiohttp
import httpx
import pytest
from local_system import ROOT, System, access_token, eventually, hosted_template

PROJECT = ROOT / "tests" / "private_integrations"


@dataclass
class Service:
    """The Cloud Map service of the template, and the API in front of it."""

    system: System
    client: httpx.Client
    processes: dict[int, subprocess.Popen] = field(default_factory=dict)

    @property
    def url(self):
        return self.system.addresses["apis"]["Services/Api"]

    def start(self, **attributes):
        """Start an instance and register it; returns its port, which is its id, too."""
        process = subprocess.Popen([sys.executable, PROJECT / "instance.py"], stdout=subprocess.PIPE, text=True)
        port = int(process.stdout.readline())
        self.processes[port] = process
        address = {"AWS_INSTANCE_IPV4": "127.0.0.1", "AWS_INSTANCE_PORT": str(port)}
        self._call("register_instance", port, CreatorRequestId=str(port), Attributes=address | attributes)
        return port

    def deregister(self, port):
        self._call("deregister_instance", port)

    def set_health(self, port, status):
        self._call("update_instance_custom_health_status", port, Status=status)

    def kill(self, port):
        self.processes[port].kill()
        self.processes[port].wait()

    def clear(self):
        for port, process in self.processes.items():
            with contextlib.suppress(self._client.exceptions.InstanceNotFound):
                self.deregister(port)
            process.kill()
            process.wait()
            process.stdout.close()
        self.processes.clear()

    def get(self, path):
        return self.client.get(self.url + path)

    def is_served_by(self, *ports):
        """Wait until the gateway has listed just these instances."""
        eventually(lambda: {self.get("/items/1").json().get("instance") for _ in range(20)} == set(ports))

    @property
    def _client(self):
        return self.system.client("servicediscovery")

    def _call(self, action, port, **parameters):
        call = getattr(self._client, action)
        call(ServiceId=self.system.output("ServiceId"), InstanceId=str(port), **parameters)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("private")
    with hosted_template(PROJECT / "template.yaml", folder) as system, httpx.Client(timeout=30) as client:
        yield Service(system, client)


@pytest.fixture
def service(running):
    yield running
    running.clear()


def gateway_log(service):
    return (service.system.data_dir / "logs" / "gateway.log").read_text()


@contextlib.asynccontextmanager
async def constant_load(url, answers):
    """Eight clients that ask again and again; `answers` counts instances, and statuses of what failed."""
    is_over = False

    async def ask(client):
        while not is_over:
            async with client.get(url) as answer:
                answers[(await answer.json())["instance"] if answer.status == 200 else f"status {answer.status}"] += 1

    async with aiohttp.ClientSession() as client:
        asking = [asyncio.create_task(ask(client)) for _ in range(8)]
        try:
            yield
        finally:
            is_over = True
            await asyncio.gather(*asking)


async def more(answers, count=200):
    """Wait until there are this many more answers."""
    wanted = answers.total() + count
    await asyncio.to_thread(eventually, lambda: answers.total() >= wanted)


def failed(answers):
    return sum(count for answer, count in answers.items() if isinstance(answer, str))


def test_a_service_without_instances_is_an_error_that_the_log_explains(service):
    got = service.get("/items/1")
    assert (got.status_code, got.json()) == (500, {"message": "Internal Server Error"})
    arn = f"arn:aws:servicediscovery:us-east-1:000000000000:service/{service.system.output('ServiceId')}"
    assert f"No target endpoints found for integration {arn}" in gateway_log(service)


def test_requests_spread_over_healthy_instances_only(service):
    ports = [service.start() for _ in range(4)]
    service.set_health(ports[3], "UNHEALTHY")
    service.is_served_by(*ports[:3])
    answers = Counter(service.get("/items/1").json()["instance"] for _ in range(300))
    assert set(answers) == set(ports[:3])
    assert min(answers.values()) > 50

    service.set_health(ports[3], "HEALTHY")
    service.is_served_by(*ports)


def test_attributes_in_the_uri_choose_instances(service):
    service.start(colour="green")
    blue = service.start(colour="blue")
    eventually(lambda: service.get("/blue/1").json().get("instance") == blue)
    assert {service.get("/blue/1").json()["instance"] for _ in range(20)} == {blue}


def test_the_stage_is_in_the_path_only_where_the_path_is_not_overwritten(service):
    port = service.start(colour="blue")
    service.is_served_by(port)
    assert service.get("/items/a%20b?c=%20d").json()["line"] == "GET /items/a%20b?c=%20d HTTP/1.1"
    eventually(lambda: service.get("/blue/1").status_code == 200)
    assert service.get("/blue/1").json()["line"] == "GET /dev/blue/1 HTTP/1.1"


def test_a_forged_identity_is_overwritten_where_users_are_known_and_removed_elsewhere(service):
    port = service.start()
    service.is_served_by(port)
    token = access_token(service.system, service.system.output("ClientId"))
    forged = [("x-user", "forged"), ("X-User", "twice"), ("connection", "x-user")]

    def user(method, headers):
        got = service.client.send(httpx.Request(method, f"{service.url}/items/1", headers=headers))
        return got.status_code, [value for name, value in got.json().get("headers", []) if name == "x-user"]

    assert user("GET", forged) == (200, [])
    assert user("PUT", forged) == (401, [])
    status, [sub] = user("PUT", [*forged, ("authorization", f"Bearer {token}")])
    assert status == 200
    assert len(sub) == 36


def test_a_listener_that_does_not_run_here_is_refused_by_name(service):
    got = service.get("/items/listener")
    assert got.status_code == 501
    assert "listener/app/nobody/1/2, which is the listener of no load balancer that runs here" in got.json()["message"]


def test_no_request_fails_while_an_instance_is_deregistered_under_load(service):
    ports = [service.start() for _ in range(3)]
    service.is_served_by(*ports)
    answers = Counter()

    async def work():
        async with constant_load(f"{service.url}/items/1", answers):
            await more(answers)
            await asyncio.to_thread(service.deregister, ports[0])
            await asyncio.sleep(2)  # a listing's second, and one more
            before = answers[ports[0]]
            service.kill(ports[0])
            await more(answers)
            assert answers[ports[0]] == before

    asyncio.run(work())
    assert failed(answers) == 0
    assert min(answers[port] for port in ports) > 0


def test_an_instance_that_is_killed_costs_no_more_than_the_requests_that_it_had_taken(service):
    ports = [service.start() for _ in range(3)]
    service.is_served_by(*ports)
    answers = Counter()

    async def work():
        async with constant_load(f"{service.url}/items/1", answers):
            await more(answers)
            await asyncio.to_thread(service.kill, ports[0])
            await more(answers, 1000)
            lost = failed(answers)
            await more(answers, 1000)
            assert failed(answers) == lost

    asyncio.run(work())
    assert failed(answers) <= 8  # one request of each client
    assert set(answers) <= {*ports, "status 503"}
