"""Connections to the engine and to backends: answers read, connections kept, and every way in which they end."""

import asyncio

import pytest

from samhost.gateway.connections import (
    HEAD_BYTES,
    KEEP_SECONDS,
    BadAnswerError,
    Client,
    Connections,
    NoAnswerError,
    Origin,
    UnreachableError,
)

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Kind: cat\r\n\r\ndone"


class Transport:
    """The server's side of a connection: answers each request with the pieces that a test names."""

    def __init__(self, protocol, server):
        self.protocol, self.server, self.aborted = protocol, server, False

    def write(self, data):
        self.server.requests.append(data)
        answer = self.server.answers.pop(0) if self.server.answers else ANSWER
        for piece in [answer] if isinstance(answer, bytes) else answer:
            if piece is None:
                asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)
            else:
                asyncio.get_running_loop().call_soon(self.protocol.data_received, piece)

    def abort(self):
        self.aborted = True
        asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


class Server:
    def __init__(self):
        self.answers, self.requests, self.transports, self.refuses = [], [], [], None

    async def connect(self, make_protocol, host, port, ssl):
        await asyncio.sleep(0)
        if self.refuses:
            raise self.refuses
        protocol = make_protocol()
        transport = Transport(protocol, self)
        protocol.connection_made(transport)
        self.transports.append(transport)
        return transport, protocol


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def run(server, monkeypatch):
    """Runs a coroutine function with connections to the server."""

    def run(work):
        async def main():
            monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", server.connect, raising=False)
            return await work(Connections(Origin("127.0.0.1", 4566)))

        return asyncio.run(main())

    return run


async def post(connections, body=b"{}"):
    return await connections.send("POST", "/a?b=c", [("host", "h:1"), ("x", "é")], body)


def test_a_request_is_written_whole(run, server):
    run(post)
    head = "POST /a?b=c HTTP/1.1\r\nhost: h:1\r\nx: é\r\ncontent-length: 2\r\n\r\n"
    assert server.requests == [head.encode("latin-1") + b"{}"]


def test_an_answer_has_a_status_headers_in_lower_case_and_a_body(run):
    reply = run(post)
    assert (reply.status, reply.headers, reply.body) == (200, [("content-length", "4"), ("x-kind", "cat")], b"done")


@pytest.mark.parametrize(
    ("pieces", "body"),
    [
        ([ANSWER[:20], ANSWER[20:-2], ANSWER[-2:]], b"done"),
        ([b"HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n2\r\ndo\r\n2\r\nne\r\n0\r\n\r\n"], b"done"),
        ([b"HTTP/1.1 204 No\r\n\r\n"], b""),
    ],
)
def test_an_answer_may_come_in_pieces_in_chunks_or_without_a_body(run, server, pieces, body):
    server.answers = [pieces]
    assert run(post).body == body


def test_a_connection_is_used_again(run, server):
    async def thrice(connections):
        return [await post(connections) for _ in range(3)]

    assert [reply.body for reply in run(thrice)] == [b"done"] * 3
    assert len(server.transports) == 1


def test_requests_at_once_have_a_connection_each(run, server):
    async def together(connections):
        await asyncio.gather(*(post(connections) for _ in range(5)))
        await asyncio.gather(*(post(connections) for _ in range(5)))

    run(together)
    assert len(server.transports) == 5


@pytest.mark.parametrize("answer", [ANSWER.replace(b"X-Kind: cat", b"Connection: close"), [ANSWER, None]])
def test_a_connection_that_has_ended_is_not_used_again(run, server, answer):
    async def twice(connections):
        await post(connections)
        await asyncio.sleep(0.01)
        await post(connections)

    server.answers = [answer]
    run(twice)
    assert len(server.transports) == 2


