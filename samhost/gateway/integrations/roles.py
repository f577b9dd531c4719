"""The roles of integrations: assumed at the engine's STS, so that what each may do is what IAM says."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Protocol
from urllib.parse import unquote, urlencode

from samhost.gateway.engine import Engine, Reply
from samhost.gateway.errors import IntegrationFailedError, IntegrationRefusedError
from samhost.gateway.integrations.lambda_permission import may_assume
from samhost.gateway.integrations.services.call import FORM
from samhost.gateway.signing import Credentials

SESSION_NAME = "BackplaneAssumeRoleSession"  # what API Gateway calls its sessions [obs]
_LOST_SESSION = (b"InvalidClientTokenId", b"UnrecognizedClientException", b"ExpiredToken")
MARGIN_SECONDS = 300  # before their end, credentials are fetched anew


@dataclass(frozen=True)
class _Session:
    credentials: Credentials
    ends: float  # seconds since the epoch


class Answer(Protocol):
    """What a call is answered: a service's reply, or a function's."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def body(self) -> bytes:
        """What the engine said."""
        ...


class Roles:
    """Calls as roles, with credentials that are kept until shortly before they end."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._sessions: dict[tuple[str, str], asyncio.Task[_Session]] = {}

    async def call[A: Answer](
        self, role: str, source_arn: str, account_id: str, call: Callable[[Credentials], Awaitable[A]]
    ) -> A:
        """The answer of a call with a role's credentials, for a route or an authorizer that has this ARN.

        Raises what `credentials` does, and what the call does.
        """
        credentials = await self.credentials(role, source_arn, account_id)
        answer = await call(credentials)
        if answer.status not in (400, 403) or not any(code in answer.body for code in _LOST_SESSION):
            return answer
        # The engine has refused the credentials before it did anything: a crash has taken the role's session from it.
        self._forget(credentials)
        return await call(await self.credentials(role, source_arn, account_id))

    async def credentials(self, role: str, source_arn: str, account_id: str) -> Credentials:
        """A role's credentials, for a route or an authorizer that has this ARN.

        Raises IntegrationRefusedError where the role does not let API Gateway assume it, TimeoutError and
        ConnectionError.
        """
        key = role, source_arn
        assuming = self._sessions.get(key)
        if assuming is None or _is_over(assuming):
            assuming = asyncio.create_task(self._assume(role, source_arn, account_id))
            self._sessions[key] = assuming
        try:
            return (await asyncio.shield(assuming)).credentials
        except (TimeoutError, ConnectionError, IntegrationFailedError):
            if self._sessions.get(key) is assuming:
                del self._sessions[key]
            raise

    def _forget(self, credentials: Credentials) -> None:
        for key, session in list(self._sessions.items()):
            if session.done() and not session.exception() and session.result().credentials == credentials:
                del self._sessions[key]

    async def _assume(self, role: str, source_arn: str, account_id: str) -> _Session:
        # The engine lets its root assume whatever trusts any service at all, so whom a role trusts is read here.
        name = role.rpartition("/")[2]
        answer = await self._query("iam", "2010-05-08", Action="GetRole", RoleName=name)
        policy = unquote(_element(answer, "AssumeRolePolicyDocument") or "{}") if answer.status == 200 else "{}"
        if not may_assume(json.loads(policy), source_arn, account_id):
            raise IntegrationRefusedError(f"The trust policy of {role} does not let apigateway.amazonaws.com assume it")
        answer = await self._query("sts", "2011-06-15", Action="AssumeRole", RoleArn=role, RoleSessionName=SESSION_NAME)
        parts = [_element(answer, part) for part in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")]
        if answer.status != 200 or None in parts:
            raise IntegrationRefusedError(f"AssumeRole of {role} answered {answer.status}: {_element(answer, 'Code')}")
        access_key, secret_key, token, expiration = map(str, parts)
        return _Session(Credentials(access_key, secret_key, token), datetime.fromisoformat(expiration).timestamp())

    async def _query(self, service: str, version: str, **parameters: str) -> Reply:
        body = urlencode({"Version": version, **parameters}).encode()
        answer = await self._engine.call(service, "POST", "/", body, headers=FORM)
        if answer.status >= 500:
            raise ConnectionError(f"{parameters['Action']} answered {answer.status}")
        return answer


def _is_over(assuming: asyncio.Task[_Session]) -> bool:
    if not assuming.done():
        return False
    return (
        assuming.cancelled()
        or assuming.exception() is not None
        or assuming.result().ends - MARGIN_SECONDS < time.time()
    )


def _element(answer: Reply, name: str) -> str | None:
    """The text of the first XML element of a name."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", answer.body.decode(errors="replace"))
    return unescape(found[1]) if found else None
