"""Private integrations, in process: developer guide, `http-api-develop-integrations-private`.

With a Cloud Map that a test fills, and servers that refuse connections where it says so.
"""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samhost.gateway import cloud_map
from samhost.gateway.cloud_map import CloudMap, Listing
from samhost.gateway.connections import NoAnswerError, Origin, UnreachableError
from samhost.gateway.engine import Reply
from samhost.gateway.messages import Response
from samhost.gateway.targets import CloudMapService

ARN = "arn:aws:servicediscovery:eu-west-1:000000000000:service/srv-pets"
LISTENER = "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/pets/1/2"
PRIVATE = {
    "type": "http_proxy",
    "httpMethod": "ANY",
    "payloadFormatVersion": "1.0",
    "connectionType": "VPC_LINK",
    "connectionId": "link",
}
SERVICE = CloudMapService(ARN, "eu-west-1", "srv-pets")
A, B, C = (Origin("127.0.0.1", port) for port in (1, 2, 3))


@dataclass
class FakeCloudMap:
    """Cloud Map's API with one service; keeps what it was asked."""

    instances: list[dict] = field(default_factory=list)
    failure: Exception | None = None
    gone: bool = False
    status: int = 200
    calls: list[tuple[str, dict, str]] = field(default_factory=list)

    def fill(self, *origins, **attributes):
        self.instances = [
            {"Attributes": {"AWS_INSTANCE_IPV4": origin.host, "AWS_INSTANCE_PORT": str(origin.port)} | attributes}
            for origin in origins
        ]

    async def call(self, service, method, target, body=b"", *, headers=None, credentials=None, region=None):
        action = headers["x-amz-target"].partition(".")[2]
        self.calls.append((action, json.loads(body), region))
        assert (service, method, target, credentials) == ("servicediscovery", "POST", "/", None)
        await asyncio.sleep(0)
        if self.failure:
            raise self.failure
        if self.gone:
            return Reply(404, {}, b'{"__type": "ServiceNotFound", "message": "Service not found"}')
        answers = {
            "GetService": {"Service": {"Name": "pets", "NamespaceId": "ns-1"}},
            "GetNamespace": {"Namespace": {"Name": "service"}},
            "DiscoverInstances": {"Instances": self.instances},
        }
        return Reply(self.status, {}, json.dumps(answers[action]).encode())

    @property
    def asked(self):
        return Counter(action for action, _, _ in self.calls)


@dataclass
class FakeServers:
    """Instances: those that refuse connections, and those that end them in the middle of a request."""

    refusing: set[Origin] = field(default_factory=set)
    ending: set[Origin] = field(default_factory=set)
    asked: list[Origin] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)

    async def send(self, origin, method, target, headers, body):
        self.asked.append(origin)
        self.targets.append(target)
        self.headers = headers
        await asyncio.sleep(0)
        if origin in self.refusing:
            raise UnreachableError("refused")
        if origin in self.ending:
            raise NoAnswerError("closed")
        return Response(200, [("set-cookie", "a=1"), ("set-cookie", "b=2")], str(origin.port).encode())


@pytest.fixture
def servers():
    return FakeServers()


@pytest.fixture
def pets(serve, operation, servers):
    """A route behind the service, whose instances are A and B: `pets(key, **changes_of_the_integration)`."""

    def build(key="GET /pets/{id}", *, options=None, security=None, **changes):
        method, _, path = key.partition(" ")
        route = operation(**{**PRIVATE, "uri": ARN, **changes})
        engine = FakeCloudMap()
        engine.fill(A, B)
        paths = {path: {method.lower(): route | ({"security": security} if security is not None else {})}}
        return serve(paths=paths, engine=engine, backend=servers, **(options or {}))

    return build


def test_a_request_goes_to_an_instance_and_its_answer_comes_back(pets, servers):
    answer = pets().get("/pets/1")
    assert (answer.status_code, answer.content) == (200, str(servers.asked[0].port).encode())
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert dict(servers.headers)["forwarded"].endswith("host=api.test;proto=https")
    assert dict(servers.headers)["via"] == "HTTP/1.1 AmazonAPIGateway"


def test_instances_are_discovered_by_name_healthy_ones_only_in_the_services_region(pets):
    api = pets()
    api.get("/pets/1")
    assert api.engine.calls == [
        ("GetService", {"Id": "srv-pets"}, "eu-west-1"),
        ("GetNamespace", {"Id": "ns-1"}, "eu-west-1"),
        (
            "DiscoverInstances",
            {"NamespaceName": "service", "ServiceName": "pets", "HealthStatus": "HEALTHY"},
            "eu-west-1",
        ),
    ]


