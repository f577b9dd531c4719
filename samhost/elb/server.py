"""Sockets, and the engine asked once a second what there is."""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Mapping
from typing import Any

import aiohttp

from samhost.elb.balancing import Balancing
from samhost.elb.description import HTTP, describe
from samhost.elb.errors import DescriptionError
from samhost.elb.http_listener import HttpListener
from samhost.elb.network import Address, Network
from samhost.elb.tcp_listener import TcpListener
from samhost.gateway.engine import Engine, connected, credentials
from samhost.http_server import HttpServer, http_server, listen, raise_file_limit, stop_on_signals

PAUSE_SECONDS = 1.0  # between two questions


async def serve(config: Mapping[str, Any]) -> None:
    """Serve the listeners of a configuration until SIGTERM or SIGINT.

    Raises ConfigurationError for a taken port, or missing credentials.
    """
    raise_file_limit()
    addresses = {each["listener"]: Address.parse(each["address"]) for each in config["listeners"]}
    network = Network(
        {(each["loadBalancer"], each["port"]): addresses[each["listener"]] for each in config["listeners"]}
    )
    stopping = asyncio.Event()
    stop_on_signals(stopping.set)
    async with contextlib.AsyncExitStack() as stack:
        sockets = [
            stack.enter_context(listen(each["name"], *addresses[each["listener"]])) for each in config["listeners"]
        ]
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),  # no client's request may leave anything for the next
            )
        )
        balancing = stack.enter_context(contextlib.closing(Balancing(network, _print)))
        engine = stack.enter_context(connected(config["engine"], config["region"], credentials()))
        following = asyncio.create_task(_follow(engine, balancing))
        following.add_done_callback(lambda _: stopping.set())  # which only a defect brings; then it is started anew
        servers: list[HttpServer] = []
        serving: list[Awaitable[None]] = []
        for each, listener in zip(config["listeners"], sockets, strict=True):
            if each["protocol"] == HTTP:
                server = http_server(HttpListener(each["listener"], balancing, session, _print))
                servers.append(server)
                serving.append(asyncio.create_task(server.serve([listener])))
            else:
                accept = TcpListener(each["listener"], balancing, _print)
                stack.callback((await asyncio.start_server(accept, sock=listener)).close)
            _print(f"{each['name']} is ready on {each['address']}")
        await stopping.wait()
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*serving)
        if following.done():
            await following
        following.cancel()


async def _follow(engine: Engine, balancing: Balancing) -> None:
    """Take over what there is, again and again; while the engine is away, what there was stays."""
    away = False
    while True:
        try:
            balancing.update(await describe(engine))
            away = False
        except (ConnectionError, TimeoutError, DescriptionError) as error:
            if not away:
                _print(f"{error or 'The engine does not answer'}; what it said last stays")
            away = True
        await asyncio.sleep(PAUSE_SECONDS)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
