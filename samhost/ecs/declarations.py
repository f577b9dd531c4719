"""What the engine does not keep of the ECS services of a template, and so comes from the template itself.

MiniStack 1.5.33 drops the ServiceRegistries of a service that CloudFormation makes, and knows no scalable targets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from samhost.local_template import LocalTemplate
from samhost.outputs import resolve


class ServiceKey(NamedTuple):
    """A service by its cluster's name and its own."""

    cluster: str
    name: str

    @classmethod
    def of(cls, text: str) -> "ServiceKey":
        """Take it from a service's ARN or a scalable target's ResourceId; both end with `/cluster/service`."""
        cluster, name = text.split("/")[-2:]
        return cls(cluster, name)


@dataclass(frozen=True)
class Declarations:
    """By service: its place in the template, the ARNs of its Cloud Map services, and its least number of tasks."""

    places: Mapping[ServiceKey, str] = field(default_factory=dict)
    registries: Mapping[ServiceKey, tuple[str, ...]] = field(default_factory=dict)
    least_counts: Mapping[ServiceKey, int] = field(default_factory=dict)


def declarations(local: LocalTemplate, outputs: dict[str, str]) -> Declarations:
    """Return what a deployed template says, by its stack's outputs."""
    services = [
        (place, ServiceKey.of(service["arn"]), service.get("registries") or [])
        for place, service in _there(local.ecs_services, outputs)
    ]
    return Declarations(
        {key: place for place, key, _ in services},
        {
            key: tuple(arn for registry in registries if (arn := registry.get("RegistryArn")))
            for _, key, registries in services
        },
        {
            ServiceKey.of(target["service"]): int(target["leastCount"])
            for _, target in _there(local.scalable_targets, outputs)
        },
    )


def _there(deferred: Mapping[str, object], outputs: dict[str, str]) -> list[tuple[str, dict]]:
    resolved = [(place, resolve(node, outputs)) for place, node in deferred.items()]
    return [(place, node) for place, node in resolved if isinstance(node, dict)]
