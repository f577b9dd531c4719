"""What answers a route, by the type of its target: each has one `invoke`."""

from typing import Any, Protocol

from samhost.gateway.exchange import Exchange, Response
from samhost.gateway.integrations.functions import Functions
from samhost.gateway.integrations.lambda_proxy import LambdaProxy, LambdaTarget
from samhost.gateway.integrations.not_emulated import NotEmulated, NotEmulatedTarget
from samhost.gateway.routing import Route


class Integration(Protocol):
    """Answers requests for routes whose target is of its type."""

    async def invoke(self, exchange: Exchange, route: Route, target: Any) -> Response:
        """Answer a request; raises GatewayError."""
        ...


def integrations(functions: Functions) -> dict[str, Integration]:
    """The integrations by type."""
    return {LambdaTarget.type: LambdaProxy(functions), NotEmulatedTarget.type: NotEmulated()}
