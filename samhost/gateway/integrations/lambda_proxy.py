"""Lambda proxy integrations (`aws_proxy`): the request goes to a function whole, and its answer comes back."""

import asyncio
import json

from samhost.gateway.errors import BodyTooLargeError, IntegrationFailedError, IntegrationUnavailableError
from samhost.gateway.exchange import Exchange
from samhost.gateway.integrations.functions import Functions
from samhost.gateway.integrations.lambda_event import EVENTS
from samhost.gateway.integrations.lambda_permission import may_invoke, source_arn
from samhost.gateway.integrations.lambda_reply import REPLIES
from samhost.gateway.integrations.services.roles import Roles
from samhost.gateway.messages import Response
from samhost.gateway.routing import Route
from samhost.gateway.signing import Credentials
from samhost.gateway.targets import LambdaTarget

PAYLOAD_BYTES = 6_291_556  # what a synchronous invocation takes, and gives: 6 MB and a little [obs]


class LambdaProxy:
    """Invokes functions for routes."""

    def __init__(self, functions: Functions, roles: Roles):
        self._functions = functions
        self._roles = roles

    async def invoke(self, exchange: Exchange, route: Route, target: LambdaTarget) -> Response:
        """Answer a request by a function.

        Raises BodyTooLargeError, IntegrationFailedError and IntegrationUnavailableError.
        """
        body = await exchange.body()
        event = json.dumps(EVENTS[target.payload_format](exchange, route, body), ensure_ascii=False).encode()
        if len(event) > PAYLOAD_BYTES:
            raise BodyTooLargeError(f"The event is larger than the {PAYLOAD_BYTES} bytes that a function takes")
        try:
            async with asyncio.timeout(target.timeout):
                credentials = await self._credentials(exchange, route, target)
                invocation = await self._functions.invoke(target.function, event, credentials)
        except TimeoutError:
            raise IntegrationUnavailableError(f"{target.function} took more than {target.timeout} s") from None
        except ConnectionError as error:
            raise IntegrationUnavailableError(str(error)) from error
        exchange.integration_status = invocation.status
        if invocation.status != 200:
            raise IntegrationFailedError(f"Invoke of {target.function} answered {invocation.status}")
        if invocation.function_error:
            raise IntegrationFailedError(f"{target.function} failed: {invocation.function_error}")
        if len(invocation.payload) > PAYLOAD_BYTES:
            raise IntegrationFailedError(f"The function's answer is larger than {PAYLOAD_BYTES} bytes")
        return REPLIES[target.payload_format](invocation.payload)

    async def _credentials(self, exchange: Exchange, route: Route, target: LambdaTarget) -> Credentials | None:
        """Those of the integration's role or, where it names none and the function's policy allows it, nobody's."""
        source = source_arn(exchange, route, target.function.split(":")[1])
        if target.role:
            return await self._roles.credentials(target.role, source, exchange.api.account_id)
        if not may_invoke(await self._functions.policy(target.function), source, exchange.api.account_id):
            raise IntegrationFailedError(
                f"The resource policy of {target.function} does not let apigateway.amazonaws.com invoke it for "
                f"{source}: an AWS::Lambda::Permission is missing"
            )
        return None
