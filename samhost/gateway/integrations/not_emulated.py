"""What answers a route that was refused when the API was loaded: nothing is waved through."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from samhost.gateway.errors import NotEmulatedError

if TYPE_CHECKING:
    from samhost.gateway.exchange import Exchange
    from samhost.gateway.routing import Route


@dataclass(frozen=True)
class NotEmulatedTarget:
    """Why a route is refused."""

    reason: str
    type = "not_emulated"


class NotEmulated:
    """Refuses requests."""

    async def invoke(self, exchange: "Exchange", route: "Route", target: NotEmulatedTarget) -> NoReturn:  # noqa: ARG002
        """Raise NotEmulatedError with the reason."""
        raise NotEmulatedError(f"{route.key} is not emulated: {target.reason}")
