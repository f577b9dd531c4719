"""Lambda proxy integrations (`aws_proxy`): the request goes to a function whole, and its answer comes back."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from samhost.gateway.errors import (
    BodyTooLargeError,
    IntegrationFailedError,
    IntegrationUnavailableError,
    UnsupportedError,
)
from samhost.gateway.integrations.lambda_event import EVENTS
from samhost.gateway.integrations.lambda_permission import may_invoke
from samhost.gateway.integrations.lambda_reply import REPLIES

if TYPE_CHECKING:
    from samhost.gateway.exchange import Exchange, Response
    from samhost.gateway.integrations.functions import Functions
    from samhost.gateway.routing import Route

PAYLOAD_BYTES = 6_291_556  # what a synchronous invocation takes, and gives: 6 MB and a little [obs]
_URI = re.compile(
    r"(?:arn:[\w-]+:apigateway:[\w-]+:lambda:path/2015-03-31/functions/)?"
    r"(?P<function>arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?)"
    r"(?:/invocations)?"
)


@dataclass(frozen=True)
class LambdaTarget:
    """The function behind a route, the format of its payloads, and how many seconds it may take."""

    function: str  # an ARN, with a version or alias where the document names one
    payload_format: str
    timeout: float
    type = "aws_proxy"

    @classmethod
    def load(cls, definition: Mapping[str, Any], timeout: float) -> "LambdaTarget":
        """Read an integration; raises UnsupportedError."""
        if "integrationSubtype" in definition:
            raise UnsupportedError(f"the service integration {definition['integrationSubtype']}")
        payload_format = str(definition.get("payloadFormatVersion"))
        if payload_format not in EVENTS:
            raise UnsupportedError(f"payloadFormatVersion {payload_format} (one of {', '.join(EVENTS)} is required)")
        uri = _URI.fullmatch(str(definition.get("uri")))
        if uri is None:
            raise UnsupportedError(f"an integration uri that is not a Lambda function's: {definition.get('uri')}")
        return cls(uri["function"], payload_format, timeout)


class LambdaProxy:
    """Invokes functions for routes."""

    def __init__(self, functions: "Functions"):
        self._functions = functions

    async def invoke(self, exchange: "Exchange", route: "Route", target: LambdaTarget) -> "Response":
        """Answer a request by a function.

        Raises BodyTooLargeError, IntegrationFailedError and IntegrationUnavailableError.
        """
        body = await exchange.request.body()
        event = json.dumps(EVENTS[target.payload_format](exchange, route, body), ensure_ascii=False).encode()
        if len(event) > PAYLOAD_BYTES:
            raise BodyTooLargeError(f"The event is larger than the {PAYLOAD_BYTES} bytes that a function takes")
        try:
            async with asyncio.timeout(target.timeout):
                await self._check_permission(exchange, route, target)
                invocation = await self._functions.invoke(target.function, event)
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

    async def _check_permission(self, exchange: "Exchange", route: "Route", target: LambdaTarget) -> None:
        api = exchange.api
        partition = target.function.split(":")[1]
        resource = route.key if route.is_default else f"{exchange.request.method}{route.path}"
        source_arn = f"arn:{partition}:execute-api:{api.region}:{api.account_id}:{api.api_id}/{api.stage}/{resource}"
        if not may_invoke(await self._functions.policy(target.function), source_arn, api.account_id):
            raise IntegrationFailedError(
                f"The resource policy of {target.function} does not let apigateway.amazonaws.com invoke it for "
                f"{source_arn}: an AWS::Lambda::Permission is missing"
            )
