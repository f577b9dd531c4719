"""Cloud Map at the engine: the healthy instances of services, listed each second for as long as somebody asks.

https://docs.aws.amazon.com/cloud-map/latest/api/API_DiscoverInstances.html
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from samhost.gateway.connections import Origin
from samhost.gateway.engine import Engine
from samhost.gateway.targets import CloudMapService

LIST_SECONDS = 1.0  # an instance that comes or goes is noticed this much later; what AWS does is not documented [inf]
_GONE = (b"ServiceNotFound", b"NamespaceNotFound")
_log = logging.getLogger(__name__)


class _GoneError(Exception):
    """There is no such service."""


@dataclass
class Listing:
    """A service's healthy instances as they were listed last."""

    instances: frozenset[Origin] = frozenset()
    refused: dict[Origin, float] = field(default_factory=dict)  # when, by the monotonic clock

    def pick(self) -> Origin | None:
        """Any of the instances but for those that refuse connections; None where there is no other."""
        candidates = tuple(self.instances - self.refused.keys())
        return random.choice(candidates) if candidates else None  # noqa: S311 - nothing secret

    def refuse(self, instance: Origin) -> None:
        """Note that an instance has refused a connection: it is not picked before it is listed anew."""
        self.refused[instance] = time.monotonic()

    def replace(self, instances: Iterable[Origin], asked: float) -> None:
        """Take over a list that was asked for at this moment of the monotonic clock."""
        self.instances = frozenset(instances)
        self.refused = {instance: when for instance, when in self.refused.items() if when >= asked}


@dataclass
class _Followed:
    listing: asyncio.Future[Listing]
    is_wanted: bool = True
    following: asyncio.Task[None] | None = None  # kept, or it might be collected while it runs


class CloudMap:
    """Lists instances. Only the first request in a while waits for that; later ones find what is there."""

    def __init__(self, engine: Engine):
        """Ask this engine."""
        self._engine = engine
        self._followed: dict[CloudMapService, _Followed] = {}
        self._names: dict[CloudMapService, tuple[str, str]] = {}  # of the namespace and of the service

    async def listing(self, service: CloudMapService) -> Listing:
        """A service's healthy instances, none where there is no such service.

        The listing stays up to date, and so does what it knows of instances that refuse connections.
        Raises TimeoutError and ConnectionError where Cloud Map cannot be asked and has not been before.
        """
        followed = self._followed.get(service)
        if followed is None:
            followed = self._followed[service] = _Followed(asyncio.get_running_loop().create_future())
            followed.following = asyncio.create_task(self._follow(service, followed))
        followed.is_wanted = True
        return followed.listing.result() if followed.listing.done() else await asyncio.shield(followed.listing)

    async def _follow(self, service: CloudMapService, followed: _Followed) -> None:
        """List a service's instances again and again, until nobody has wanted them for a while."""
        listing, first = Listing(), followed.listing
        try:
            while followed.is_wanted:
                followed.is_wanted = False
                asked = time.monotonic()
                try:
                    listing.replace(await self._instances(service), asked)
                except (TimeoutError, ConnectionError) as error:
                    if not first.done():
                        first.set_exception(error)
                        first.exception()  # whoever has waited for it may have gone
                        return
                    _log.warning("The instances of %s cannot be listed, and stay as they were: %s", service.arn, error)
                if not first.done():
                    first.set_result(listing)
                await asyncio.sleep(LIST_SECONDS)
        finally:
            del self._followed[service]

    async def _instances(self, service: CloudMapService) -> list[Origin]:
        try:
            namespace, name = await self._name(service)
            request: dict[str, Any] = {"NamespaceName": namespace, "ServiceName": name, "HealthStatus": "HEALTHY"}
            if service.attributes:
                request["QueryParameters"] = dict(service.attributes)
            instances = (await self._call(service, "DiscoverInstances", request))["Instances"]
        except _GoneError:
            self._names.pop(service, None)
            return []
        except (LookupError, ValueError) as error:
            raise ConnectionError(f"Cloud Map answered what is not understood: {error!r}") from error
        found = (instance.get("Attributes", {}) for instance in instances)
        # The engine does not look at QueryParameters.
        return [
            Origin(attributes["AWS_INSTANCE_IPV4"], int(attributes["AWS_INSTANCE_PORT"]))
            for attributes in found
            if attributes.get("AWS_INSTANCE_IPV4")
            and str(attributes.get("AWS_INSTANCE_PORT")).isdecimal()
            and all(attributes.get(key) == value for key, value in service.attributes)
        ]

    async def _name(self, service: CloudMapService) -> tuple[str, str]:
        """The names of a service's namespace and of the service, neither of which ever changes."""
        if service not in self._names:
            found = (await self._call(service, "GetService", {"Id": service.id}))["Service"]
            namespace = (await self._call(service, "GetNamespace", {"Id": found["NamespaceId"]}))["Namespace"]
            self._names[service] = namespace["Name"], found["Name"]
        return self._names[service]

    async def _call(self, service: CloudMapService, action: str, parameters: dict[str, Any]) -> Any:
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"Route53AutoNaming_v20170314.{action}",
        }
        body = json.dumps(parameters).encode()
        reply = await self._engine.call("servicediscovery", "POST", "/", body, headers=headers, region=service.region)
        if reply.status == 200:
            return json.loads(reply.body)
        if any(code in reply.body for code in _GONE):
            raise _GoneError
        raise ConnectionError(f"{action} answered {reply.status}")
