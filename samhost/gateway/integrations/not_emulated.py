"""What answers a route that was refused when the API was loaded: nothing is waved through."""

from typing import NoReturn

from samhost.gateway.errors import NotEmulatedError
from samhost.gateway.exchange import Exchange
from samhost.gateway.routing import Route
from samhost.gateway.targets import NotEmulatedTarget


class NotEmulated:
    """Refuses requests."""

    async def invoke(self, exchange: Exchange, route: Route, target: NotEmulatedTarget) -> NoReturn:  # noqa: ARG002
        """Raise NotEmulatedError with the reason."""
        raise NotEmulatedError(f"{route.key} is not emulated: {target.reason}")
