"""A request on its way through the gateway."""

import base64
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from samhost.gateway.errors import GatewayError, NoStageError, NotFoundError
from samhost.gateway.messages import Caller, Request, Response

if TYPE_CHECKING:
    from samhost.gateway.document import Api
    from samhost.gateway.routing import Route


@dataclass
class Exchange:
    """A request on its way through the stages, and what they found out about it."""

    api: "Api"
    request: Request
    request_id: str = ""
    extended_request_id: str = field(
        default_factory=lambda: base64.b64encode(os.urandom(11)).decode()
    )  # as long as AWS's
    arrived: float = field(default_factory=time.time)  # seconds since the epoch
    started: float = field(default_factory=time.perf_counter)
    path: str = ""  # percent-decoded, without the stage; empty where it names none
    route: "Route | None" = None
    path_parameters: dict[str, str] = field(default_factory=dict)
    caller: Caller | None = None
    integration_status: int | None = None  # the service's: of a Lambda integration Invoke's, not the function's
    integration_request_id: str | None = None
    integration_seconds: float | None = None
    backend_status: int | None = None  # before responses are mapped: of a Lambda integration the function's
    failure: GatewayError | None = None
    response: Response | None = None
    response_seconds: float | None = None
    mapped: Request | None = None
    _body: bytes | None = None

    def __post_init__(self) -> None:
        """Name the request as the API's type does."""
        self.request_id = self.request_id or self.api.type.request_id(self.extended_request_id)

    @property
    def outgoing(self) -> Request:
        """The request as an integration gets it: as it arrived, or with what parameter mapping changed."""
        return self.mapped or self.request

    async def body(self) -> bytes:
        """The request's whole body; raises BodyTooLargeError and BadRequestError."""
        if self._body is None:
            self._body = await self.request.body()
        return self._body

    def matched_route(self) -> "Route":
        """The route; raises NotFoundError where none matched, and NoStageError where not even a stage did."""
        if self.route is None:
            raise NotFoundError if self.path else NoStageError
        return self.route
