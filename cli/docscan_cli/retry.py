"""Trying again when the network or the system stumbles: with growing pauses, out of step with other clients."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import httpx

from docscan_cli.errors import UnreachableError

TRANSIENT_STATUSES = {408, 425, 429, 500, 502, 503, 504}
QUOTA_EXCEEDED = "quota-exceeded"
"""The code of a 429 that does not pass within seconds, unlike the gateway's own, which has no code."""
_THROTTLED = "ThrottlingException"
"""The type of a 400 by which an AWS service behind a route says that it is busy (Step Functions, common errors)."""
ATTEMPTS = 6
FIRST_PAUSE = 0.4
"""Seconds; each further pause is twice as long. All of them together come to about 12 seconds."""
LONGEST_PAUSE = 30.0
"""Seconds; what a `Retry-After` can ask for at most."""


async def pause(seconds: float) -> None:
    """Wait for between half of `seconds` and all of it."""
    await asyncio.sleep(random.uniform(seconds / 2, seconds))  # noqa: S311 - jitter is no secret


async def retrying(send: Callable[[], Awaitable[httpx.Response]], attempts: int = ATTEMPTS) -> httpx.Response:
    """Call `send` until it gives an answer that is not transient, at most `attempts` times.

    `send` must be safe to repeat. Returns the last answer, which may still be a transient one.
    Raises UnreachableError where the last attempt got no answer.
    """
    for attempt in range(attempts):
        last = attempt == attempts - 1
        asked_for = 0.0
        try:
            response = await send()
        except (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError) as error:
            if last:
                host = error.request.url.netloc.decode("ascii", "replace")
                reason = "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error)
                raise UnreachableError(f"{host} cannot be reached ({reason or type(error).__name__}).") from error
        else:
            if last or not _is_transient(response):
                return response
            asked_for = _retry_after(response)
        await pause(max(FIRST_PAUSE * 2**attempt, asked_for))
    raise ValueError("attempts must be at least 1")


def _is_transient(response: httpx.Response) -> bool:
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        # A download's body is not read yet; the storage has no quota.
        return not (response.is_stream_consumed and QUOTA_EXCEEDED in response.text)
    if response.status_code == httpx.codes.BAD_REQUEST:
        return response.is_stream_consumed and _THROTTLED in response.text
    return response.status_code in TRANSIENT_STATUSES


def _retry_after(response: httpx.Response) -> float:
    """The seconds that the answer asks to wait; 0 where it does not, or gives a date (S3 and the API never do)."""
    value = response.headers.get("retry-after", "")
    return min(float(value), LONGEST_PAUSE) if value.isdecimal() else 0.0