def test_the_stage_is_in_the_path_unless_the_path_is_overwritten(pets, servers):
    stage = {"stage": "dev"}
    pets(options=stage).get("/dev/pets/a%20b?c=%20")
    pets(options=stage, requestParameters={"overwrite:path": "$request.path"}).get("/dev/pets/a%20b?c=%20")
    pets().get("/pets/1")
    assert servers.targets == ["/dev/pets/a%20b?c=%20", "/pets/a%20b?c=%20", "/pets/1"]


def test_query_parameters_of_the_uri_choose_instances_by_their_attributes(pets, servers):
    api = pets(uri=f"{ARN}?colour=blue&size=")
    api.engine.fill(A, colour="green", size="")
    green = list(api.engine.instances)
    api.engine.fill(B, colour="blue", size="")
    api.engine.instances += green
    assert [api.get("/pets/1").status_code for _ in range(10)] == [200] * 10
    assert set(servers.asked) == {B}
    assert api.engine.calls[2][1]["QueryParameters"] == {"colour": "blue", "size": ""}


@pytest.mark.parametrize(
    "attributes", [{"AWS_INSTANCE_PORT": ""}, {"AWS_INSTANCE_IPV4": ""}, {"AWS_INSTANCE_PORT": "http"}]
)
def test_an_instance_without_address_and_port_is_none(pets, attributes):
    api = pets()
    api.engine.fill(A, **attributes)
    assert api.get("/pets/1").status_code == 500


def test_no_instance_is_an_error_that_the_log_explains(pets, servers):
    api = pets()
    api.engine.fill()
    answer = api.get("/pets/1")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
    assert api.last_log["error"] == f"No target endpoints found for integration {ARN}"
    assert servers.asked == []


def test_a_service_that_is_gone_has_no_instances(pets):
    api = pets()
    api.engine.gone = True
    assert api.get("/pets/1").status_code == 500


@pytest.mark.parametrize("failure", [ConnectionError("refused"), TimeoutError()])
def test_a_cloud_map_that_cannot_be_asked_is_503_and_the_next_request_asks_again(pets, failure):
    api = pets()
    api.engine.failure = failure
    answer = api.get("/pets/1")
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})
    api.engine.failure = None
    assert api.get("/pets/1").status_code == 200


def test_another_instance_gets_what_one_has_refused_to_connect_for(pets, servers):
    servers.refusing = {A}
    api = pets()
    assert [api.get("/pets/1").content for _ in range(20)] == [b"2"] * 20


def test_no_instance_that_accepts_connections_is_503(pets, servers):
    servers.refusing = {A, B}
    api = pets()
    answer = api.get("/pets/1")
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})
    assert api.last_log["error"] == f"{ARN}: none of the instances accepts connections"
    assert set(servers.asked) == {A, B}
    assert len(servers.asked) == 2


def test_a_request_that_was_sent_is_never_sent_again(pets, servers):
    servers.ending = {A, B}
    assert pets().get("/pets/1").status_code == 503
    assert len(servers.asked) == 1


def test_an_instance_that_takes_too_long_is_503(pets, servers):
    async def never(*_):
        await asyncio.sleep(60)

    servers.send = never
    assert pets(timeoutInMillis=50).get("/pets/1").status_code == 503


def test_a_forged_identity_reaches_no_instance(pets, servers, secured, token):
    says = {"overwrite:header.x-user": "$context.authorizer.claims.sub"}
    api = pets(requestParameters=says, options=secured)
    for headers in ({"x-user": "forged"}, {"X-User": "forged", "connection": "x-user"}, {}):
        assert api.get("/pets/1", headers=headers | {"authorization": token()}).status_code == 200
        assert [value for name, value in servers.headers if name == "x-user"] == ["user-1"]

    open_api = pets(requestParameters={"remove:header.x-user": "''"}, options=secured, security=[])
    open_api.get("/pets/1", headers=[("x-user", "forged"), ("X-USER", "twice")])
    assert "x-user" not in dict(servers.headers)


