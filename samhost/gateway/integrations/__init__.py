"""What answers a route, by the type of its target: each has one `invoke`."""

from typing import Any, Protocol

from samhost.gateway.exchange import Exchange
from samhost.gateway.integrations.http_proxy import HttpProxy
from samhost.gateway.integrations.invoker import Invoker
from samhost.gateway.integrations.lambda_proxy import LambdaProxy
from samhost.gateway.integrations.not_emulated import NotEmulated
from samhost.gateway.integrations.services.integration import ServiceIntegration
from samhost.gateway.messages import Response
from samhost.gateway.routing import Route
from samhost.gateway.service_target import ServiceTarget
from samhost.gateway.targets import HttpTarget, LambdaTarget, NotEmulatedTarget


class Integration(Protocol):
    """Answers requests for routes whose target is of its type."""

    async def invoke(self, exchange: Exchange, route: Route, target: Any) -> Response:
        """Answer a request; raises GatewayError."""
        ...


def integrations(invoker: Invoker, services: ServiceIntegration, http_proxy: HttpProxy) -> dict[str, Integration]:
    """The integrations by type."""
    return {
        LambdaTarget.type: LambdaProxy(invoker),
        HttpTarget.type: http_proxy,
        ServiceTarget.type: services,
        NotEmulatedTarget.type: NotEmulated(),
    }
