"""Invocations of functions as API Gateway makes them: as a role that it assumes, or where the function allows it."""

from samhost.gateway.errors import IntegrationRefusedError
from samhost.gateway.integrations.functions import Functions, Invocation
from samhost.gateway.integrations.lambda_permission import may_invoke
from samhost.gateway.integrations.roles import Roles


class Invoker:
    """Invokes functions for routes and for authorizers."""

    def __init__(self, functions: Functions, roles: Roles):
        self._functions = functions
        self._roles = roles

    async def invoke(
        self, function: str, event: bytes, role: str | None, source_arn: str, account_id: str
    ) -> Invocation:
        """Invoke a function, by its ARN, for what has that ARN; as the role or, for None, as its resource policy says.

        Raises IntegrationRefusedError where neither allows it, TimeoutError and ConnectionError.
        """
        if role:
            return await self._roles.call(
                role, source_arn, account_id, lambda credentials: self._functions.invoke(function, event, credentials)
            )
        if not may_invoke(await self._functions.policy(function), source_arn, account_id):
            raise IntegrationRefusedError(
                f"The resource policy of {function} does not let apigateway.amazonaws.com invoke it for "
                f"{source_arn}: an AWS::Lambda::Permission is missing"
            )
        return await self._functions.invoke(function, event)
