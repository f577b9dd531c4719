"""JWT authorizers.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

import json
import time
from typing import Any
from urllib.parse import parse_qs

import jwt
from jwt.utils import base64url_decode

from samhost.gateway.authorizer_settings import HEADER_SOURCE, QUERY_SOURCE, JwtSettings
from samhost.gateway.authorizers.jwt_keys import KeySets
from samhost.gateway.errors import ForbiddenError, UnauthorizedError
from samhost.gateway.exchange import Exchange
from samhost.gateway.messages import Caller, Request

ALGORITHMS = ["RS256", "RS384", "RS512"]  # only RSA-based ones are supported [doc]
REMEMBER_SECONDS = 60  # a token that was verified is not verified again at each request, which costs more than the rest
REMEMBERED_TOKENS = 1000
# Seen at AWS are the descriptions of segments, audience and issuer; the others are worded here [inf].
_DESCRIPTIONS = {
    jwt.ExpiredSignatureError: "the token has expired",
    jwt.ImmatureSignatureError: "the token is not valid yet",
    jwt.InvalidSignatureError: "the token's signature is not valid",
    jwt.InvalidIssuerError: "issuer does not match",
    jwt.MissingRequiredClaimError: "the token lacks a claim",
}


class JwtAuthorizer:
    """Admits callers whose token a trusted issuer signed."""

    def __init__(self, keys: KeySets):
        self._keys = keys
        self._verified: dict[tuple[str, JwtSettings], tuple[float, dict[str, Any]]] = {}

    async def authorize(self, exchange: Exchange, settings: JwtSettings) -> Caller:
        """Check the request's token, and that it has one of the route's scopes where there are any.

        Raises UnauthorizedError and ForbiddenError.
        """
        token = token_of(exchange.request, settings.source)
        if not token:
            raise UnauthorizedError("Bearer", "There is no token")
        claims = await self.claims(token, settings)
        scopes = exchange.matched_route().scopes
        if not scopes:
            return Caller(claims, None)
        granted = scopes_of(claims)
        if not set(scopes) & set(granted):
            expected = " ".join(scopes)
            description = f"expected scopes: [{expected}]"
            challenge = f'Bearer scope="{expected}" error="insufficient_scope" error_description="{description}"'
            raise ForbiddenError(challenge, description)
        return Caller(claims, granted)

    async def claims(self, token: str, settings: JwtSettings) -> dict[str, Any]:
        """The claims of a token that is valid by the settings; raises UnauthorizedError for any other."""
        until, claims = self._verified.get((token, settings), (0.0, {}))
        if time.time() >= until:
            claims = await self._verify(token, settings)
            if len(self._verified) >= REMEMBERED_TOKENS:
                self._verified.clear()
            self._verified[token, settings] = min(int(claims["exp"]), time.time() + REMEMBER_SECONDS), claims
        return claims

    async def _verify(self, token: str, settings: JwtSettings) -> dict[str, Any]:
        if token.count(".") != 2:
            raise _invalid("token contains an invalid number of segments")
        header = _unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise _invalid("the token is not signed by an RSA algorithm")
        key_id = header.get("kid")
        key = await self._keys.find(settings.issuer, key_id) if isinstance(key_id, str) else None
        if key is None:
            raise _invalid("the token's key is not one of the issuer's")
        try:
            # The audience has rules of its own here; `iat` and `nbf` are checked where they are, `exp` must be there.
            options: Any = {"verify_aud": False, "require": ["exp"]}
            claims = jwt.decode(token, key, algorithms=ALGORITHMS, issuer=settings.issuer, options=options)
        except jwt.InvalidTokenError as error:
            raise _invalid(_DESCRIPTIONS.get(type(error), "the token is not valid")) from None
        if settings.audience and not _audience(claims) & set(settings.audience):
            raise _invalid("the token does not have a valid audience")
        return claims


def token_of(request: Request, source: str) -> str | None:
    """The token of a request; the prefix `Bearer ` is optional [doc]."""
    if source.startswith(HEADER_SOURCE):
        value = request.header(source.removeprefix(HEADER_SOURCE).lower())
    else:
        value = parse_qs(request.query).get(source.removeprefix(QUERY_SOURCE), [None])[0]
    value = (value or "").strip()
    scheme, _, rest = value.partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else value


def _unverified_header(token: str) -> dict[str, Any]:
    """A token's header, which says what to verify it by."""
    try:
        header = json.loads(base64url_decode(token.partition(".")[0]))
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise _invalid("the token is malformed")
    return header


def _audience(claims: dict[str, Any]) -> set[str]:
    """Whom a token is for: `aud`, and only where it is absent `client_id` [doc]."""
    audience = claims["aud"] if "aud" in claims else claims.get("client_id")
    return {value for value in (audience if isinstance(audience, list) else [audience]) if isinstance(value, str)}


def scopes_of(claims: dict[str, Any]) -> list[str]:
    """The scopes of a token, in `scope` or `scp` [doc]; a list, or text with spaces between."""
    scopes = []
    for name in ("scope", "scp"):
        value = claims.get(name)
        scopes += value.split() if isinstance(value, str) else map(str, value) if isinstance(value, list) else []
    return scopes


def _invalid(description: str) -> UnauthorizedError:
    # The scope is empty whatever the route asks for [obs].
    return UnauthorizedError(f'Bearer scope="" error="invalid_token" error_description="{description}"', description)
