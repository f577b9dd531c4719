"""Who may call a route, by the type that the document names: each has one `authorize`."""

from typing import Any, Protocol

from samhost.gateway.authorizer_settings import CognitoSettings, JwtSettings, LambdaAuthorizerSettings
from samhost.gateway.authorizers.cognito_authorizer import CognitoAuthorizer
from samhost.gateway.authorizers.jwt_authorizer import JwtAuthorizer
from samhost.gateway.authorizers.jwt_keys import KeySets
from samhost.gateway.authorizers.lambda_authorizer import LambdaAuthorizer
from samhost.gateway.exchange import Exchange
from samhost.gateway.integrations.invoker import Invoker
from samhost.gateway.messages import Caller


class Authorizer(Protocol):
    """Decides on requests for routes whose authorizer is of its type."""

    async def authorize(self, exchange: Exchange, settings: Any) -> Caller:
        """Tell who calls; raises GatewayError for those who may not."""
        ...


def authorizers(keys: KeySets, invoker: Invoker) -> dict[str, Authorizer]:
    """The authorizers by type."""
    tokens = JwtAuthorizer(keys)
    return {
        JwtSettings.type: tokens,
        LambdaAuthorizerSettings.type: LambdaAuthorizer(invoker),
        CognitoSettings.type: CognitoAuthorizer(tokens),
    }
