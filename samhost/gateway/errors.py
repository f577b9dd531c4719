"""Everything that can go wrong, with the status and message that HTTP APIs answer; REST APIs have words of their own.

GatewayError               an answer that the gateway gives itself, `{"message": …}`
├── BadRequestError            400
├── UnauthorizedError          401
├── ForbiddenError             403
├── NotFoundError              404, no such route
│   └── NoStageError               404, not even such a stage
├── BodyTooLargeError          413
├── TooManyRequestsError       429
├── HeadersTooLargeError       431
├── AuthorizerFailedError      500, a Lambda authorizer did not do its part
├── IntegrationFailedError     500, the integration did not do its part
│   └── IntegrationRefusedError    500, the integration may not be called, or there is none where the document says
├── NotEmulatedError           501, the document asks for what is not here yet
└── IntegrationUnavailableError 503, the integration cannot be reached
    ├── IntegrationTimedOutError   503, the integration takes too long
    └── LoadBalancerUnavailableError 503, a load balancer whose name a REST API has takes no requests
UnsupportedError           a part of a document that is not emulated; refuses one route when the API is loaded
ConfigurationError         the gateway cannot start
"""


class GatewayError(Exception):
    """An answer that the gateway gives itself.

    `status` and `message` go to the client; `reason` goes to the access log only.
    """

    status = 500
    message = "Internal Server Error"

    def __init__(self, reason: str = "", headers: tuple[tuple[str, str], ...] = ()):
        super().__init__(reason or self.message)
        self.reason = reason
        self.headers = headers


class BadRequestError(GatewayError):
    """The request is not whole."""

    status = 400
    message = "Bad Request"


class UnauthorizedError(GatewayError):
    """There is no token, or it is not valid here; a challenge is the value of `www-authenticate`."""

    status = 401
    message = "Unauthorized"

    def __init__(self, challenge: str | None, reason: str):
        super().__init__(reason, (("www-authenticate", challenge),) if challenge else ())


class ForbiddenError(GatewayError):
    """The token lacks every scope that the route asks for, or a Lambda authorizer does not let the request pass."""

    status = 403
    message = "Forbidden"

    def __init__(self, challenge: str | None, reason: str):
        super().__init__(reason, (("www-authenticate", challenge),) if challenge else ())


class NotFoundError(GatewayError):
    """No route matches; HTTP APIs never answer 405."""

    status = 404
    message = "Not Found"


class NoStageError(NotFoundError):
    """The path begins with no stage's name."""


class BodyTooLargeError(GatewayError):
    """More than 10 MB, or more than a function takes. The wording at AWS is not verified."""

    status = 413
    message = "Request Entity Too Large"


class TooManyRequestsError(GatewayError):
    """The route's bucket is empty."""

    status = 429
    message = "Too Many Requests"


class HeadersTooLargeError(GatewayError):
    """Request line and headers over their limit. Status and wording at AWS are not verified [inf]."""

    status = 431
    message = "Request Header Fields Too Large"


class AuthorizerFailedError(GatewayError):
    """A Lambda authorizer failed, may not be called, or answered in a shape that HTTP APIs do not take."""


class IntegrationFailedError(GatewayError):
    """The integration failed, or answered in a shape that API Gateway does not take."""


class IntegrationRefusedError(IntegrationFailedError):
    """The integration may not be called, or what the document names is not there: the API is set up wrongly."""


class NotEmulatedError(GatewayError):
    """A route that was refused when the API was loaded; AWS has no such answer."""

    status = 501

    def __init__(self, message: str):
        self.message = message
        super().__init__(message)


class IntegrationUnavailableError(GatewayError):
    """The integration cannot be reached."""

    status = 503
    message = "Service Unavailable"


class IntegrationTimedOutError(IntegrationUnavailableError):
    """The integration took longer than its timeout."""


class LoadBalancerUnavailableError(IntegrationUnavailableError):
    """The load balancer behind a URL takes no requests, as where none of its targets is healthy."""


class UnsupportedError(Exception):
    """A part of a document that is not emulated, or that API Gateway would refuse; `str(error)` is the reason."""


class ConfigurationError(Exception):
    """The gateway cannot start; `str(error)` says what to change."""
