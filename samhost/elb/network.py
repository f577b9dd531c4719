"""Where targets are on this machine."""

import ipaddress
from collections.abc import Mapping
from typing import NamedTuple

from samhost.elb.description import Target


class Address(NamedTuple):
    """A host and a port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read `HOST:PORT`."""
        host, _, port = text.rpartition(":")
        return cls(host, int(port))


class Network:
    """Finds targets: IP addresses are where they are, load balancers where their listeners listen here."""

    def __init__(self, listeners: Mapping[tuple[str, int], Address]):
        """Know the addresses of listeners by load balancer and port."""
        self._listeners = listeners

    def address(self, target: Target) -> Address | None:
        """A target's address; None for what has none here, such as an instance by its id."""
        if target.id.startswith("arn:"):
            return self._listeners.get((target.id, target.port))
        try:
            ipaddress.ip_address(target.id)
        except ValueError:
            return None
        return Address(target.id, target.port)
