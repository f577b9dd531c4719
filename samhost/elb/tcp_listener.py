"""A listener of a Network Load Balancer: each connection goes to one target, bytes unchanged.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/introduction.html
"""

import asyncio
import contextlib
import random
from collections.abc import Callable

from samhost.elb.actions import Forward
from samhost.elb.balancing import Balancing
from samhost.elb.network import Address

CONNECT_SECONDS = 10
CHUNK_BYTES = 64 * 1024


class TcpListener:
    """Serves one listener. At AWS the flow's addresses choose the target; here each is chosen in its turn."""

    def __init__(self, arn: str, balancing: Balancing, log: Callable[[str], None]):
        """Serve the listener of that ARN as it is at each moment; `log` takes a line for each connection that fails."""
        self._arn = arn
        self._balancing = balancing
        self._log = log

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection; without a target it is closed."""
        try:
            listener = self._balancing.listener(self._arn)
            action = listener.default if listener else None
            found = self._balancing.next(action, random.random()) if isinstance(action, Forward) else None  # noqa: S311
            if found is None:
                writer.transport.abort()
                return
            _, address = found
            try:
                await _pass_on(address, reader, writer)
            except OSError as error:  # TimeoutError is one
                self._log(f"{address.host}:{address.port}: {type(error).__name__}")
                writer.transport.abort()
        finally:
            writer.close()


async def _pass_on(address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes from either side. A connection outlives its target's deregistration, as at AWS by default."""
    async with asyncio.timeout(CONNECT_SECONDS):
        target_reader, target_writer = await asyncio.open_connection(*address)
    try:
        await asyncio.gather(_copy(reader, target_writer), _copy(target_reader, writer))
    finally:
        target_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes, and then its end: the other direction may go on."""
    while chunk := await reader.read(CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()
