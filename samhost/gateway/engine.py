"""Calls to the engine's public AWS endpoints, signed as any AWS SDK signs them."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from samhost.gateway.signing import Credentials, Scope, signed_headers

_JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Reply:
    """A service's answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Engine:
    """The engine at a URL, over connections that are kept open."""

    def __init__(self, session: aiohttp.ClientSession, url: str, region: str, credentials: Credentials):
        """Sign with these credentials, and for this region, where a call says nothing else."""
        self._session = session
        self._url = url
        self._host = url.partition("://")[2]
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

        Raises TimeoutError, or ConnectionError where the engine cannot be reached or does not answer in HTTP.
        """
        scope = Scope(service, region or self._region)
        signed = signed_headers(credentials or self._credentials, scope, method, self._host, target, headers, body)
        try:
            async with self._session.request(
                method, URL(self._url + target, encoded=True), data=body, headers=signed
            ) as answer:
                return Reply(answer.status, answer.headers, await answer.read())
        except aiohttp.ClientError as error:
            if isinstance(error, TimeoutError):
                raise
            raise ConnectionError(f"The engine at {self._url} cannot be reached: {type(error).__name__}") from error
