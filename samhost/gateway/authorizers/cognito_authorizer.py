"""User pool authorizers of REST APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
"""

import jwt

from samhost.gateway.authorizer_settings import CognitoSettings
from samhost.gateway.authorizers.jwt_authorizer import JwtAuthorizer, scopes_of, token_of
from samhost.gateway.errors import ForbiddenError, UnauthorizedError
from samhost.gateway.exchange import Exchange
from samhost.gateway.messages import Caller


class CognitoAuthorizer:
    """Admits users of certain pools: by an access token where the route asks for scopes, else by an ID token [doc]."""

    def __init__(self, tokens: JwtAuthorizer):
        """Have tokens verified as those of JWT authorizers are."""
        self._tokens = tokens

    async def authorize(self, exchange: Exchange, settings: CognitoSettings) -> Caller:
        """Check the request's token, and that it has one of the route's scopes where there are any.

        Raises UnauthorizedError and ForbiddenError.
        """
        token = token_of(exchange.request, settings.pools[0].source)
        if not token:
            raise UnauthorizedError(None, "There is no token")
        pool = next((pool for pool in settings.pools if pool.issuer == _issuer(token)), settings.pools[0])
        claims = await self._tokens.claims(token, pool)
        scopes = exchange.matched_route().scopes
        wanted = "access" if scopes else "id"
        if claims.get("token_use") != wanted:
            raise UnauthorizedError(None, f"the token is not an {wanted} token")
        if not scopes:
            return Caller(claims, None)
        granted = scopes_of(claims)
        if not set(scopes) & set(granted):
            raise ForbiddenError(None, f"expected scopes: [{' '.join(scopes)}]")
        return Caller(claims, granted)


def _issuer(token: str) -> str | None:
    """Who says that it has signed a token, which tells by which pool to verify it."""
    try:
        return jwt.decode(token, options={"verify_signature": False}).get("iss")
    except jwt.InvalidTokenError:
        return None
