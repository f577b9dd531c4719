"""Health checks: one request, or one connection, for each target of a group in each interval."""

import asyncio
import contextlib

import aiohttp
from yarl import URL

from samhost.elb.description import HTTP, TCP, HealthCheck
from samhost.elb.network import Address

_AGENT = {"user-agent": "ELB-HealthChecker/2.0"}


async def passes(check: HealthCheck, address: Address) -> bool:
    """Whether a target answers as its group asks, in time, on a connection of its own."""
    host, port = address.host, check.port or address.port
    try:
        async with asyncio.timeout(check.timeout):
            if check.protocol == TCP:
                return await _accepts(host, port)
            return check.protocol == HTTP and await _answers(check, URL.build(scheme="http", host=host, port=port))
    except (OSError, aiohttp.ClientError):  # TimeoutError is an OSError
        return False


async def _accepts(host: str, port: int) -> bool:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _answers(check: HealthCheck, server: URL) -> bool:
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session,
        session.get(URL(f"{server.origin()}{check.path}", encoded=True), headers=_AGENT, allow_redirects=False) as got,
    ):
        return any(got.status in statuses for statuses in check.statuses)
