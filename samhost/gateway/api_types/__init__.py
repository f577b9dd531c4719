"""What HTTP APIs and REST APIs do each in a way of their own with a request that otherwise goes the same way."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol

from samhost.gateway.errors import GatewayError
from samhost.gateway.exchange import Exchange
from samhost.gateway.messages import Headers, Response


class Wording(NamedTuple):
    """An error as a client sees it; `response_type` is what access logs call it."""

    status: int
    message: str
    response_type: str


class ApiType(Protocol):
    """A type of API, by its name in configurations."""

    @property
    def name(self) -> str:
        """`HTTP` or `REST`."""
        ...

    @property
    def variables(self) -> Mapping[str, Callable[[Exchange], object]]:
        """The `$context` variables that only this type has, or that it fills otherwise than the other."""
        ...

    @property
    def absent_variables(self) -> AbstractSet[str]:
        """The `$context` variables of only this type that have no value on one machine."""
        ...

    def request_id(self, extended: str) -> str:
        """A new request's id, by its extended one."""
        ...

    def wording(self, error: GatewayError) -> Wording:
        """What a client is told of an error."""
        ...

    def answer(self, error: GatewayError) -> Response:
        """An error as an answer."""
        ...

    def identification(self, exchange: Exchange) -> Headers:
        """The headers of every answer that name its request."""
        ...

    def to_backend(self, exchange: Exchange, overwritten: AbstractSet[str]) -> Headers:
        """The headers that an HTTP proxy integration sends on, but for `host`.

        No `connection` of a client takes those away that are overwritten, and so the gateway's own.
        """
        ...

    def from_backend(self, method: str, headers: Headers) -> Headers:
        """The headers of a backend's answer as the client gets them; `method` is what the backend was asked by."""
        ...