def test_a_listener_is_reached_where_its_load_balancer_runs(serve, operation, servers):
    load_balancers = [
        {"listener": LISTENER, "loadBalancer": "arn", "dnsName": "a", "port": 80, "address": "127.0.0.1:9"}
    ]
    private = operation(**PRIVATE, uri=LISTENER)
    api = serve(paths={"/books": {"get": private}}, backend=servers, load_balancers=load_balancers, stage="dev")
    assert api.get("/dev/books?a=b").content == b"9"
    assert servers.targets == ["/dev/books?a=b"]


# How listings stay up to date:


@pytest.fixture
def follow(monkeypatch):
    """Runs a coroutine function with a Cloud Map whose listings are renewed each millisecond."""
    monkeypatch.setattr(cloud_map, "LIST_SECONDS", 0.001)

    def run(work):
        async def main():
            engine = FakeCloudMap()
            engine.fill(A, B)
            return await work(engine, CloudMap(engine))

        return asyncio.run(main())

    return run


async def until(condition, meanwhile=lambda: None):
    """Let the event loop go on until a condition holds."""
    async with asyncio.timeout(10):
        while not condition():
            meanwhile()
            await asyncio.sleep(0)


def test_requests_at_once_share_one_listing(follow):
    async def work(engine, services):
        listings = await asyncio.gather(*(services.listing(SERVICE) for _ in range(100)))
        assert engine.asked == {"GetService": 1, "GetNamespace": 1, "DiscoverInstances": 1}
        assert len({id(listing) for listing in listings}) == 1

    follow(work)


def test_a_listing_is_renewed_while_it_is_wanted_and_no_request_waits_for_that(follow):
    async def work(engine, services):
        def ask():
            with pytest.raises(StopIteration):
                services.listing(SERVICE).send(None)  # it is done without waiting

        listing = await services.listing(SERVICE)
        engine.fill(C)
        await until(lambda: listing.instances == {C}, ask)
        assert engine.asked["GetService"] == 1

    follow(work)


def test_a_listing_that_nobody_wants_is_renewed_no_more_and_the_next_request_has_a_new_one(follow):
    async def work(engine, services):
        await services.listing(SERVICE)
        await until(lambda: len(asyncio.all_tasks()) == 1)
        assert engine.asked["DiscoverInstances"] == 1
        engine.fill(C)
        assert (await services.listing(SERVICE)).instances == {C}

    follow(work)


def test_a_listing_stays_as_it_was_while_cloud_map_cannot_be_asked(follow, caplog):
    async def work(engine, services):
        async def wanting():
            while True:
                assert await services.listing(SERVICE) is listing
                await asyncio.sleep(0)

        listing = await services.listing(SERVICE)
        load = asyncio.create_task(wanting())
        engine.failure = ConnectionError("refused")
        await until(lambda: engine.asked["DiscoverInstances"] == 3)
        assert listing.instances == {A, B}
        engine.failure = None
        engine.fill(C)
        await until(lambda: listing.instances == {C})
        load.cancel()

    follow(work)
    assert f"The instances of {ARN} cannot be listed, and stay as they were: refused" in caplog.text


def test_a_request_that_gives_up_waiting_takes_the_listing_from_nobody(follow):
    async def work(_, services):
        impatient = asyncio.create_task(services.listing(SERVICE))
        patient = asyncio.create_task(services.listing(SERVICE))
        await asyncio.sleep(0)
        impatient.cancel()
        assert (await patient).instances == {A, B}

    follow(work)


def test_an_instance_that_refused_is_picked_again_only_after_a_list_that_was_asked_for_later(monkeypatch):
    now = 0.0
    monkeypatch.setattr(cloud_map.time, "monotonic", lambda: now)
    listing = Listing()
    listing.replace([A], asked=0)
    now = 2.0
    listing.refuse(A)
    listing.replace([A], asked=1.0)
    assert listing.pick() is None
    listing.replace([A], asked=2.5)
    assert listing.pick() == A


ORIGINS = st.integers(1, 65535).map(lambda port: Origin("127.0.0.1", port))


@given(st.sets(ORIGINS, min_size=1, max_size=8), st.sets(ORIGINS, max_size=8), st.data())
def test_only_listed_instances_that_accept_connections_are_picked_and_each_of_them(listed, elsewhere, data):
    refused = data.draw(st.sets(st.sampled_from(sorted(listed | elsewhere))))
    listing = Listing()
    listing.replace(listed, asked=0)
    for instance in refused:
        listing.refuse(instance)
    wanted = listed - refused
    picked = Counter(listing.pick() for _ in range(60 * len(wanted) or 1))
    assert set(picked) == (wanted or {None})
