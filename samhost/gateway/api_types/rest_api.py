"""REST APIs: their errors, their headers, their own `$context` variables.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html (headers)
https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html (errors)
"""

import json
import uuid
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from samhost.gateway.api_types import Wording
from samhost.gateway.errors import (
    BodyTooLargeError,
    ForbiddenError,
    GatewayError,
    IntegrationFailedError,
    IntegrationRefusedError,
    IntegrationTimedOutError,
    IntegrationUnavailableError,
    LoadBalancerUnavailableError,
    NoStageError,
    NotEmulatedError,
    NotFoundError,
    TooManyRequestsError,
    UnauthorizedError,
)
from samhost.gateway.exchange import Exchange
from samhost.gateway.forwarded import GATEWAYS_OWN, with_forwarded
from samhost.gateway.messages import BODY_BYTES, HOP_BY_HOP, Headers, Response

_INTERNAL = "Internal server error"
# By the type of the error, of which a subtype comes before its supertype. The words are seen at AWS [obs].
_WORDINGS = {
    NoStageError: Wording(403, "Forbidden", "ACCESS_DENIED"),
    NotFoundError: Wording(403, "Missing Authentication Token", "MISSING_AUTHENTICATION_TOKEN"),
    UnauthorizedError: Wording(401, "Unauthorized", "UNAUTHORIZED"),
    ForbiddenError: Wording(403, "User is not authorized to access this resource", "ACCESS_DENIED"),
    BodyTooLargeError: Wording(413, f"HTTP content length exceeded {BODY_BYTES} bytes.", "REQUEST_TOO_LARGE"),
    TooManyRequestsError: Wording(429, "Too Many Requests", "THROTTLED"),
    IntegrationRefusedError: Wording(500, _INTERNAL, "API_CONFIGURATION_ERROR"),
    IntegrationFailedError: Wording(502, _INTERNAL, "DEFAULT_5XX"),
    # https://repost.aws/knowledge-center/api-gateway-500-error-vpc; of a public load balancer it is told, too [obs].
    LoadBalancerUnavailableError: Wording(500, _INTERNAL, "API_CONFIGURATION_ERROR"),
    IntegrationTimedOutError: Wording(504, "Endpoint request timed out", "INTEGRATION_TIMEOUT"),
    IntegrationUnavailableError: Wording(504, "Network error communicating with endpoint", "INTEGRATION_FAILURE"),
}
# `x-amzn-errortype` by type of response [obs]; those that are not here are faults of the server.
_ERROR_TYPES = {
    "ACCESS_DENIED": "AccessDeniedException",
    "DEFAULT_4XX": "BadRequestException",
    "MISSING_AUTHENTICATION_TOKEN": "MissingAuthenticationTokenException",
    "THROTTLED": "TooManyRequestsException",
    "UNAUTHORIZED": "UnauthorizedException",
}
# What the table of the important notes says of HTTP proxy integrations, request and response [doc].
_NOT_SENT = HOP_BY_HOP | {
    "content-encoding", "content-length", "content-md5", "expect", "host", "max-forwards", "proxy-authenticate",
    "server", "via", "www-authenticate",
}  # fmt: skip
_NOT_PASSED_BACK = {
    "expect", "host", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade", "via",
    "x-amz-apigw-id",
}  # fmt: skip
_REMAPPED = {
    "authorization", "connection", "content-length", "content-md5", "date", "max-forwards", "server", "user-agent",
    "www-authenticate", "x-amzn-requestid",
}  # fmt: skip  # content-length and x-amzn-requestid are not in the table [obs]
_VARIABLES: dict[str, Callable[[Exchange], object]] = {
    "requestTimeEpoch": lambda exchange: int(exchange.arrived * 1000),
    "resourcePath": lambda exchange: exchange.route.path if exchange.route else None,
}


class RestApiType:
    """What REST APIs do."""

    name = "REST"
    variables = MappingProxyType(_VARIABLES)
    absent_variables = frozenset(
        {
            "deploymentId", "error.validationErrorString", "identity.apiKey", "identity.apiKeyId", "resourceId",
            "waf.error", "waf.latency", "waf.status", "wafResponseCode", "webaclArn", "xrayTraceId",
        }
    )  # fmt: skip

    def request_id(self, extended: str) -> str:  # noqa: ARG002  # HTTP APIs use it
        """A UUID; the extended id is another [doc]."""
        return str(uuid.uuid4())

    def wording(self, error: GatewayError) -> Wording:
        """What REST APIs say where HTTP APIs say something else."""
        for kind in type(error).__mro__:
            if kind in _WORDINGS:
                return _WORDINGS[kind]
        if error.status >= 500 and not isinstance(error, NotEmulatedError):
            return Wording(error.status, _INTERNAL, "DEFAULT_5XX")
        return Wording(error.status, error.message, "DEFAULT_4XX" if error.status < 500 else "DEFAULT_5XX")

    def answer(self, error: GatewayError) -> Response:
        """An error as `{"message": …}`, in which those of integrations have a space [obs]; 413 is plain text [obs]."""
        status, message, response_type = self.wording(error)
        if isinstance(error, BodyTooLargeError):
            return Response(status, [("content-type", "text/plain")], message.encode())
        kind = "ForbiddenException" if isinstance(error, NoStageError) else _ERROR_TYPES.get(response_type)
        separators = (",", ":") if status < 500 else (",", ": ")
        body = json.dumps({"message": message}, separators=separators, ensure_ascii=False).encode()
        headers = [("content-type", "application/json"), ("x-amzn-errortype", kind or "InternalServerErrorException")]
        return Response(status, headers, body)

    def identification(self, exchange: Exchange) -> Headers:
        """`x-amzn-requestid` and `x-amz-apigw-id`."""
        return [("x-amzn-requestid", exchange.request_id), ("x-amz-apigw-id", exchange.extended_request_id)]

    def to_backend(self, exchange: Exchange, overwritten: AbstractSet[str]) -> Headers:
        """The client's, with `x-forwarded-…`, a trace id, the API's id and, for want of one, a user agent [obs]."""
        client, api_id = exchange.request, exchange.api.api_id
        named = {name.strip().lower() for name in (client.header("connection") or "").split(",")}
        named -= overwritten | GATEWAYS_OWN
        kept = [pair for pair in with_forwarded(exchange) if pair[0] not in _NOT_SENT and pair[0] not in named]
        # The signature of a request to API Gateway is nobody else's to see [doc].
        kept = [pair for pair in kept if pair[0] != "authorization" or not pair[1].startswith("AWS4-")]
        if not any(name == "user-agent" for name, _ in kept):
            kept.append(("user-agent", f"AmazonAPIGateway_{api_id}"))
        return [*(pair for pair in kept if pair[0] != "x-amzn-apigateway-api-id"), ("x-amzn-apigateway-api-id", api_id)]

    def from_backend(self, method: str, headers: Headers) -> Headers:
        """Those that API Gateway says for itself get `x-amzn-remapped-` before their name; a type is always there."""
        named = {part.strip().lower() for name, value in headers if name == "connection" for part in value.split(",")}
        dropped = _NOT_PASSED_BACK | named - _REMAPPED
        passed = [
            (f"x-amzn-remapped-{name}" if name in _REMAPPED else name, value)
            for name, value in headers
            if name not in dropped
        ]
        if method == "HEAD":  # says how long the body would be
            passed += [pair for pair in headers if pair[0] == "content-length"]
        if not any(name == "content-type" for name, _ in passed):
            passed.append(("content-type", "application/json"))  # [doc]
        return passed


REST_API = RestApiType()
