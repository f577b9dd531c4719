"""Calls to the engine's public AWS endpoints, signed as any AWS SDK signs them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from samhost.gateway.connections import Connections
from samhost.gateway.signing import Credentials, Scope, signed_headers

CALL_SECONDS = 60  # no call outlives this; integrations have their own, shorter timeouts
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Reply:
    """What the engine answers; names of headers are lower case, and the last of several with the same name counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Engine:
    """The engine behind connections that are kept."""

    def __init__(self, connections: Connections, host: str, region: str, credentials: Credentials):
        """Name this host, with its port; sign with these credentials and for this region where a call says nothing."""
        self._connections = connections
        self._host = host
        self._region = region
        self._credentials = credentials

    async def call(
        self,
        service: str,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] = _JSON,
        credentials: Credentials | None = None,
        region: str | None = None,
    ) -> Reply:
        """Send a signed request; `target` and the names in `headers` are as `signed_headers` takes them.

        Raises TimeoutError, and ConnectionError where the engine cannot be reached, or does not answer in HTTP.
        """
        scope = Scope(service, region or self._region)
        signed = signed_headers(credentials or self._credentials, scope, method, self._host, target, headers, body)
        async with asyncio.timeout(CALL_SECONDS):
            answer = await self._connections.send(method, target, signed.items(), body)
        return Reply(answer.status, dict(answer.headers), answer.body)
