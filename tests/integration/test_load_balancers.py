"""Load balancers of a template, with targets that the tests register: servers of their own, some of which go."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from gateway_process import reply, server
from local_system import ROOT, hosted_template

WAIT_SECONDS = 40


@pytest.fixture(scope="module")
def balanced(tmp_path_factory):
    template = ROOT / "tests" / "projects" / "balanced" / "template.yaml"
    with hosted_template(template, tmp_path_factory.mktemp("balanced")) as system:
        yield system


@pytest.fixture
def http(balanced):
    with httpx.Client(base_url=balanced.addresses["loadBalancers"]["Http"], timeout=30) as client:
        yield client


class Targets:
    """Target groups, and the servers that are registered in them."""

    def __init__(self, system):
        self._system = system
        self._elb = system.client("elbv2")
        self._registered = []

    def register(self, group, url, then="is healthy"):
        self._elb.register_targets(TargetGroupArn=self._system.output(group), Targets=[target(url)])
        self._registered.append((group, url))
        if then:
            self.wait_for_log(url, then)

    def deregister(self, group, url, then="is deregistered"):
        self._elb.deregister_targets(TargetGroupArn=self._system.output(group), Targets=[target(url)])
        if then:
            self.wait_for_log(url, then)

    def deregister_all(self):
        for group, url in self._registered:
            self._elb.deregister_targets(TargetGroupArn=self._system.output(group), Targets=[target(url)])

    def wait_for_log(self, url, what):
        """Wait until the load balancers say something of a target; what was said of an earlier one counts, too."""
        wanted = f"{url.removeprefix('http://')} {what}"
        wait_until(lambda: wanted in self.log, wanted)

    @property
    def log(self):
        return (self._system.data_dir / "logs" / "load-balancers.log").read_text()


@pytest.fixture
def targets(balanced):
    registered = Targets(balanced)
    yield registered
    registered.deregister_all()


def target(url):
    parts = urlsplit(url)
    return {"Id": parts.hostname, "Port": parts.port}


def wait_until(condition, what):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@contextlib.contextmanager
def echo(name):
    """A server that tells what it was asked, healthy unless it is told otherwise."""

    async def answer(path, request, writer):
        body = b"" if request["line"].startswith("HEAD ") else json.dumps({"server": name, **request}).encode()
        reply(writer, body, "content-type: application/json", "x-kind: own")

    with server(answer) as url:
        yield url


class Load:
    """Clients that ask for one URL as fast as they are answered, until told to stop."""

    def __init__(self, url, clients=16):
        self._url, self._stopped = url, threading.Event()
        self.answers = []  # when and what: a status, or the name of an error
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.wait_for(50)
        return self

    def __exit__(self, *_):
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count):
        """Wait for as many more answers."""
        wanted = len(self.answers) + count
        wait_until(lambda: len(self.answers) >= wanted, f"{wanted} answers")

    def since(self, moment):
        return Counter(what for when, what in self.answers if when >= moment)

    def _ask(self):
        with httpx.Client(timeout=30) as client:
            while not self._stopped.is_set():
                began = time.monotonic()
                try:
                    what = client.get(self._url).status_code
                except httpx.HTTPError as error:
                    what = type(error).__name__
                self.answers.append((began, what))


def test_what_is_served_and_what_is_not_is_said_at_the_start(balanced):
    said = (balanced.data_dir / "logs" / "samhost.log").read_text()
    assert "Not served: Https: not emulated: the protocol HTTPS" in said
    assert "Not served: Http: rule 50: not emulated: the actions authenticate-cognito, forward" in said
    assert "nothing here acts on stickiness.enabled true" in said
    assert {name: url.split(":")[0] for name, url in balanced.addresses["loadBalancers"].items()} == {
        "Http": "http", "Tcp": "tcp", "TcpStraight": "tcp",
    }  # fmt: skip


def test_the_gateway_is_told_where_listeners_are(balanced):
    config = json.loads((balanced.data_dir / "gateway.json").read_text())
    elb = balanced.client("elbv2")
    balancers = {each["LoadBalancerArn"]: each["DNSName"] for each in elb.describe_load_balancers()["LoadBalancers"]}

    assert {(each["dnsName"], each["port"]) for each in config["loadBalancers"]} == {
        (dns_name, port) for dns_name in balancers.values() for port in (80, 81)
    } - {(next(name for arn, name in balancers.items() if "networkb" not in arn), 81)}
    for each in config["loadBalancers"]:
        assert balancers[each["loadBalancer"]] == each["dnsName"]
        [listener] = elb.describe_listeners(ListenerArns=[each["listener"]])["Listeners"]
        assert listener["LoadBalancerArn"] == each["loadBalancer"]
        assert each["address"] in balanced.addresses["loadBalancers"][each["name"]]


def test_rules_decide_by_priority_and_nothing_else_gets_through(http, targets):
    with echo("one") as one, echo("two") as two:
        targets.register("One", one)
        targets.register("Two", two)

        assert http.get("/one").json()["server"] == "one"
        assert http.get("/one/more?group=two").json()["server"] == "two"
        assert http.get("/onemore").status_code == 404
        assert http.get("/onemore").text == '{"message": "Not found: <here> & there"}'
        assert http.get("/nobody").status_code == 503
        assert http.get("/members/list").status_code == 501
        moved = http.get("/old/place?a=b")
        assert (moved.status_code, moved.headers["location"]) == (301, "http://www.example.com:80/new/old/place?a=b")


def test_a_request_reaches_its_target_whole_and_the_answer_comes_back(http, targets):
    with echo("one") as one:
        targets.register("One", one)
        sent = b"x" * 1_000_000

        answer = http.put("/one/thing?a=%20b", content=sent, headers={"x-own": "1", "host": "example.com"})
        head = http.head("/one")

    asked, headers = answer.json(), dict(answer.json()["headers"])
    assert asked["line"] == "PUT /one/thing?a=%20b HTTP/1.1"
    assert len(asked["body"]) == len(sent)
    assert {name.lower(): value for name, value in headers.items()}["host"] == "example.com"
    assert (headers["x-own"], headers["x-forwarded-for"], headers["x-forwarded-port"]) == ("1", "127.0.0.1", "80")
    assert answer.headers["x-kind"] == "own"
    assert head.headers["content-type"] == "application/json"


def test_requests_are_spread_over_healthy_targets_only(http, targets):
    async def failing(path, request, writer):
        reply(writer, b"", status="500 Broken")

    with echo("a") as one, echo("b") as two, server(failing) as broken:
        targets.register("One", one)
        targets.register("One", two)
        targets.register("One", broken, then="is unhealthy")

        assert Counter(http.get("/one").json()["server"] for _ in range(20)) == {"a": 10, "b": 10}


def test_a_slow_target_is_a_timeout_and_a_broken_one_a_bad_gateway(http, targets):
    async def odd(path, request, writer):
        if path == "/one/broken":
            writer.close()
        elif path == "/health":
            reply(writer, b"")

    with server(odd) as one:
        targets.register("One", one)

        assert http.get("/one/broken").status_code == 502
        assert http.get("/one/slow").status_code == 504


def test_nothing_fails_where_a_target_is_deregistered_before_it_goes(http, targets):
    with echo("stays") as stays, echo("goes") as goes:
        targets.register("One", stays)
        targets.register("One", goes)
        with Load(f"{http.base_url}/one") as load:
            targets.deregister("One", goes)
            load.wait_for(50)

    assert load.since(0).keys() == {200}


def test_nothing_fails_where_all_targets_are_replaced_at_once(http, targets):
    with contextlib.ExitStack() as servers:
        before = [servers.enter_context(echo("before")) for _ in range(2)]
        after = [servers.enter_context(echo("after")) for _ in range(2)]
        for url in before:
            targets.register("One", url)
        with Load(f"{http.base_url}/one") as load:
            for url in after:
                targets.register("One", url, then=None)
            for url in before:
                targets.deregister("One", url, then=None)
            targets.wait_for_log(after[1], "is healthy")
            targets.wait_for_log(before[1], "is deregistered")
            load.wait_for(50)
        served_by = {http.get("/one").json()["server"] for _ in range(4)}

    assert load.since(0).keys() == {200}
    assert served_by == {"after"}


def test_requests_under_way_at_a_deregistered_target_are_answered(http, targets):
    finish, begun = threading.Event(), threading.Event()

    async def slow(path, request, writer):
        if path == "/one/slow":
            begun.set()
            await asyncio.to_thread(finish.wait, WAIT_SECONDS)
        reply(writer, b"done")

    with server(slow) as one, httpx.Client(base_url=http.base_url, timeout=30) as other:
        targets.register("One", one)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(other.get("/one/slow")))
        asking.start()
        assert begun.wait(WAIT_SECONDS)
        targets.deregister("One", one)
        assert http.get("/one/other").status_code == 503
        finish.set()
        asking.join()

    assert (answers[0].status_code, answers[0].text) == (200, "done")


def test_a_target_that_dies_under_load_gets_nothing_after_the_health_window(http, targets):
    with echo("stays") as stays, contextlib.ExitStack() as doomed:
        dies = doomed.enter_context(echo("dies"))
        targets.register("One", stays)
        targets.register("One", dies)
        with Load(f"{http.base_url}/one") as load:
            killed = time.monotonic()
            doomed.close()
            targets.wait_for_log(dies, "is unhealthy")
            window = time.monotonic()
            load.wait_for(50)
        answers = load.since(killed)

    assert answers[200] > 0
    assert answers.keys() <= {200, 502}
    assert load.since(window).keys() == {200}


def test_a_network_load_balancer_leads_to_the_other_one(balanced, targets):
    with echo("one") as one:
        targets.register("One", one)
        url = balanced.addresses["loadBalancers"]["Tcp"].replace("tcp:", "http:")
        wait_until(lambda: "loadbalancer/app" in targets.log and ":80 is healthy" in targets.log, "it is healthy")

        asked = httpx.get(f"{url}/one").json()

    headers = dict(asked["headers"])
    assert asked["server"] == "one"
    assert headers["x-forwarded-for"] == "127.0.0.1"


def test_a_network_load_balancer_passes_bytes_on_as_they_are(balanced, targets):
    parts = urlsplit(balanced.addresses["loadBalancers"]["TcpStraight"])

    async def answer(path, request, writer):
        reply(writer, request["line"].encode(), "x-own: 1")

    with socket.create_connection((parts.hostname, parts.port)) as connection:
        assert connection.recv(1) == b""  # there is no target
    with server(answer) as one:
        targets.register("Straight", one)
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            for _ in range(2):
                connection.sendall(b"GET /a?b HTTP/1.1\r\nhost: a\r\n\r\n")
                assert connection.recv(65_536).endswith(b"GET /a?b HTTP/1.1")


def test_the_load_balancers_come_back_where_they_were(balanced, http, targets):
    with echo("one") as one:
        targets.register("One", one)
        children = psutil.Process(balanced.addresses["pid"]).children()
        [process] = [child for child in children if "samhost.elb" in child.cmdline()]
        process.kill()

        def answers():
            try:
                return http.get("/one").status_code == 200
            except httpx.HTTPError:
                return False

        wait_until(answers, "an answer")
