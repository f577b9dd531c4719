"""Sockets: every API on its own port, all of them in one event loop."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import uvicorn
from botocore.credentials import EnvProvider
from botocore.exceptions import PartialCredentialsError

from samhost.gateway import access_log
from samhost.gateway.application import Gateway
from samhost.gateway.authorizers import authorizers
from samhost.gateway.authorizers.jwt_keys import KeySets, fetch
from samhost.gateway.cloud_map import CloudMap
from samhost.gateway.connections import Client, Connections, Origin
from samhost.gateway.document import Api
from samhost.gateway.engine import Engine
from samhost.gateway.errors import ConfigurationError
from samhost.gateway.integrations import integrations
from samhost.gateway.integrations.functions import Functions
from samhost.gateway.integrations.http_proxy import HttpProxy
from samhost.gateway.integrations.invoker import Invoker
from samhost.gateway.integrations.roles import Roles
from samhost.gateway.integrations.services.integration import ServiceIntegration
from samhost.gateway.loading import load
from samhost.gateway.messages import BODY_BYTES
from samhost.gateway.signing import Credentials

GRACE_SECONDS = 15  # for requests under way when the gateway is told to stop
BACKLOG = 2048
OPEN_FILES = 8192  # each request under way holds two connections; some systems begin with 256 files


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: there are several servers in the process, and it handles them once."""
        yield


async def serve(config: Mapping[str, Any]) -> None:
    """Serve the APIs of a configuration until SIGTERM or SIGINT.

    Raises ConfigurationError for a document that cannot be loaded, a taken port, or missing credentials.
    """
    _raise_file_limit()
    credentials = _credentials()
    by_address = _load(config)
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(_listen(apis[0], *address)) for address, apis in by_address.items()]
        # No issuer's answer may leave anything for the next call.
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            # Who is called decides how much runs at once, so connections are not limited here.
            client = stack.enter_context(contextlib.closing(Client(BODY_BYTES)))
            connections = stack.enter_context(contextlib.closing(_connections(config["engine"])))
            engine = Engine(connections, urlsplit(config["engine"]).netloc, config["region"], credentials)
            roles = Roles(engine)
            invoker = Invoker(Functions(engine), roles)
            by_type = (
                authorizers(KeySets(partial(fetch, session), config["engine"]), invoker),
                integrations(invoker, ServiceIntegration(engine, roles), HttpProxy(client.send, CloudMap(engine))),
            )
            servers = [_Server(_settings(Gateway(apis, *by_type, _print))) for apis in by_address.values()]
            _stop_on_signals(servers)
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


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _connections(url: str) -> Connections:
    parts = urlsplit(url)
    return Connections(Origin(parts.hostname or "", parts.port or 80))


def _listen(api: Api, host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigurationError(f"{api.name} cannot listen on {host}:{port}: {why}") from error


def _settings(application: Gateway) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _stop_on_signals(servers: list[_Server]) -> None:
    def stop() -> None:
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


def _announce(api: Api, host: str, port: int) -> None:
    served = len(api.routes) - len(api.refused)
    _print(f"{api.name} is ready on http://{host}:{port}: {served} routes served, {len(api.refused)} refused")
    for key, reason in api.refused:
        _print(f"  refused: {key}: {reason}")
    for name in access_log.unknown_variables(api):
        _print(f"  the access log names $context.{name}, which {api.type.name} APIs do not have: AWS would refuse it")


def _credentials() -> Credentials:
    with contextlib.suppress(PartialCredentialsError):
        credentials = EnvProvider().load()
        if credentials:
            return Credentials(*credentials.get_frozen_credentials()[:3])
    raise ConfigurationError("Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: calls to the engine are signed")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
