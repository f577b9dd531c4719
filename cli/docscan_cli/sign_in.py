"""Signing in with a Cognito user pool, and the access token on every request.

The pool's public API is plain HTTPS: one POST for each action, the action's name in a header
(Amazon Cognito user pools API reference, InitiateAuth, RespondToAuthChallenge, RevokeToken).
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from docscan_cli.errors import ServerError, SignInError
from docscan_cli.retry import ATTEMPTS, TRANSIENT_STATUSES, retrying
from docscan_cli.wording import printable

RENEW_BEFORE = 60.0
"""Seconds before its end from which on an access token is renewed: longer than any request takes."""


@dataclass(frozen=True)
class Tokens:
    """What a sign-in gives. `expires_at` is the access token's end, in seconds since the epoch."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float


@dataclass(frozen=True)
class NewPasswordRequired:
    """The pool's answer to a temporary password: the user chooses one of their own."""

    username: str
    session: str = field(repr=False)


class UserPool:
    """What the command asks of a user pool, as the app client `client_id` (which has no secret)."""

    def __init__(self, client: httpx.AsyncClient, url: str, client_id: str, attempts: int = ATTEMPTS) -> None:
        self._client = client
        self._url = url
        self._client_id = client_id
        self._attempts = attempts

    async def sign_in(self, username: str, password: str) -> Tokens | NewPasswordRequired:
        """Sign in with a password. Raises SignInError where that is refused, or where more is asked than we can do."""
        answer = await self._authenticate("USER_PASSWORD_AUTH", {"USERNAME": username, "PASSWORD": password})
        if answer.get("ChallengeName") == "NEW_PASSWORD_REQUIRED":
            parameters = answer.get("ChallengeParameters", {})
            if json.loads(parameters.get("requiredAttributes") or "[]"):
                raise SignInError(
                    "The first sign-in asks for more than a password. Do it in the browser, then sign in here."
                )
            return NewPasswordRequired(parameters.get("USER_ID_FOR_SRP", username), answer.get("Session", ""))
        return self._tokens(answer)

    async def set_password(self, challenge: NewPasswordRequired, password: str) -> Tokens:
        """Answer a NewPasswordRequired. Raises SignInError where the pool's policy refuses the password."""
        answer = await self._call(
            "RespondToAuthChallenge",
            {
                "ChallengeName": "NEW_PASSWORD_REQUIRED",
                "ClientId": self._client_id,
                "Session": challenge.session,
                "ChallengeResponses": {"USERNAME": challenge.username, "NEW_PASSWORD": password},
            },
        )
        return self._tokens(answer)

    async def refresh(self, refresh_token: str) -> Tokens:
        """New tokens from a refresh token. Raises SignInError when that has expired or was revoked."""
        return self._tokens(
            await self._authenticate("REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": refresh_token}), refresh_token
        )

    async def revoke(self, refresh_token: str) -> None:
        """End a sign-in: the refresh token and the access tokens that came from it."""
        await self._call("RevokeToken", {"Token": refresh_token, "ClientId": self._client_id})

    async def _authenticate(self, flow: str, parameters: dict[str, str]) -> dict[str, Any]:
        return await self._call(
            "InitiateAuth", {"AuthFlow": flow, "ClientId": self._client_id, "AuthParameters": parameters}
        )

    async def _call(self, action: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"AWSCognitoIdentityProviderService.{action}",
        }
        content = json.dumps(body).encode()
        response = await retrying(
            lambda: self._client.post(self._url, content=content, headers=headers), self._attempts
        )
        try:
            answer = response.json() if response.content else {}
        except ValueError:
            answer = None
        if response.status_code in TRANSIENT_STATUSES or not isinstance(answer, dict):
            raise ServerError(f"The sign-in service answered {response.status_code}. Try again later.")
        if not response.is_success:
            kind = str(answer.get("__type", "")).rpartition("#")[2]
            message = printable(str(answer.get("message") or answer.get("Message") or kind or response.status_code))
            raise SignInError(f"The sign-in was refused: {message}")
        return answer

    @staticmethod
    def _tokens(answer: dict[str, Any], refresh_token: str = "") -> Tokens:
        if challenge := answer.get("ChallengeName"):
            raise SignInError(f"The sign-in asks for a second step that docscan cannot do ({printable(challenge)}).")
        try:
            result = answer["AuthenticationResult"]
            return Tokens(
                access_token=result["AccessToken"],
                refresh_token=result.get("RefreshToken") or refresh_token,
                expires_at=time.time() + float(result["ExpiresIn"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ServerError("The sign-in service answered without tokens.") from error


class BearerToken(httpx.Auth):
    """Puts the access token on each request: renewed before it ends, and once when the API answers 401 all the same."""

    def __init__(self, tokens: Tokens | None, renew: Callable[[], Awaitable[Tokens]]) -> None:
        self._tokens = tokens
        self._renew = renew
        self._renewing = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token, and where that is not accepted once more with a new one."""
        token = await self._access_token()
        request.headers["authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            token = await self._access_token(refused=token)
            request.headers["authorization"] = f"Bearer {token}"
            yield request

    async def _access_token(self, refused: str | None = None) -> str:
        async with self._renewing:  # of many requests that find an old token, one renews it
            tokens = self._tokens
            if tokens is None or tokens.access_token == refused or tokens.expires_at - RENEW_BEFORE < time.time():
                self._tokens = tokens = await self._renew()
            return tokens.access_token
