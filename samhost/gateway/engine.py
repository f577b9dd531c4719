"""Calls to the engine's public AWS endpoints, signed as any AWS SDK signs them."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from yarl import URL


@dataclass(frozen=True)
class Reply:
    """A service's answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Engine:
    """The engine at a URL, over connections that are kept open."""

    def __init__(self, session: aiohttp.ClientSession, url: str, region: str, credentials: Credentials):
        self._session = session
        self._url = url
        self._region = region
        self._credentials = credentials

    async def call(self, service: str, method: str, path: str, body: bytes = b"") -> Reply:
        """Send a signed request; `path` is percent-encoded.

        Raises TimeoutError, or ConnectionError where the engine cannot be reached.
        """
        url = self._url + path
        signed = AWSRequest(method, url, {"Content-Type": "application/json"}, body)
        SigV4Auth(self._credentials, service, self._region).add_auth(signed)
        try:
            async with self._session.request(
                method, URL(url, encoded=True), data=body, headers=dict(signed.headers.items())
            ) as answer:
                return Reply(answer.status, answer.headers, await answer.read())
        except aiohttp.ClientError as error:
            if isinstance(error, TimeoutError):
                raise
            raise ConnectionError(f"The engine at {self._url} cannot be reached: {type(error).__name__}") from error
