"""Connections to the engine: answers read, connections kept, and every way in which they end."""

import asyncio

import pytest

from samhost.gateway.connections import Connections

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

    async def connect(self, make_protocol, host, port):
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
            return await work(Connections("127.0.0.1", 4566))

        return asyncio.run(main())

    return run


async def post(connections, body=b"{}"):
    return await connections.send("POST", "/a?b=c", {"host": "h:1", "x": "é"}, body)


def test_a_request_is_written_whole(run, server):
    run(post)
    head = "POST /a?b=c HTTP/1.1\r\nhost: h:1\r\nx: é\r\ncontent-length: 2\r\n\r\n"
    assert server.requests == [head.encode("latin-1") + b"{}"]


def test_an_answer_has_a_status_headers_in_lower_case_and_a_body(run):
    reply = run(post)
    assert (reply.status, reply.headers, reply.body) == (200, {"content-length": "4", "x-kind": "cat"}, b"done")


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


@pytest.mark.parametrize("pieces", [[None], [b"HTTP/1.1 200", None], [ANSWER[:-1], None], [b"garbage\r\n\r\n"]])
def test_an_answer_that_is_cut_short_or_no_http_is_an_error_and_nothing_is_sent_again(run, server, pieces):
    server.answers = [pieces]
    with pytest.raises(ConnectionError):
        run(post)
    assert len(server.requests) == 1


def test_after_garbage_the_connection_is_closed(run, server):
    async def twice(connections):
        with pytest.raises(ConnectionError):
            await post(connections)
        return await post(connections)

    server.answers = [[b"garbage\r\n\r\n"]]
    assert run(twice).status == 200
    assert [transport.aborted for transport in server.transports] == [True, False]


@pytest.mark.parametrize("error", [ConnectionRefusedError(), TimeoutError(), OSError("no route")])
def test_a_server_that_cannot_be_reached_is_an_error(run, server, error):
    server.refuses = error
    with pytest.raises(ConnectionError, match="cannot be reached"):
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
