"""Keeps foreign web pages out of the engine.

The engine takes whoever sends no credentials for its root, and lets every origin read its answers. It listens on this
machine only, but so does the user's browser: without a guard any page that they visit could run code here.
"""

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

Application = Callable[[Any, Any, Any], Awaitable[None]]
_CONTAINERS = "host.docker.internal"  # how Docker Desktop's containers call the machine they run on


def guarded(application: Application) -> Application:
    """Wrap an ASGI application: requests that a foreign page may have caused are answered 403."""

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and (why := _refusal(scope)):
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": f"{why}\n".encode()})
            return
        await application(scope, receive, send)

    return guard


def _refusal(scope: Any) -> str | None:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if not _is_local(urlsplit(f"//{headers.get('host', '')}").hostname):
        return "The local engine answers to this machine's own names and addresses only."
    origin = headers.get("origin")
    if origin is not None:
        return None if _is_local_page(origin) else "The local engine does not answer pages of other sites."
    if headers.get("sec-fetch-site") == "cross-site":
        # Links lead to managed login and to presigned objects; the query protocol acts by GET, too.
        follows_a_link = headers.get("sec-fetch-mode") == "navigate" and scope["method"] == "GET"
        if not follows_a_link or "Action" in parse_qs(scope["query_string"].decode("latin-1")):
            return "The local engine does not answer requests that pages of other sites cause."
    return None


def _is_local_page(origin: str) -> bool:
    host = urlsplit(origin).hostname
    return host == "localhost" or (_address(host) or ipaddress.ip_address("0.0.0.0")).is_loopback  # noqa: S104


def _is_local(host: str | None) -> bool:
    """Whether a request to this host can only have been meant for this machine: no foreign name leads here."""
    return _address(host) is not None or host == _CONTAINERS or f".{host}".endswith(".localhost")


def _address(host: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host or "")
    except ValueError:
        return None
