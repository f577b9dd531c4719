"""A listener of an Application Load Balancer as an ASGI application: a rule decides, and a target answers.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
"""

import asyncio
import os
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from yarl import URL

from samhost.elb.actions import FixedResponse, Forward, Redirect, Refused
from samhost.elb.answers import fixed, page, redirect
from samhost.elb.balancing import Balancing
from samhost.elb.description import Listener
from samhost.elb.network import Address
from samhost.elb.rules import Facts
from samhost.gateway.messages import HOP_BY_HOP, Headers, Receive, Response

Send = Callable[[Mapping[str, Any]], Awaitable[None]]

CONNECT_SECONDS = 10  # [doc]
LINE_BYTES, HEADERS_BYTES = 16 * 1024, 64 * 1024  # request line or one header; all headers [doc]
_NOT_SENT = HOP_BY_HOP | {"expect", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}
_NOT_PASSED_BACK = HOP_BY_HOP | {"date"}  # the server writes its own


class ClientLeftError(Exception):
    """The client left before it had sent its whole request."""


class HttpListener:
    """Serves one listener."""

    def __init__(self, arn: str, balancing: Balancing, session: aiohttp.ClientSession, log: Callable[[str], None]):
        """Serve the listener of that ARN as it is at each moment; `log` takes a line for each request that fails."""
        self._arn = arn
        self._balancing = balancing
        self._session = session
        self._log = log

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve an ASGI HTTP scope; the server has no other."""
        facts = _facts(scope)
        listener = self._balancing.listener(self._arn)
        if answer := _refusal(scope, facts, listener):
            await _send(send, answer)
            return
        assert listener is not None  # noqa: S101 - it is refused without one
        match listener.action(facts):
            case Forward() as action:
                await self._forward(listener, action, facts, receive, send)
            case FixedResponse() as action:
                await _send(send, fixed(action))
            case Redirect() as action:
                await _send(send, redirect(action, facts, listener.port))
            case Refused(reason):
                await _send(send, page(501, reason))

    async def _forward(self, listener: Listener, action: Forward, facts: Facts, receive: Receive, send: Send) -> None:
        found = self._balancing.next(action, random.random())  # noqa: S311 - it is no secret
        if found is None:
            await _send(send, page(503))
            return
        target, address = found
        answering = _Answering(send)
        limit = asyncio.timeout(None)  # ends when a deregistered target has had its time
        try:
            async with limit:
                target.under_way.add(limit)
                try:
                    await self._exchange(listener, address, facts, receive, answering)
                finally:
                    target.under_way.discard(limit)
        except TimeoutError as error:
            await self._failed(answering, 502 if limit.expired() else 504, address, error)
        except aiohttp.ClientError as error:
            if not isinstance(error.__cause__, ClientLeftError):  # nobody is there to be answered
                await self._failed(answering, 502, address, error)

    async def _exchange(
        self, listener: Listener, address: Address, facts: Facts, receive: Receive, answering: "_Answering"
    ) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=listener.idle_timeout)
        query = f"?{facts.query}" if facts.query else ""
        async with self._session.request(
            facts.method,
            URL(f"http://{address.host}:{address.port}{facts.path}{query}", encoded=True),
            headers=_sent_headers(facts, listener.port),
            data=_body(receive) if _has_body(facts) else None,
            allow_redirects=False,
            auto_decompress=False,
            timeout=timeout,
            skip_auto_headers=("accept", "accept-encoding", "content-type", "user-agent"),
        ) as answer:
            await answering.start(answer.status, _passed_back(answer.raw_headers))
            async for chunk in answer.content.iter_any():
                await answering.more(chunk)
            await answering.end()

    async def _failed(self, answering: "_Answering", status: int, address: Address, error: Exception) -> None:
        self._log(f"{status} of {address.host}:{address.port}: {type(error).__name__}")
        # After the first byte nothing can be taken back: the server closes a connection whose answer does not end.
        if not answering.has_begun:
            await _send(answering.send, page(status))


class _Answering:
    """Passes an answer on, piece by piece."""

    def __init__(self, send: Send):
        self.send = send
        self.has_begun = False

    async def start(self, status: int, headers: Headers) -> None:
        self.has_begun = True
        await self.send({"type": "http.response.start", "status": status, "headers": _encoded(headers)})

    async def more(self, chunk: bytes) -> None:
        await self.send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def end(self) -> None:
        await self.send({"type": "http.response.body"})


async def _send(send: Send, response: Response) -> None:
    headers = [*response.headers, ("content-length", str(len(response.body)))]
    await send({"type": "http.response.start", "status": response.status, "headers": _encoded(headers)})
    await send({"type": "http.response.body", "body": response.body})


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]


def _facts(scope: Mapping[str, Any]) -> Facts:
    return Facts(
        method=scope["method"],
        path=(scope.get("raw_path") or scope["path"].encode()).decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        source_ip=scope["client"][0] if scope.get("client") else "",
    )


def _refusal(scope: Mapping[str, Any], facts: Facts, listener: Listener | None) -> Response | None:
    """The answer to what is looked at no further."""
    line = len(facts.method) + len(facts.path) + len(facts.query) + len(f"  HTTP/{scope['http_version']}?")
    sizes = [len(name) + len(value) + 2 for name, value in facts.headers]
    hosts = len(facts.values("host"))
    is_whole = hosts == 1 or (hosts == 0 and scope["http_version"] == "1.0")
    # A path that does not begin with a slash could name another server.
    if not is_whole or not facts.path.startswith("/") or max([line, *sizes]) > LINE_BYTES or sum(sizes) > HEADERS_BYTES:
        return page(400)
    if facts.values("upgrade"):
        return page(501, "not emulated: connections that become something else than HTTP")
    return page(503) if listener is None else None


def _has_body(facts: Facts) -> bool:
    return bool(facts.values("transfer-encoding")) or any(length != "0" for length in facts.values("content-length"))


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        if chunk := message.get("body", b""):
            yield chunk
        if not message.get("more_body"):
            return


def _sent_headers(facts: Facts, port: int) -> Headers:
    """The client's headers, and what the load balancer says of the client and of itself.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    named = {name.strip().lower() for value in facts.values("connection") for name in value.split(",")} - {"host"}
    # aiohttp writes UTF-8: this is the text that it makes the same bytes of.
    kept = [
        (name, value.encode("latin-1").decode(errors="replace"))
        for name, value in facts.headers
        if name not in _NOT_SENT and name not in named
    ]
    return [
        *kept,
        ("x-forwarded-for", ", ".join([*facts.values("x-forwarded-for"), facts.source_ip])),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", str(port)),
        ("x-amzn-trace-id", trace_id(", ".join(facts.values("x-amzn-trace-id")))),
    ]


def trace_id(received: str) -> str:
    """The header that follows a request, with a Root or else a Self of the load balancer's.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
    """
    own = f"1-{int(time.time()):08x}-{os.urandom(12).hex()}"
    fields = [field for field in received.split(";") if field and not re.match(r"Self=", field)]
    if not any(field.startswith("Root=") for field in fields):
        return ";".join([f"Root={own}", *fields])
    return ";".join([f"Self={own}", *fields])


def _passed_back(raw: tuple[tuple[bytes, bytes], ...]) -> Headers:
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw]
    named = {part.strip().lower() for name, value in headers if name == "connection" for part in value.split(",")}
    return [(name, value) for name, value in headers if name not in _NOT_PASSED_BACK and name not in named]