@pytest.mark.parametrize(
    ("pieces", "error"),
    [
        ([None], NoAnswerError),
        ([b"HTTP/1.1 200", None], BadAnswerError),
        ([ANSWER[:-1], None], BadAnswerError),
        ([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\ndo\r\n", None], BadAnswerError),
        ([b"garbage\r\n\r\n"], BadAnswerError),
        ([b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"], BadAnswerError),
        ([b"HTTP/1.1 200 OK\r\nx: " + b"x" * HEAD_BYTES], BadAnswerError),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n" + b"x" * 1001], BadAnswerError),
    ],
)
def test_an_answer_that_is_not_whole_or_no_http_is_an_error_and_nothing_is_sent_again(run, server, pieces, error):
    async def limited(connections):
        await Connections(Origin("127.0.0.1", 1), most_bytes=1000).send("POST", "/", [], b"")

    server.answers = [pieces]
    with pytest.raises(error):
        run(limited)
    assert len(server.requests) == 1


def test_a_body_may_end_with_the_connection(run, server):
    server.answers = [[b"HTTP/1.1 200 OK\r\n\r\nsome", b" more", None]]
    assert run(post).body == b"some more"


def test_announcements_before_an_answer_are_passed_over(run, server):
    server.answers = [[b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 100 Go on\r\n\r\n", ANSWER]]
    assert run(post).headers == [("content-length", "4"), ("x-kind", "cat")]


def test_several_headers_of_one_name_stay_apart(run, server):
    server.answers = [b"HTTP/1.1 204 No\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n"]
    assert run(post).headers == [("set-cookie", "a=1"), ("set-cookie", "b=2")]


def test_an_answer_to_head_has_no_body_whatever_its_length_says(run, server):
    async def head_and_post(connections):
        head = await connections.send("HEAD", "/", [("host", "h")], b"")
        return head, await post(connections)

    server.answers = [ANSWER.removesuffix(b"done")]
    head, reply = run(head_and_post)
    assert (head.body, head.headers[0]) == (b"", ("content-length", "4"))
    assert reply.body == b"done"
    assert server.requests[0] == b"HEAD / HTTP/1.1\r\nhost: h\r\n\r\n"
    assert len(server.transports) == 1


def test_a_method_that_announces_a_body_says_that_there_is_none(run, server):
    run(lambda connections: connections.send("PUT", "/", [], b""))
    assert server.requests == [b"PUT / HTTP/1.1\r\ncontent-length: 0\r\n\r\n"]


def test_an_answer_too_many_reaches_no_other_request(run, server):
    async def twice(connections):
        return await post(connections), await post(connections)

    server.answers = [ANSWER + ANSWER.replace(b"done", b"more").replace(b"cat", b"dog")]
    first, second = run(twice)
    assert (first.body, first.headers[1]) == (b"done", ("x-kind", "cat"))
    assert second.body == b"done"
    assert server.transports[0].aborted


def test_a_connection_that_was_idle_for_too_long_is_closed_and_another_is_used(run, server, monkeypatch):
    async def work(connections):
        loop, now = asyncio.get_running_loop(), 1000.0
        monkeypatch.setattr(loop, "time", lambda: now)
        await asyncio.gather(post(connections), post(connections))
        now += KEEP_SECONDS - 0.1
        await post(connections)
        now += 0.2
        await post(connections)  # on the one that was used in between; the other is closed

    run(work)
    assert [transport.aborted for transport in server.transports] == [True, False]


def test_a_connection_that_cannot_be_used_again_is_closed(run, server):
    server.answers = [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndone"]
    run(post)
    assert [transport.aborted for transport in server.transports] == [True]


def test_a_client_forgets_servers_that_it_has_no_connection_to(run, server):
    async def work(_):
        client = Client(1000)
        server.answers = [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndone", ANSWER]
        for port in (1, 2, 3):
            await client.send(Origin("127.0.0.1", port), "GET", "/", [], b"")
        return [origin.port for origin in client._servers]  # noqa: SLF001

    assert run(work) == [2, 3]


def test_a_client_keeps_connections_to_each_server_apart(run, server):
    async def work(_):
        client = Client(1000)
        for port in (1, 2, 1, 2):
            await client.send(Origin("127.0.0.1", port), "GET", "/", [], b"")
        client.close()
        await asyncio.sleep(0)

    run(work)
    assert [transport.aborted for transport in server.transports] == [True, True]


@pytest.mark.parametrize(
    ("origin", "authority"),
    [
        (Origin("a.example", 80), "a.example"),
        (Origin("a.example", 443), "a.example:443"),
        (Origin("a.example", 443, True), "a.example"),
        (Origin("::1", 8080), "[::1]:8080"),
    ],
)
def test_an_authority_names_the_port_where_it_is_not_the_schemes(origin, authority):
    assert origin.authority == authority


def test_after_garbage_the_connection_is_closed(run, server):
    async def twice(connections):
        with pytest.raises(ConnectionError):
            await post(connections)
        return await post(connections)

    server.answers = [[b"garbage\r\n\r\n"]]
    assert run(twice).status == 200
    assert [transport.aborted for transport in server.transports] == [True, False]


@pytest.mark.parametrize("error", [ConnectionRefusedError(), OSError("no route"), UnicodeError("label too long")])
def test_a_server_that_cannot_be_reached_is_an_error(run, server, error):
    server.refuses = error
    with pytest.raises(UnreachableError, match="cannot be reached"):
        run(post)


def test_an_answer_that_nobody_waits_for_any_more_reaches_no_other_request(run, server):
    async def cancelled(connections):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await post(connections)
        late = server.transports[0]
        late.protocol.data_received(ANSWER.replace(b"done", b"late"))
        return await post(connections)

    server.answers = [[]]
    assert run(cancelled).body == b"done"
    assert server.transports[0].aborted


def test_bytes_that_nobody_has_asked_for_end_a_connection(run, server):
    async def twice(connections):
        await post(connections)
        server.transports[0].protocol.data_received(ANSWER.replace(b"done", b"more"))
        return await post(connections)

    assert run(twice).body == b"done"
    assert server.transports[0].aborted


def test_connections_that_nobody_uses_are_closed_in_the_end(run, server):
    async def work(connections):
        await post(connections)
        connections.close()
        await asyncio.sleep(0)

    run(work)
    assert server.transports[0].aborted
