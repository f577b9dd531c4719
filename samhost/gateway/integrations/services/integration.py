"""Answers routes by AWS services: maps the parameters, calls as the integration's role, hands on what comes back."""

import asyncio
import re
from collections.abc import Awaitable

from samhost.gateway.engine import Engine, Reply
from samhost.gateway.errors import BadRequestError, IntegrationUnavailableError
from samhost.gateway.exchange import Exchange
from samhost.gateway.integrations.lambda_permission import source_arn
from samhost.gateway.integrations.roles import Roles
from samhost.gateway.integrations.services import app_config, event_bridge, kinesis, sqs, step_functions
from samhost.gateway.integrations.services.call import RoleClient
from samhost.gateway.mapping.expressions import Source
from samhost.gateway.messages import Response
from samhost.gateway.routing import Route
from samhost.gateway.service_target import REGION, ServiceTarget
from samhost.gateway.signing import Credentials

OPERATIONS = (
    sqs.OPERATIONS | event_bridge.OPERATIONS | kinesis.OPERATIONS | step_functions.OPERATIONS | app_config.OPERATIONS
)
# Of a service's headers, those that clients get; which they are on AWS is not documented [inf].
_PASSED = ("content-type", "configuration-version", "x-amzn-requestid")
_REGION = re.compile(r"[a-z0-9-]{1,32}")


class ServiceIntegration:
    """Calls AWS services for routes."""

    def __init__(self, engine: Engine, roles: Roles):
        self._engine = engine
        self._roles = roles

    async def invoke(self, exchange: Exchange, route: Route, target: ServiceTarget) -> Response:
        """Answer a request by a service, with the service's own status and body.

        A call is made once: nothing here knows whether one that failed has had its effect.
        Raises BadRequestError where a parameter has no value [obs], IntegrationFailedError and
        IntegrationUnavailableError.
        """
        parameters = _parameters(exchange, target, await exchange.body())
        try:
            async with asyncio.timeout(target.timeout):
                reply = await self._call(exchange, route, target, parameters)
        except TimeoutError:
            raise IntegrationUnavailableError(f"{target.subtype} took more than {target.timeout} s") from None
        except ConnectionError as error:
            raise IntegrationUnavailableError(str(error)) from error
        exchange.integration_status = reply.status
        exchange.integration_request_id = reply.headers.get("x-amzn-requestid")
        headers = [(name, value) for name in _PASSED if (value := reply.headers.get(name))]
        return Response(reply.status, headers, b"" if reply.status in (204, 304) else reply.body)

    async def _call(self, exchange: Exchange, route: Route, target: ServiceTarget, parameters: dict[str, str]) -> Reply:
        api = exchange.api
        region = parameters.pop(REGION, api.region)
        if not _REGION.fullmatch(region):
            raise BadRequestError(f"{target.subtype}: {REGION} is none")
        source = source_arn(exchange, route, target.role.split(":")[1])

        def operate(credentials: Credentials) -> Awaitable[Reply]:
            client = RoleClient(self._engine, target.role, credentials, region, api.account_id)
            return OPERATIONS[target.subtype](parameters, client)

        return await self._roles.call(target.role, source, api.account_id, operate)


def _parameters(exchange: Exchange, target: ServiceTarget, body: bytes) -> dict[str, str]:
    source = Source(exchange, body)
    parameters = {}
    for name, expression in target.parameters.items():
        value = expression.value(source)
        if value is None:
            raise BadRequestError(f"{target.subtype}: {name} has no value: {expression.text}")
        if name not in kinesis.BYTES and not _is_text(value):
            raise BadRequestError(f"{target.subtype}: {name} is not UTF-8: {expression.text}")
        parameters[name] = value
    return parameters


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
