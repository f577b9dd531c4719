"""What the engine does not keep of the ECS services of a template, and so comes from the template itself.

MiniStack 1.5.33 drops the ServiceRegistries of a service that CloudFormation makes, and knows no scalable targets.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from samhost.local_template import LocalTemplate
from samhost.outputs import NO_VALUE, resolve


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
    """By service: the ARNs of its Cloud Map services, and the tasks that it shall have at least."""

    registries: Mapping[ServiceKey, tuple[str, ...]] = field(default_factory=dict)
    least_counts: Mapping[ServiceKey, int] = field(default_factory=dict)


def declarations(local: LocalTemplate, outputs: dict[str, str]) -> Declarations:
    """Return what a deployed template says, by its stack's outputs."""
    return Declarations(
        {
            ServiceKey.of(service["arn"]): tuple(
                arn for registry in service.get("registries") or [] if (arn := registry.get("RegistryArn"))
            )
            for service in _there(local.ecs_services, outputs)
        },
        {
            ServiceKey.of(target["service"]): int(target["leastCount"])
            for target in _there(local.scalable_targets, outputs)
        },
    )


def _there(deferred: Iterable[object], outputs: dict[str, str]) -> list[dict]:
    resolved = (resolve(node, outputs) for node in deferred)
    return [node for node in resolved if node is not NO_VALUE and isinstance(node, dict)]
