"""What shall run: the ECS services in the engine, as its public API tells them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import batched
from typing import Any

from samhost.deployment import watching_client
from samhost.ecs.declarations import Declarations, ServiceKey
from samhost.ecs.rolling import Goal
from samhost.settings import Settings

_DESCRIBED_AT_ONCE = 10


@dataclass(frozen=True)
class WantedService:
    """A service: its newest deployment, how many tasks of it, and where those are registered."""

    key: ServiceKey
    deployment: str
    task_definition: str
    goal: Goal
    registries: tuple[str, ...]  # ARNs of Cloud Map services
    target_groups: tuple[str, ...]  # ARNs


class ControlPlane:
    """ECS in the engine, as root. All of it waits for answers: call it in a thread."""

    def __init__(self, settings: Settings):
        self._ecs = watching_client(settings, "ecs")

    def services(self, declared: Declarations, most: int | None) -> list[WantedService]:
        """Return the services that are active, with at most so many tasks each (None: as many as they want)."""
        return [
            _wanted(service, declared, most)
            for page in self._ecs.get_paginator("list_clusters").paginate()
            for cluster in page["clusterArns"]
            for service in self._described(cluster)
            if service["status"] == "ACTIVE"
        ]

    def task_definition(self, arn: str) -> dict[str, Any]:
        """Return a task definition as ECS answers it."""
        return self._ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]

    def raise_counts(self, declared: Declarations) -> None:
        """Give each service at least the tasks of its scalable target, as Application Auto Scaling does."""
        for service in self.services(declared, None):
            least = declared.least_counts.get(service.key, 0)
            if service.goal.count < least:
                self._ecs.update_service(cluster=service.key.cluster, service=service.key.name, desiredCount=least)

    def _described(self, cluster: str) -> Iterator[dict[str, Any]]:
        listed = self._ecs.get_paginator("list_services").paginate(cluster=cluster)
        for arns in batched((arn for page in listed for arn in page["serviceArns"]), _DESCRIBED_AT_ONCE, strict=False):
            yield from self._ecs.describe_services(cluster=cluster, services=list(arns))["services"]


def _wanted(service: dict[str, Any], declared: Declarations, most: int | None) -> WantedService:
    key = ServiceKey.of(service["serviceArn"])
    newest = next(deployment for deployment in service["deployments"] if deployment["status"] == "PRIMARY")
    count = int(service["desiredCount"])
    configuration = service.get("deploymentConfiguration", {})
    registries = tuple(registry["registryArn"] for registry in service.get("serviceRegistries", []))
    return WantedService(
        key,
        newest["id"],
        newest["taskDefinition"],
        Goal(
            count if most is None else min(count, most),
            int(configuration.get("minimumHealthyPercent", 100)),
            int(configuration.get("maximumPercent", 200)),
        ),
        registries or declared.registries.get(key, ()),
        tuple(
            balancer["targetGroupArn"] for balancer in service.get("loadBalancers", []) if "targetGroupArn" in balancer
        ),
    )
