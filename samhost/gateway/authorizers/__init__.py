"""Who may call a route, by the type that the document names: each has one `authorize`."""

from samhost.gateway.authorizers.jwt_authorizer import JwtAuthorizer, JwtSettings
from samhost.gateway.authorizers.jwt_keys import KeySets


def authorizers(keys: KeySets) -> dict[str, JwtAuthorizer]:
    """The authorizers by type."""
    return {JwtSettings.type: JwtAuthorizer(keys)}
