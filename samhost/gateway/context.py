"""The `$context` variables: what an exchange says about itself, to parameter mappings and to access logs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
"""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from samhost.gateway.errors import (
    AuthorizerFailedError,
    ForbiddenError,
    GatewayError,
    IntegrationFailedError,
    IntegrationUnavailableError,
    UnauthorizedError,
)
from samhost.gateway.exchange import Exchange

if TYPE_CHECKING:
    from samhost.gateway.api_types import ApiType

_AUTHORIZER, _CLAIMS = "authorizer.", "authorizer.claims."
# Known names that have no value here: custom domains, client certificates and IAM callers do not exist locally.
_ABSENT = {
    "awsEndpointRequestId2", "customDomain.basePathMatched", "identity.accountId", "identity.caller",
    "identity.clientCert.clientCertPem", "identity.clientCert.issuerDN", "identity.clientCert.serialNumber",
    "identity.clientCert.subjectDN", "identity.clientCert.validity.notAfter",
    "identity.clientCert.validity.notBefore", "identity.cognitoAuthenticationProvider",
    "identity.cognitoAuthenticationType", "identity.cognitoIdentityId", "identity.cognitoIdentityPoolId",
    "identity.principalOrgId", "identity.user", "identity.userArn",
}  # fmt: skip


def is_known(name: str, api_type: "ApiType") -> bool:
    """Whether AWS documents a variable for a type of API; `name` is without `$context.`."""
    known = (_VARIABLES, _ABSENT, api_type.variables, api_type.absent_variables)
    return name.startswith(_AUTHORIZER) or any(name in names for names in known)


def value(exchange: Exchange, name: str) -> str | None:
    """A variable's value as text, None where it has none (yet); `name` is without `$context.`.

    What only the end of an exchange knows (status, latencies, lengths) is there once `exchange.response` is.
    """
    if name.startswith(_CLAIMS):
        claims = exchange.caller.claims if exchange.caller else {}
        claim = name.removeprefix(_CLAIMS)
        return claim_text(claims[claim]) if claim in claims else None
    if name.startswith(_AUTHORIZER) and name not in _VARIABLES:
        said = (exchange.caller.context if exchange.caller else None) or {}
        key = name.removeprefix(_AUTHORIZER)
        return claim_text(said[key]) if said.get(key) is not None else None
    variable = exchange.api.type.variables.get(name) or _VARIABLES.get(name)
    found = variable(exchange) if variable else None
    return None if found is None else str(found)


def claim_text(claim: Any) -> str:
    """A claim as text, lists as `[a b]` [emu]."""
    if isinstance(claim, str):
        return claim
    if isinstance(claim, list):
        return f"[{' '.join(map(claim_text, claim))}]"
    return json.dumps(claim)


def request_time(exchange: Exchange) -> str:
    """When the request arrived, in UTC, as the Common Log Format writes it."""
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(exchange.arrived))


def domain_name(exchange: Exchange) -> str:
    """The host that the client named."""
    return exchange.request.header("host") or ""


def _error_message(exchange: Exchange) -> str | None:
    return exchange.api.type.wording(exchange.failure).message if exchange.failure else None


def _quoted_error_message(exchange: Exchange) -> str | None:
    message = _error_message(exchange)
    return None if message is None else json.dumps(message)


def _response_type(exchange: Exchange) -> str | None:
    return exchange.api.type.wording(exchange.failure).response_type if exchange.failure else None


def _reason(*kinds: type[GatewayError]) -> Callable[[Exchange], str | None]:
    return lambda exchange: exchange.failure.reason if isinstance(exchange.failure, kinds) else None


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(1000 * seconds)


_integration_error = _reason(IntegrationFailedError, IntegrationUnavailableError)
_VARIABLES: dict[str, Callable[[Exchange], object]] = {
    "accountId": lambda exchange: exchange.api.account_id,
    "apiId": lambda exchange: exchange.api.api_id,
    "authorizer.error": _reason(UnauthorizedError, ForbiddenError, AuthorizerFailedError),
    "authorizer.principalId": lambda exchange: exchange.caller.principal_id if exchange.caller else None,
    "awsEndpointRequestId": lambda exchange: exchange.integration_request_id,
    "dataProcessed": lambda exchange: (
        exchange.request.head_size + len(exchange.response.body) if exchange.response else None
    ),
    "domainName": domain_name,
    "domainPrefix": lambda exchange: domain_name(exchange).partition(".")[0],
    "error.message": _error_message,
    "error.messageString": _quoted_error_message,
    "error.responseType": _response_type,
    "extendedRequestId": lambda exchange: exchange.extended_request_id,
    "httpMethod": lambda exchange: exchange.request.method,
    "identity.sourceIp": lambda exchange: exchange.request.source_ip,
    "identity.userAgent": lambda exchange: exchange.request.header("user-agent"),
    "integration.error": _integration_error,
    "integration.integrationStatus": lambda exchange: exchange.integration_status,
    "integration.latency": lambda exchange: _milliseconds(exchange.integration_seconds),
    "integration.requestId": lambda exchange: exchange.integration_request_id,
    "integration.status": lambda exchange: exchange.backend_status,
    "integrationErrorMessage": _integration_error,
    "integrationLatency": lambda exchange: _milliseconds(exchange.integration_seconds),
    "integrationStatus": lambda exchange: exchange.integration_status,
    "path": lambda exchange: exchange.request.path,  # with the stage [doc]
    "protocol": lambda exchange: exchange.request.protocol,
    "requestId": lambda exchange: exchange.request_id,
    "requestTime": request_time,
    "responseLatency": lambda exchange: _milliseconds(exchange.response_seconds),
    "responseLength": lambda exchange: len(exchange.response.body) if exchange.response else None,
    "stage": lambda exchange: exchange.api.stage,
    "status": lambda exchange: exchange.response.status if exchange.response else None,
}
