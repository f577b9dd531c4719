"""Lambda authorizers of type REQUEST: a function decides who may call.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
"""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from samhost.gateway.authorizer_settings import LambdaAuthorizerSettings
from samhost.gateway.errors import (
    AuthorizerFailedError,
    ForbiddenError,
    IntegrationFailedError,
    UnauthorizedError,
)
from samhost.gateway.exchange import Exchange
from samhost.gateway.iam_policies import as_list, conditions_hold, matches, statements
from samhost.gateway.integrations.invoker import Invoker
from samhost.gateway.integrations.lambda_event import event_1_0, event_2_0
from samhost.gateway.mapping.expressions import Source
from samhost.gateway.messages import Caller

SECONDS = 10  # an authorizer may take [doc: http-api-quotas]
KEPT_DECISIONS = 1000
_ACTION = "execute-api:Invoke"
_NOT_FOR_AUTHORIZERS = ("body", "isBase64Encoded", "multiValueHeaders", "multiValueQueryStringParameters")


@dataclass(frozen=True)
class _Decision:
    """What a function answered: `allowed` for all that it was asked about, or a policy that says for what."""

    allowed: bool
    policy: dict[str, Any] | None
    caller: Caller


class LambdaAuthorizer:
    """Admits callers whom a function lets pass."""

    def __init__(self, invoker: Invoker):
        self._invoker = invoker
        self._decisions: dict[tuple, tuple[float, _Decision]] = {}

    async def authorize(self, exchange: Exchange, settings: LambdaAuthorizerSettings) -> Caller:
        """Ask the function, or take what it answered for the same identity within the time to live.

        Raises UnauthorizedError where an identity source is missing or empty, ForbiddenError, and AuthorizerFailedError
        where the function does not answer as it must.
        """
        source = Source(exchange)
        identity = [expression.value(source) for expression in settings.sources]
        if not all(identity):
            raise UnauthorizedError(None, "An identity source is missing")
        key = (exchange.api.api_id, settings.authorizer_id, settings.function, *identity)
        until, decision = self._decisions.get(key, (0.0, None))
        if decision is None or time.monotonic() >= until:
            decision = _read(settings, await self._ask(exchange, settings, [str(value) for value in identity]))
            if len(self._decisions) >= KEPT_DECISIONS:
                self._decisions.clear()
            if settings.ttl:
                self._decisions[key] = time.monotonic() + settings.ttl, decision
        arn = _request_arn(exchange, _partition(settings))
        if not (_allows(decision.policy, arn, exchange) if decision.policy else decision.allowed):
            raise ForbiddenError(None, f"The authorizer does not allow {arn}")
        return decision.caller

    async def _ask(self, exchange: Exchange, settings: LambdaAuthorizerSettings, identity: list[str]) -> bytes:
        api, function = exchange.api, settings.function
        source_arn = (
            f"arn:{_partition(settings)}:execute-api:{api.region}:{api.account_id}:{api.api_id}"
            f"/authorizers/{settings.authorizer_id}"
        )
        event = json.dumps(_event(exchange, settings, identity), ensure_ascii=False).encode()
        try:
            async with asyncio.timeout(SECONDS):
                invocation = await self._invoker.invoke(function, event, settings.role, source_arn, api.account_id)
            return invocation.payload(function)
        except TimeoutError:
            raise AuthorizerFailedError(f"{function} took more than {SECONDS} s") from None
        except (ConnectionError, IntegrationFailedError) as error:
            raise AuthorizerFailedError(str(error)) from error


def _event(exchange: Exchange, settings: LambdaAuthorizerSettings, identity: list[str]) -> dict[str, Any]:
    """What the function gets: an integration's event without a body, and what there is to decide about."""
    route, arn = exchange.matched_route(), _request_arn(exchange, _partition(settings))
    if settings.payload_format == "2.0":
        event = event_2_0(exchange, route, b"") | {"routeArn": arn, "identitySource": identity or None}
    else:
        event = event_1_0(exchange, route, b"")
        for name in ("queryStringParameters", "pathParameters", "stageVariables"):
            event[name] = event[name] or {}
        del event["requestContext"]["authorizer"]
        joined = ",".join(identity)
        event |= {"methodArn": arn, "identitySource": joined, "authorizationToken": joined}
    # The body has not been read, so what is known of its length is what the client says.
    length = exchange.request.header("content-length")
    event["headers"] = {**event["headers"], "content-length": length or "0"}
    return {"type": "REQUEST"} | {name: value for name, value in event.items() if name not in _NOT_FOR_AUTHORIZERS}


def _partition(settings: LambdaAuthorizerSettings) -> str:
    return settings.function.split(":")[1]


def _request_arn(exchange: Exchange, partition: str) -> str:
    """The ARN of what is asked for, with the path as the client sent it: policies are about that."""
    api = exchange.api
    return (
        f"arn:{partition}:execute-api:{api.region}:{api.account_id}:{api.api_id}/{api.stage}"
        f"/{exchange.request.method}{exchange.path}"
    )


def _read(settings: LambdaAuthorizerSettings, payload: bytes) -> _Decision:
    """A function's answer; raises AuthorizerFailedError for a shape that the settings do not ask for."""
    try:
        answer = json.loads(payload)
    except ValueError:
        raise _malformed(settings, "it is not JSON") from None
    if not isinstance(answer, dict):
        raise _malformed(settings, "it is not an object")
    said = answer.get("context")
    if said is not None and not isinstance(said, dict):
        raise _malformed(settings, "`context` is not an object")
    if settings.simple:
        allowed = answer.get("isAuthorized")
        if not isinstance(allowed, bool):
            raise _malformed(settings, "`isAuthorized` is neither true nor false")
        return _Decision(allowed, None, Caller({}, None, is_by_function=True, context=said))
    principal, policy = answer.get("principalId"), answer.get("policyDocument")
    if not isinstance(principal, str) or not isinstance(policy, dict):
        raise _malformed(settings, "`principalId` or `policyDocument` is missing")
    if not statements(policy) or not all(_is_whole(statement) for statement in statements(policy)):
        raise _malformed(settings, "`policyDocument` has a statement without Effect, Action or Resource")
    return _Decision(False, policy, Caller({}, None, is_by_function=True, principal_id=principal, context=said))


def _is_whole(statement: Any) -> bool:
    return (
        isinstance(statement, dict)
        and statement.get("Effect") in ("Allow", "Deny")
        and all(
            as_list(statement.get(name)) and all(isinstance(text, str) for text in as_list(statement.get(name)))
            for name in ("Action", "Resource")
        )
    )


def _allows(policy: dict[str, Any], arn: str, exchange: Exchange) -> bool:
    """Whether some Allow fits, and no Deny does."""
    context = {"aws:sourceip": exchange.request.source_ip, "aws:useragent": exchange.request.header("user-agent") or ""}
    effects = {
        statement["Effect"]
        for statement in statements(policy)
        if any(matches(pattern.lower(), _ACTION.lower()) for pattern in as_list(statement["Action"]))
        and any(matches(pattern, arn) for pattern in as_list(statement["Resource"]))
        and conditions_hold(statement, context)
    }
    return effects == {"Allow"}


def _malformed(settings: LambdaAuthorizerSettings, why: str) -> AuthorizerFailedError:
    return AuthorizerFailedError(f"The answer of {settings.function} has not the shape that its authorizer asks: {why}")
