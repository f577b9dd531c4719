"""Who guards a route, as its document says: the settings of each kind of authorizer."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samhost.gateway.errors import UnsupportedError
from samhost.gateway.mapping.expressions import Expression, identity_source
from samhost.gateway.service_target import is_role_arn
from samhost.gateway.targets import PAYLOAD_FORMATS, function_arn

_USER_POOL = re.compile(r"arn:[\w-]+:cognito-idp:(?P<region>[\w-]+):\d{12}:userpool/(?P<id>[\w-]+)")
HEADER_SOURCE, QUERY_SOURCE = "$request.header.", "$request.querystring."
LONGEST_TTL = 3600  # seconds [doc]
DEFAULT_TTL = 300  # where a document says nothing: not documented for HTTP APIs, told by other tools [emu]


@dataclass(frozen=True)
class JwtSettings:
    """What a JWT authorizer asks of a token, and where the request carries it."""

    issuer: str
    audience: tuple[str, ...]  # none: anybody's, which only user pools of REST APIs are asked for
    source: str  # a mapping expression
    type = "jwt"

    @classmethod
    def load(cls, definition: Mapping[str, Any]) -> "JwtSettings":
        """Read an `x-amazon-apigateway-authorizer`; raises UnsupportedError.

        `authorizerPayloadFormatVersion` means nothing for JWT authorizers and is ignored: `sam local` asks for it.
        """
        settings = definition.get("jwtConfiguration") or {}
        audience = settings.get("audience") or []
        audience = (audience,) if isinstance(audience, str) else tuple(audience)
        issuer = settings.get("issuer")
        if not issuer or not audience or not all(isinstance(value, str) for value in (issuer, *audience)):
            raise UnsupportedError("a JWT authorizer without issuer and audience, as text")
        if len(audience) > 50:
            raise UnsupportedError("a JWT authorizer with more than 50 audiences, the quota")
        source = definition.get("identitySource", f"{HEADER_SOURCE}Authorization")
        source = source[0] if isinstance(source, list) and len(source) == 1 else source
        if not isinstance(source, str) or not source.startswith((HEADER_SOURCE, QUERY_SOURCE)) or "," in source:
            raise UnsupportedError(f"the identity source {source}: a JWT authorizer takes one header or parameter")
        return cls(issuer, audience, source)


@dataclass(frozen=True)
class CognitoSettings:
    """The user pools whose tokens a REST API takes, each with what its tokens must be, and the header they are in."""

    pools: tuple[JwtSettings, ...]
    header: str
    type = "cognito_user_pools"

    @classmethod
    def load(cls, scheme: Mapping[str, Any], definition: Mapping[str, Any]) -> "CognitoSettings":
        """Read a security scheme and its `x-amazon-apigateway-authorizer`; raises UnsupportedError."""
        if definition.get("identityValidationExpression"):
            raise UnsupportedError("an authorizer's identityValidationExpression")
        header = str(scheme.get("name", ""))
        if scheme.get("in") != "header" or not header:
            raise UnsupportedError("a user pool authorizer whose token is not in a header")
        pools = [_USER_POOL.fullmatch(str(arn)) for arn in definition.get("providerARNs") or []]
        if not pools or not all(pools):
            raise UnsupportedError("a user pool authorizer without providerARNs of user pools")
        source = f"{HEADER_SOURCE}{header}"
        issuers = [f"https://cognito-idp.{pool['region']}.amazonaws.com/{pool['id']}" for pool in pools if pool]
        return cls(tuple(JwtSettings(issuer, (), source) for issuer in issuers), header.lower())


@dataclass(frozen=True)
class LambdaAuthorizerSettings:
    """Which function decides, what it gets and gives, and for how many seconds a decision is kept."""

    authorizer_id: str
    function: str  # an ARN
    payload_format: str
    sources: tuple[Expression, ...]
    ttl: int  # 0: decisions are not kept
    simple: bool  # whether the function answers `isAuthorized`, and no policy
    role: str | None  # as which the function is invoked; None: its resource policy decides
    type = "request"

    @classmethod
    def load(cls, name: str, definition: Mapping[str, Any], uri: str) -> "LambdaAuthorizerSettings":
        """Read an `x-amazon-apigateway-authorizer` by the name of its security scheme; raises UnsupportedError."""
        payload_format = str(definition.get("authorizerPayloadFormatVersion"))
        if payload_format not in PAYLOAD_FORMATS:
            raise UnsupportedError(f"authorizerPayloadFormatVersion {payload_format} (1.0 or 2.0 is required)")
        simple = str(definition.get("enableSimpleResponses", False)).lower() == "true"
        if simple and payload_format == "1.0":
            raise UnsupportedError("enableSimpleResponses with authorizerPayloadFormatVersion 1.0 (2.0 has them)")
        listed = definition.get("identitySource") or ()
        sources = listed.split(",") if isinstance(listed, str) else listed
        ttl = str(definition.get("authorizerResultTtlInSeconds", DEFAULT_TTL if sources else 0))
        if not ttl.isdecimal() or int(ttl) > LONGEST_TTL:
            raise UnsupportedError(f"authorizerResultTtlInSeconds {ttl} (0 to {LONGEST_TTL} is allowed)")
        if int(ttl) and not sources:
            raise UnsupportedError("authorizerResultTtlInSeconds without an identitySource, which is what it keeps by")
        role = definition.get("authorizerCredentials")
        if role and not is_role_arn(role):
            raise UnsupportedError(f"the authorizerCredentials {role}, which are no role's ARN")
        return cls(
            authorizer_id=hashlib.sha256(name.encode()).hexdigest()[:6],  # AWS makes one up, as long as this
            function=function_arn(uri),
            payload_format=payload_format,
            sources=tuple(identity_source(str(source).strip()) for source in sources),
            ttl=int(ttl),
            simple=simple,
            role=role or None,
        )
