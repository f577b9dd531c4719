"""HTTP proxy integrations on the wire: what a backend gets, and what comes of it where it misbehaves."""

import asyncio
import gzip
import json
import socket
from collections import Counter
from urllib.parse import urlsplit

import httpx
import pytest
from gateway_process import gateway, get_all, reply, server
from local_system import free_ports


async def answer(path, request, writer):
    """A backend that does what its path says."""
    match path.split("?")[0].removeprefix("/backend/"):
        case "slow":
            await asyncio.sleep(60)
        case "waits":
            await asyncio.sleep(0.2)
            reply(writer, b"waited")
        case "trickles":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            await asyncio.sleep(60)
        case "garbage":
            writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
            writer.close()
        case "nothing":
            writer.close()
        case "half":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            writer.close()
        case "many":
            reply(writer, b"x" * (10 * 1024 * 1024 + 1))
        case "broken":
            reply(writer, b"oops", "X-Kept: yes", status="500 Internal Server Error")
        case "compressed":
            reply(writer, gzip.compress(b"text"), "Content-Encoding: gzip")
        case "elsewhere":
            reply(writer, b"", "Location: /backend/echo", status="302 Found")
        case "connection":
            reply(writer, b"", "Connection: keep-alive, X-Mine", "X-Mine: 1", "Keep-Alive: timeout=5", "X-Yours: 1")
        case "head":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")
        case "chunks":
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        case _:
            reply(writer, json.dumps(request).encode(), "Content-Type: application/json", "X-Twice: 1", "X-Twice: 2")


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """A gateway in front of that backend, of a port where nothing listens, and of a name that nobody has."""
    [closed] = free_ports(1)

    def to(uri, **changes):
        fields = {"type": "http_proxy", "httpMethod": "ANY", "payloadFormatVersion": "1.0", "uri": uri} | changes
        return {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": fields}}

    with server(answer) as backend:
        paths = {
            "/{proxy+}": to(f"{backend}/backend/{{proxy}}"),
            "/slow": to(f"{backend}/backend/slow", timeoutInMillis=1000),
            "/trickles": to(f"{backend}/backend/trickles", timeoutInMillis=1000),
            "/refused": to(f"http://127.0.0.1:{closed}/"),
            "/unknown": to("http://nobody.invalid/"),
        }
        with gateway(tmp_path_factory.mktemp("gateway"), {"paths": paths}) as process:
            yield process


@pytest.fixture(scope="module")
def client(api):
    with httpx.Client(base_url=api.url, timeout=30) as client:
        yield client


def test_a_backend_gets_the_request_byte_for_byte(client):
    request = client.post("/a%20b/%C3%A9?q=%C3%A9&q=+&e=", content=b'{"a": 1}', headers={"X-A": "ü".encode()}).json()
    assert request["line"] == "POST /backend/a%20b/%C3%A9?q=%C3%A9&q=+&e= HTTP/1.1"
    assert request["body"] == '{"a": 1}'
    headers = {name.lower(): value for name, value in request["headers"]}
    assert headers["x-a"].encode("latin-1") == "ü".encode()
    assert headers["content-length"] == "8"
    assert "transfer-encoding" not in headers


def test_a_backend_sees_itself_as_the_host_and_the_client_in_forwarded(client, api):
    headers = dict(client.get("/echo").json()["headers"])
    host = urlsplit(api.url).netloc
    assert headers["host"] != host
    assert headers["forwarded"] == f"by=127.0.0.1;for=127.0.0.1;host={host};proto=https"
    assert headers["via"] == "HTTP/1.1 AmazonAPIGateway"


def test_nothing_is_added_that_the_client_did_not_send(client):
    request = httpx.Request("GET", client.base_url.join("/echo"), headers={"Host": client.base_url.netloc})
    names = {name.lower() for name, _ in client.send(request).json()["headers"]}
    assert names == {"host", "forwarded", "via"}


def test_repeated_headers_of_an_answer_stay_apart(client):
    assert client.get("/echo").headers.get_list("x-twice") == ["1", "2"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/slow", 503),
        ("/trickles", 503),
        ("/refused", 503),
        ("/unknown", 503),
        ("/nothing", 503),
        ("/garbage", 500),
        ("/half", 500),
        ("/many", 500),
    ],
)
def test_a_backend_that_gives_no_whole_answer_is_an_error_of_the_gateway(client, path, status):
    got = client.get(path)
    assert got.status_code == status
    assert got.json() == {"message": {500: "Internal Server Error", 503: "Service Unavailable"}[status]}
    assert got.headers["apigw-requestid"]
    assert client.get("/echo").status_code == 200


def test_a_backends_500_passes_as_it_is(client):
    got = client.get("/broken")
    assert (got.status_code, got.content, got.headers["x-kept"]) == (500, b"oops", "yes")


def test_a_compressed_answer_stays_compressed(client):
    got = client.get("/compressed")
    assert got.headers["content-encoding"] == "gzip"
    assert got.content == b"text"


def test_redirections_are_the_clients_to_follow(client):
    got = client.get("/elsewhere", follow_redirects=False)
    assert (got.status_code, got.headers["location"]) == (302, "/backend/echo")


def test_headers_of_the_backends_connection_end_there(client):
    got = client.get("/connection")
    assert got.headers["x-yours"] == "1"
    assert not {"x-mine", "keep-alive", "connection"} & set(got.headers)


def test_an_answer_in_chunks_is_passed_on_whole(client):
    got = client.get("/chunks")
    assert (got.content, got.headers["content-length"]) == (b"abcde", "5")


def test_an_answer_to_head_says_how_long_the_body_would_be(client):
    got = client.head("/head")
    assert (got.status_code, got.content, got.headers["content-length"]) == (200, b"", "1234")


def test_a_line_break_in_a_path_stays_inside_the_path(client):
    request = client.get("/a%0d%0aX-Injected:%201").json()
    assert request["line"] == "GET /backend/a%0D%0AX-Injected:%201 HTTP/1.1"
    assert "X-Injected" not in dict(request["headers"])


def test_a_request_with_a_line_break_in_a_header_is_refused_before_it_is_routed(api):
    url = urlsplit(api.url)
    with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
        connection.sendall(b"GET /echo HTTP/1.1\r\nHost: a\r\nX-A: 1\rX-Smuggled: 1\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")
    assert "Smuggled" not in api.log


def test_the_log_says_what_failed_and_no_query(client, api):
    client.get("/nothing?secret=hidden")
    assert "/backend/nothing: the connection ended before an answer began: closed" in api.log
    assert "hidden" not in api.log


def test_a_thousand_requests_at_once_are_all_answered(api):
    answers = asyncio.run(get_all(api.url, ["/waits"] * 1000))
    assert Counter((status, body) for status, _, body in answers) == {(200, b"waited"): 1000}
    assert len({request_id for _, request_id, _ in answers}) == 1000
