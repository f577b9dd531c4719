"""Scopes of access tokens: Cognito's pre-token-generation trigger, event version 2.

Cognito grants custom scopes by app client and not by user, and none at all to SRP and password logins; so they are
added here. Clients cannot ask for them.
"""

from typing import Any

from scanner.log import record

_EVERYBODY = ("docscan/use",)
BY_GROUP = {"operators": "docscan/operate"}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Add the user's scopes to the access token, and return the event as Cognito expects it."""
    groups = event["request"].get("groupConfiguration", {}).get("groupsToOverride") or []
    scopes = [*_EVERYBODY, *(scope for group, scope in BY_GROUP.items() if group in groups)]
    event["response"]["claimsAndScopeOverrideDetails"] = {"accessTokenGeneration": {"scopesToAdd": scopes}}
    record("tokens", sub=event["request"]["userAttributes"].get("sub"), scopes=scopes)
    return event
