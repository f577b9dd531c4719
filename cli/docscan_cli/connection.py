"""Which system a command talks to, and as whom.

In this order:
1. the profile that `--profile` or DOCSCAN_PROFILE names (a system on AWS, see `docscan login`);
2. the local system whose data folder DOCSCAN_DATA_DIR names;
3. the local system of the current folder: the nearest `.docscan/addresses.json` in it or above it.

The third must belong to the user and lead to this machine: a folder that somebody else prepared must not get documents.
"""

import asyncio
import contextlib
import dataclasses
import importlib.metadata
import ipaddress
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from docscan_cli.api import Api
from docscan_cli.errors import ServerError, SignInError, UnreachableError
from docscan_cli.profiles import Profile, load_profile, profile_names, save_profile
from docscan_cli.sign_in import BearerToken, NewPasswordRequired, Tokens, UserPool
from docscan_cli.wording import printable

START = "Start it with `docscan up` (or `make run`) in the project's folder."
LOCAL_SIGN_IN_ATTEMPTS = 2
"""On one machine no network lies between that could recover: say soon that the system is down."""


@dataclass(frozen=True)
class LocalSystem:
    """The running system of a data folder, by its addresses.json, and the user that it made for trying things out.

    `apis` are the names of its APIs; the scanner's is at `endpoint`.
    """

    folder: Path
    endpoint: str
    apis: tuple[str, ...]
    engine: str
    client_id: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Connection:
    """A system, ready to be used: its API, and the HTTP client for the storage links that it gives."""

    name: str
    endpoint: str
    username: str
    api: Api
    client: httpx.AsyncClient


def find_system(profile: str | None) -> LocalSystem | Profile:
    """The system to use, as the module says. Raises UnreachableError or SignInError that say what to do."""
    if profile:
        found = load_profile(profile)
        if found is None:
            known = f" There are: {', '.join(profile_names())}." if profile_names() else ""
            raise SignInError(f"There is no profile {printable(profile)}.{known} Make it with: {_login(profile)}")
        if not found.refresh_token:
            raise SignInError(f"Profile {profile} is signed out. Sign in with: {_login(profile)}")
        return found
    if folder := os.environ.get("DOCSCAN_DATA_DIR"):
        path = Path(folder) / "addresses.json"
        if not path.is_file():
            raise UnreachableError(f"No system is running with the data folder {printable(folder)}. {START}")
        return _read_addresses(path)
    here = Path.cwd()
    for above in (here, *here.parents):
        path = above / ".docscan" / "addresses.json"
        if path.is_file():
            if hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
                raise UnreachableError(
                    f"{printable(str(path))} belongs to another user, so it is not used. Name its folder in "
                    "DOCSCAN_DATA_DIR if you trust it."
                )
            return _read_addresses(path)
    profiles = f" Or use a profile: --profile {' | '.join(profile_names())}." if profile_names() else ""
    raise UnreachableError(f"No system is running here. {START}{profiles}")


@contextlib.asynccontextmanager
async def connect(profile: str | None) -> AsyncIterator[Connection]:
    """Connect to the system to use. The sign-in happens with the first request that needs it."""
    system = find_system(profile)
    local = isinstance(system, LocalSystem)
    async with http_client(local=local) as client:
        auth = _local_sign_in(client, system) if local else _profile_sign_in(client, system)
        name = "the local system" if local else f"profile {system.name}"
        try:
            yield Connection(name, system.endpoint, system.username, Api(client, system.endpoint, auth), client)
        except UnreachableError as error:
            raise UnreachableError(f"{error} Is the system running? {START}" if local else str(error)) from error


def ask[Answer](profile: str | None, question: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    """Connect, ask one thing, and return the answer."""

    async def connected() -> Answer:
        async with connect(profile) as connection:
            return await question(connection)

    return asyncio.run(connected())


def http_client(*, local: bool) -> httpx.AsyncClient:
    """The one HTTP client of a command. Proxies and certificates of the environment are not for this machine."""
    return httpx.AsyncClient(
        # The gateway's longest answer takes 30 s.
        timeout=httpx.Timeout(35, connect=10, pool=None),
        trust_env=not local,
        headers={"user-agent": f"docscan/{importlib.metadata.version('docscan')}"},
    )


def user_pool_url(region: str) -> str:
    """Where AWS answers for the user pools of a region."""
    return f"https://cognito-idp.{region}.amazonaws.com/"


def _login(profile: str) -> str:
    return f"docscan login --profile {printable(profile)}"


def _local_sign_in(client: httpx.AsyncClient, system: LocalSystem) -> BearerToken:
    pool = UserPool(client, system.engine, system.client_id, LOCAL_SIGN_IN_ATTEMPTS)

    async def renew() -> Tokens:
        tokens = await pool.sign_in(system.username, system.password)
        if isinstance(tokens, NewPasswordRequired):
            raise SignInError("The local system's demo user has no lasting password. Make it anew: docscan reset")
        return tokens

    return BearerToken(None, renew)


def _profile_sign_in(client: httpx.AsyncClient, profile: Profile) -> BearerToken:
    pool = UserPool(client, user_pool_url(profile.region), profile.client_id)
    refresh_token = profile.refresh_token

    async def renew() -> Tokens:
        nonlocal refresh_token
        try:
            tokens = await pool.refresh(refresh_token)
        except SignInError as error:
            raise SignInError(f"{error} Sign in again with: {_login(profile.name)}") from error
        refresh_token = tokens.refresh_token
        save_profile(dataclasses.replace(profile, **dataclasses.asdict(tokens)))
        return tokens

    return BearerToken(Tokens(profile.access_token, refresh_token, profile.expires_at), renew)


def _read_addresses(path: Path) -> LocalSystem:
    try:
        addresses: dict[str, Any] = json.loads(path.read_text("utf-8"))
        user = addresses["users"][0]
        system = LocalSystem(
            folder=path.parent,
            endpoint=addresses["apis"]["ScannerApi"].rstrip("/"),
            apis=tuple(dict.fromkeys(_without_stage(api, url) for api, url in addresses["apis"].items())),
            engine=addresses["engine"],
            client_id=addresses["outputs"]["CliClientId"],
            username=user["username"],
            password=user["password"],
        )
    except OSError as error:
        raise UnreachableError(f"{printable(str(path))} cannot be read: {error.strerror}.") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ServerError(
            f"{printable(str(path))} does not describe a Docscan system. Restart it: docscan down, then docscan up"
        ) from error
    for url in (system.endpoint, system.engine):
        if not _on_this_machine(url):
            raise UnreachableError(f"{printable(str(path))} leads away from this machine, so it is not used.")
    return system


def _on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _without_stage(api: str, url: str) -> str:
    """An API's name where it is listed once for each stage, as REST APIs are: their last part is the URL's."""
    name, slash, stage = api.rpartition("/")
    return name if slash and url.endswith(f"/{stage}") else api
