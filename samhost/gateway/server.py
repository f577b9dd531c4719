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
from samhost.gateway.cloud_map import CloudMap
from samhost.gateway.connections import Client
from samhost.gateway.document import Api
from samhost.gateway.engine import connected, credentials
from samhost.gateway.errors import ConfigurationError
from samhost.gateway.integrations import integrations
from samhost.gateway.integrations.functions import Functions
from samhost.gateway.integrations.http_proxy import HttpProxy
from samhost.gateway.integrations.invoker import Invoker
from samhost.gateway.integrations.roles import Roles
from samhost.gateway.integrations.services.integration import ServiceIntegration
from samhost.gateway.loading import load
from samhost.gateway.messages import BODY_BYTES
from samhost.http_server import HttpServer, http_server, listen, raise_file_limit, stop_on_signals


async def serve(config: Mapping[str, Any]) -> None:
    """Serve the APIs of a configuration until SIGTERM or SIGINT.

    Raises ConfigurationError for a document that cannot be loaded, a taken port, or missing credentials.
    """
    raise_file_limit()
    own = credentials()
    by_address = _load(config)
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(listen(apis[0].name, *address)) for address, apis in by_address.items()]
        # No issuer's answer may leave anything for the next call.
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            # Who is called decides how much runs at once, so connections are not limited here.
            client = stack.enter_context(contextlib.closing(Client(BODY_BYTES)))
            engine = stack.enter_context(connected(config["engine"], config["region"], own))
            roles = Roles(engine)
            invoker = Invoker(Functions(engine), roles)
            by_type = (
                authorizers(KeySets(partial(fetch, session), config["engine"]), invoker),
                integrations(invoker, ServiceIntegration(engine, roles), HttpProxy(client.send, CloudMap(engine))),
            )
            servers = [http_server(Gateway(apis, *by_type, _print)) for apis in by_address.values()]
            stop_on_signals(lambda: _stop(servers))
            for (host, port), apis in by_address.items():
                for api in apis:
                    _announce(api, host, port)
            await asyncio.gather(
                *(server.serve([listener]) for server, listener in zip(servers, listeners, strict=True))
            )


def _load(config: Mapping[str, Any]) -> dict[tuple[str, int], list[Api]]:
    """The APIs by host and port: on one port there are all stages of one API, and nothing else."""
    by_address: dict[tuple[str, int], list[Api]] = {}
    for definition in config["apis"]:
        api = load(definition, config["region"], config["accountId"], config.get("loadBalancers", []))
        sharing = by_address.setdefault((definition["host"], int(definition["port"])), [])
        if any(other.api_id != api.api_id or other.stage == api.stage for other in sharing):
            raise ConfigurationError(f"{api.name} cannot have the port {definition['port']}: {sharing[0].name} has it")
        sharing.append(api)
    return by_address


def _stop(servers: list[HttpServer]) -> None:
    for server in servers:
        server.should_exit = True


def _announce(api: Api, host: str, port: int) -> None:
    served = len(api.routes) - len(api.refused)
    _print(f"{api.name} is ready on http://{host}:{port}: {served} routes served, {len(api.refused)} refused")
    for key, reason in api.refused:
        _print(f"  refused: {key}: {reason}")
    for name in access_log.unknown_variables(api):
        _print(f"  the access log names $context.{name}, which {api.type.name} APIs do not have: AWS would refuse it")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
