"""Sockets: every API on its own port, all of them in one event loop."""

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import aiohttp

from samhost.gateway import access_log
from samhost.gateway.application import Gateway
from samhost.gateway.authorizers import authorizers
from samhost.gateway.authorizers.jwt_keys import KeySets, fetch
from samhost.gateway.document import Api, load
from samhost.gateway.engine import CALL_SECONDS, connected, credentials
from samhost.gateway.integrations import integrations
from samhost.gateway.integrations.functions import Functions
from samhost.gateway.integrations.http_proxy import send_request
from samhost.gateway.integrations.invoker import Invoker
from samhost.gateway.integrations.roles import Roles
from samhost.gateway.integrations.services.integration import ServiceIntegration
from samhost.http_server import HttpServer, http_server, listen, raise_file_limit, stop_on_signals


async def serve(config: Mapping[str, Any]) -> None:
    """Serve the APIs of a configuration until SIGTERM or SIGINT.

    Raises ConfigurationError for a document that cannot be loaded, a taken port, or missing credentials.
    """
    raise_file_limit()
    own = credentials()
    apis = [load(definition, config["region"], config["accountId"]) for definition in config["apis"]]
    addresses = [(definition["host"], int(definition["port"])) for definition in config["apis"]]
    with contextlib.ExitStack() as stack:
        listeners = [
            stack.enter_context(listen(api.name, *address)) for api, address in zip(apis, addresses, strict=True)
        ]
        # Who is called decides how much runs at once, so connections are not limited here.
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),  # no caller's call may leave anything for the next
            timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
        ) as session:
            engine = stack.enter_context(connected(config["engine"], config["region"], own))
            roles = Roles(engine)
            invoker = Invoker(Functions(engine), roles)
            by_type = (
                authorizers(KeySets(partial(fetch, session), config["engine"]), invoker),
                integrations(invoker, ServiceIntegration(engine, roles), partial(send_request, session)),
            )
            servers = [http_server(Gateway(api, *by_type, _print)) for api in apis]
            stop_on_signals(lambda: _stop(servers))
            for api, (host, port) in zip(apis, addresses, strict=True):
                _announce(api, host, port)
            await asyncio.gather(
                *(server.serve([listener]) for server, listener in zip(servers, listeners, strict=True))
            )


def _stop(servers: list[HttpServer]) -> None:
    for server in servers:
        server.should_exit = True


def _announce(api: Api, host: str, port: int) -> None:
    served = len(api.routes) - len(api.refused)
    _print(f"{api.name} is ready on http://{host}:{port}: {served} routes served, {len(api.refused)} refused")
    for key, reason in api.refused:
        _print(f"  refused: {key}: {reason}")
    for name in access_log.unknown_variables(api.access_log_format):
        _print(f"  the access log's format names $context.{name}, which HTTP APIs do not have: AWS would refuse it")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
