"""Lambda functions, reached through the engine's public Lambda API."""

import asyncio
import json
import time
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from samhost.gateway.engine import Engine
from samhost.gateway.errors import IntegrationFailedError
from samhost.gateway.signing import Credentials

POLICY_SECONDS = 5  # a permission that is added or taken away counts this much later


@dataclass(frozen=True)
class Invocation:
    """What Invoke answered: the HTTP status, `X-Amz-Function-Error` where the function failed, and its payload."""

    status: int
    function_error: str | None
    body: bytes

    def payload(self, function: str) -> bytes:
        """What the function answered; raises IntegrationFailedError where it could not be invoked, or has failed."""
        if self.status != 200:
            raise IntegrationFailedError(f"Invoke of {function} answered {self.status}")
        if self.function_error:
            raise IntegrationFailedError(f"{function} failed: {self.function_error}")
        return self.body


class Functions:
    """Invokes functions, and reads who may."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._policies: dict[str, tuple[float, asyncio.Task[dict]]] = {}

    async def invoke(self, arn: str, event: bytes, credentials: Credentials | None = None) -> Invocation:
        """Invoke a function, as a role where `credentials` are one's; raises TimeoutError and ConnectionError."""
        reply = await self._engine.call("lambda", "POST", _path(arn, "invocations"), event, credentials=credentials)
        return Invocation(reply.status, reply.headers.get("x-amz-function-error"), reply.body)

    async def policy(self, arn: str) -> dict:
        """A function's resource policy, empty where it has none; kept for a short while.

        Raises TimeoutError and ConnectionError.
        """
        expires, fetching = self._policies.get(arn, (0.0, None))
        if fetching is None or expires < time.monotonic():
            fetching = asyncio.create_task(self._get_policy(arn))
            self._policies[arn] = time.monotonic() + POLICY_SECONDS, fetching
        try:
            return await asyncio.shield(fetching)
        except (TimeoutError, ConnectionError):
            self._policies.pop(arn, None)
            raise

    async def _get_policy(self, arn: str) -> dict:
        reply = await self._engine.call("lambda", "GET", _path(arn, "policy"))
        if reply.status == 404:
            return {}
        if reply.status != 200:
            raise ConnectionError(f"GetPolicy of {arn} answered {reply.status}")
        return json.loads(json.loads(reply.body)["Policy"])


@cache
def _path(arn: str, what: str) -> str:
    return f"/2015-03-31/functions/{quote(arn, safe='')}/{what}"
