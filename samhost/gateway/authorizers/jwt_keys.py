"""The public keys of token issuers: fetched once, kept for two hours, and never fetched more often than bounded.

Limits: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

KEEP_SECONDS = 2 * 60 * 60
REFETCH_SECONDS = 5  # at most one fetch from an issuer in this time, whatever tokens ask for
FETCH_SECONDS = 1.5
FETCH_BYTES = 150_000
_USER_POOL = re.compile(r"https://cognito-idp\.[\w-]+\.amazonaws\.com(?:\.cn)?/(?P<pool>[\w-]+)")
_log = logging.getLogger(__name__)

Fetch = Callable[[str], Awaitable[bytes]]


class KeysUnavailableError(Exception):
    """An issuer's keys cannot be had; `str(error)` says why."""


@dataclass
class _Issuer:
    keys: dict[str, RSAPublicKey] = field(default_factory=dict)
    fetched: float = float("-inf")
    tried: float = float("-inf")
    fetching: asyncio.Lock = field(default_factory=asyncio.Lock)


class KeySets:
    """The key sets of all issuers. User pools' keys are the engine's, which stands in for Cognito."""

    def __init__(self, fetch: Fetch, engine: str, clock: Callable[[], float] = time.monotonic):
        """Use `fetch` for every URL; it raises KeysUnavailableError."""
        self._fetch = fetch
        self._engine = engine
        self._clock = clock
        self._issuers: dict[str, _Issuer] = {}

    async def find(self, issuer: str, key_id: str) -> RSAPublicKey | None:
        """An issuer's key by its id; None where it has none such, or its keys cannot be had."""
        known = self._issuers.setdefault(issuer, _Issuer())
        key = self._kept(known).get(key_id)
        if key is None:
            async with known.fetching:
                if self._clock() - known.tried >= REFETCH_SECONDS:
                    await self._refresh(issuer, known)
            key = self._kept(known).get(key_id)
        return key

    def _kept(self, issuer: _Issuer) -> dict[str, RSAPublicKey]:
        return issuer.keys if self._clock() - issuer.fetched < KEEP_SECONDS else {}

    async def _refresh(self, url: str, issuer: _Issuer) -> None:
        issuer.tried = self._clock()
        try:
            issuer.keys = _parse(await self._fetch(await self._address(url)))
        except KeysUnavailableError as error:
            _log.warning("The keys of %s cannot be had: %s", url, error)
        else:
            issuer.fetched = self._clock()

    async def _address(self, issuer: str) -> str:
        pool = _USER_POOL.fullmatch(issuer)
        if pool:
            return f"{self._engine}/{pool['pool']}/.well-known/jwks.json"
        configuration = _object(await self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
        address = configuration.get("jwks_uri")
        if not isinstance(address, str):
            raise KeysUnavailableError("its openid-configuration has no jwks_uri")
        return address


async def fetch(session: aiohttp.ClientSession, url: str) -> bytes:
    """Read a URL within API Gateway's limits of time and size; raises KeysUnavailableError."""
    body = bytearray()
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS)) as answer:
            if answer.status != 200:
                raise KeysUnavailableError(f"{url} answered {answer.status}")
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > FETCH_BYTES:
                    raise KeysUnavailableError(f"{url} answered more than {FETCH_BYTES} bytes")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise KeysUnavailableError(f"{url} cannot be read: {type(error).__name__}") from error
    return bytes(body)


def _parse(document: bytes) -> dict[str, RSAPublicKey]:
    keys = {}
    entries = _object(document).get("keys")
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK(entry).key
        except jwt.PyJWTError:  # one broken key does not take the others away
            continue
        if isinstance(entry.get("kid"), str) and isinstance(key, RSAPublicKey):
            keys[entry["kid"]] = key
    return keys


def _object(document: bytes) -> dict:
    try:
        value = json.loads(document)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise KeysUnavailableError("its answer is not a JSON object")
    return value
