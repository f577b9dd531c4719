"""Calls to the engine's public AWS endpoints, signed as any AWS SDK signs them."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.credentials import EnvProvider
from botocore.exceptions import PartialCredentialsError

from samhost.gateway.connections import Connections, Origin
from samhost.gateway.errors import ConfigurationError
from samhost.gateway.signing import Credentials, Scope, signed_headers

CALL_SECONDS = 60  # no call outlives this; integrations have their own, shorter timeouts
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Reply:
    """What the engine answers; names of headers are lower case, and the last of several with the same name counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def credentials() -> Credentials:
    """Those of the environment; raises ConfigurationError where there are none."""
    with contextlib.suppress(PartialCredentialsError):
        found = EnvProvider().load()
        if found:
            return Credentials(*found.get_frozen_credentials()[:3])
    raise ConfigurationError("Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: calls to the engine are signed")


@contextlib.contextmanager
def connected(url: str, region: str, own: Credentials) -> Iterator["Engine"]:
    """The engine at a URL, called with these credentials; its connections are closed at the end."""
    parts = urlsplit(url)
    with contextlib.closing(Connections(Origin(parts.hostname or "", parts.port or 80))) as connections:
        yield Engine(connections, parts.netloc, region, own)


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
