"""Lambda proxy integrations (`aws_proxy`): the request goes to a function whole, and its answer comes back."""

import asyncio
import json

from samhost.gateway.errors import (
    BodyTooLargeError,
    IntegrationFailedError,
    IntegrationTimedOutError,
    IntegrationUnavailableError,
)
from samhost.gateway.exchange import Exchange
from samhost.gateway.integrations.invoker import Invoker
from samhost.gateway.integrations.lambda_event import EVENTS
from samhost.gateway.integrations.lambda_permission import source_arn
from samhost.gateway.integrations.lambda_reply import REPLIES
from samhost.gateway.messages import Response
from samhost.gateway.routing import Route
from samhost.gateway.targets import LambdaTarget

PAYLOAD_BYTES = 6_291_556  # what a synchronous invocation takes, and gives: 6 MB and a little [obs]


class LambdaProxy:
    """Invokes functions for routes."""

    def __init__(self, invoker: Invoker):
        self._invoker = invoker

    async def invoke(self, exchange: Exchange, route: Route, target: LambdaTarget) -> Response:
        """Answer a request by a function.

        Raises BodyTooLargeError, IntegrationFailedError and IntegrationUnavailableError.
        """
        body = await exchange.body()
        event = json.dumps(EVENTS[target.payload_format](exchange, route, body), ensure_ascii=False).encode()
        if len(event) > PAYLOAD_BYTES:
            raise BodyTooLargeError(f"The event is larger than the {PAYLOAD_BYTES} bytes that a function takes")
        source, account_id = source_arn(exchange, route, target.function.split(":")[1]), exchange.api.account_id
        try:
            async with asyncio.timeout(target.timeout):
                invocation = await self._invoker.invoke(target.function, event, target.role, source, account_id)
        except TimeoutError:
            raise IntegrationTimedOutError(f"{target.function} took more than {target.timeout} s") from None
        except ConnectionError as error:
            raise IntegrationUnavailableError(str(error)) from error
        exchange.integration_status = invocation.status
        payload = invocation.payload(target.function)
        if len(payload) > PAYLOAD_BYTES:
            raise IntegrationFailedError(f"The function's answer is larger than {PAYLOAD_BYTES} bytes")
        return REPLIES[target.payload_format](payload)
