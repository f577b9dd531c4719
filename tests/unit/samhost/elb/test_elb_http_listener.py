"""A listener as an application, with a client session that answers what a test says."""

import asyncio
import contextlib
import re

import aiohttp
import pytest

from samhost.elb.actions import FixedResponse, Forward, Refused
from samhost.elb.description import LAST, Listener
from samhost.elb.http_listener import ClientLeftError, HttpListener, trace_id
from samhost.elb.network import Address
from samhost.elb.rules import Rule
from samhost.elb.targets import RegisteredTarget, Target

HOST = (b"host", b"example.com")


class Answer:
    """What a target answers: the chunks of its body, the last of which may be an error."""

    def __init__(self, *chunks, status=200, headers=()):
        self.status, self.raw_headers, self.chunks = status, tuple(headers), chunks
        self.content = self

    async def iter_any(self):
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


class Session:
    """Stands in for aiohttp's; it keeps what it was asked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, None

    @contextlib.asynccontextmanager
    async def request(self, method, url, *, headers, data, **_):
        body = b"".join([chunk async for chunk in data]) if data else None
        self.asked = {"method": method, "url": str(url), "headers": headers, "body": body}
        if isinstance(self.answer, Exception):
            raise self.answer
        yield self.answer


class DrainedWhileAsked(Answer):
    """An answer that does not come, of a target whose deregistration delay is over at once."""

    def __init__(self):
        super().__init__(headers=())
        self.target = None

    async def iter_any(self):
        self.target.drain(0)
        await asyncio.sleep(60)
        yield b""


class Balancing:
    """One listener, and one target or none."""

    def __init__(self, action, target):
        self.action, self.target = action, target

    def listener(self, arn):
        return Listener(arn, "balancer", "dns", "HTTP", 80, (Rule(LAST, (), self.action),)) if self.action else None

    def next(self, forward, share):
        return (self.target, Address("127.0.0.1", 8080)) if self.target else None


def ask(answer=None, *, action=Forward((("group", 1),)), target=True, messages=None, **scope):  # noqa: B008 - it is frozen
    """Send a request; returns what the client got, what the target was asked, and the log."""
    session, sent, logged = Session(answer), [], []
    registered = RegisteredTarget(Target("127.0.0.1", 8080)) if target else None
    listener = HttpListener("arn", Balancing(action, registered), session, logged.append)
    if isinstance(answer, DrainedWhileAsked):
        answer.target = registered
    waiting = messages or [{"type": "http.request", "body": b""}]

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    http = {
        "method": "GET", "path": "/a", "raw_path": b"/a", "query_string": b"", "http_version": "1.1",
        "headers": [HOST], "client": ("192.0.2.1", 5), "server": ("127.0.0.1", 6),
    }  # fmt: skip
    asyncio.run(listener(http | scope, receive, send))
    assert not registered or not registered.under_way
    return sent, session.asked, logged


def body(sent):
    return b"".join(message.get("body", b"") for message in sent[1:])


def sent_headers(asked):
    return {name: value for name, value in asked["headers"] if name.startswith("x-")}


def test_a_request_goes_on_as_it_came_with_who_asked_and_how():
    chunks = [
        {"type": "http.request", "body": b"one", "more_body": True},
        {"type": "http.request", "body": b"two", "more_body": False},
    ]
    headers = [
        HOST, (b"content-length", b"6"), (b"connection", b"keep-alive, x-own, host"), (b"x-own", b"1"),
        (b"x-kept", b"2"), (b"x-forwarded-for", b"203.0.113.1"), (b"x-forwarded-proto", b"https"), (b"te", b"trailers"),
    ]  # fmt: skip

    _, asked, _ = ask(
        Answer(), messages=chunks, method="PUT", headers=headers, raw_path=b"/a%2Fb/../c", query_string=b"d=%20&e"
    )

    assert (asked["method"], asked["url"]) == ("PUT", "http://127.0.0.1:8080/a%2Fb/../c?d=%20&e")
    assert asked["body"] == b"onetwo"
    got = sent_headers(asked)
    assert len([name for name, _ in asked["headers"] if name.startswith("x-")]) == len(got)
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", got.pop("x-amzn-trace-id"))
    assert got == {
        "x-kept": "2",
        "x-forwarded-for": "203.0.113.1, 192.0.2.1",
        "x-forwarded-proto": "http",
        "x-forwarded-port": "80",
    }
    names = [name for name, _ in asked["headers"]]
    assert ("host", "example.com") in asked["headers"]
    assert ("content-length", "6") in asked["headers"]
    assert {"te", "connection"}.isdisjoint(names)


def test_an_answer_comes_back_in_pieces_with_all_but_the_headers_of_its_connection():
    headers = [
        (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"), (b"Connection", b"close, x-own"), (b"X-Own", b"1"),
        (b"Transfer-Encoding", b"chunked"), (b"Date", b"then"), (b"Server", b"theirs"),
    ]  # fmt: skip

    sent, _, logged = ask(Answer(b"one", b"two", status=201, headers=headers))

    assert sent[0] == {
        "type": "http.response.start",
        "status": 201,
        "headers": [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"server", b"theirs")],
    }
    assert [message.get("body") for message in sent[1:]] == [b"one", b"two", None]
    assert logged == []


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (aiohttp.ClientConnectionError(), 502),
        (aiohttp.ServerDisconnectedError(), 502),
        (aiohttp.ClientResponseError(None, ()), 502),
        (aiohttp.SocketTimeoutError(), 504),
        (aiohttp.ConnectionTimeoutError(), 504),
    ],
)
def test_a_target_that_does_not_answer_is_a_bad_gateway_and_a_slow_one_a_timeout(failure, status):
    sent, _, logged = ask(failure)

    assert sent[0]["status"] == status
    assert f"<h1>{status} ".encode() in body(sent)
    assert logged == [f"{status} of 127.0.0.1:8080: {type(failure).__name__}"]


def test_an_answer_that_breaks_off_is_not_ended():
    sent, _, logged = ask(Answer(b"half", aiohttp.ClientPayloadError()))

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[-1]["more_body"]
    assert logged == ["502 of 127.0.0.1:8080: ClientPayloadError"]


def test_a_request_is_cut_off_when_the_deregistration_delay_is_over():
    sent, _, logged = ask(DrainedWhileAsked())

    assert [message["type"] for message in sent] == ["http.response.start"]
    assert logged == ["502 of 127.0.0.1:8080: TimeoutError"]


def test_nobody_is_answered_where_the_client_left_before_it_had_sent_everything():
    failure = aiohttp.ClientConnectionError()
    failure.__cause__ = ClientLeftError()

    sent, _, logged = ask(failure)

    assert (sent, logged) == ([], [])


def test_a_client_of_http_1_0_needs_to_name_no_host():
    assert ask(Answer(), http_version="1.0", headers=[])[0][0]["status"] == 200


def test_without_a_target_the_service_is_unavailable():
    sent, asked, _ = ask(target=False)

    assert sent[0]["status"] == 503
    assert b"<h1>503 Service Temporarily Unavailable</h1>" in body(sent)
    assert asked is None


def test_a_listener_that_is_there_no_more_is_unavailable():
    assert ask(action=None)[0][0]["status"] == 503


def test_a_rule_that_is_not_emulated_says_so():
    sent, asked, _ = ask(action=Refused("not emulated: the action authenticate-oidc"))

    assert (sent[0]["status"], asked) == (501, None)
    assert b"authenticate-oidc" in body(sent)


def test_a_connection_that_becomes_something_else_is_refused():
    sent, asked, _ = ask(headers=[HOST, (b"upgrade", b"websocket"), (b"connection", b"Upgrade")])

    assert (sent[0]["status"], asked) == (501, None)


@pytest.mark.parametrize(
    "scope",
    [
        {"raw_path": b"@elsewhere/"},
        {"raw_path": b"*"},
        {"raw_path": b"/" + b"a" * 16_384},
        {"headers": [HOST, (b"x-long", b"a" * 16_384)]},
        {"headers": [HOST, *[(b"x-part", b"a" * 16_000)] * 5]},
        {"headers": [HOST, HOST]},
        {"headers": []},
    ],
)
def test_what_names_no_path_or_is_too_large_goes_nowhere(scope):
    sent, asked, _ = ask(Answer(), **scope)

    assert (sent[0]["status"], asked) == (400, None)


def test_a_fixed_response_asks_no_target():
    sent, asked, _ = ask(action=FixedResponse(404, "application/json", "{}"))

    assert (sent[0]["status"], body(sent), asked) == (404, b"{}", None)
    assert (b"content-length", b"2") in sent[0]["headers"]


OWN = r"1-[0-9a-f]{8}-[0-9a-f]{24}"


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("", f"Root={OWN}"),
        ("Root=1-67891233-abcdef012345678912345678", f"Self={OWN};Root=1-67891233-abcdef012345678912345678"),
        ("Root=1-a-b;CalledFrom=app", f"Self={OWN};Root=1-a-b;CalledFrom=app"),
        ("Self=1-c-d;Root=1-a-b", f"Self={OWN};Root=1-a-b"),
        ("CalledFrom=app", f"Root={OWN};CalledFrom=app"),
    ],
)
def test_a_trace_has_one_root_and_the_load_balancers_own_part(received, expected):
    assert re.fullmatch(expected, trace_id(received))
