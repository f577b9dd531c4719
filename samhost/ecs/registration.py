"""Where others find tasks: in Cloud Map and in target groups of load balancers, by their public APIs.

What is registered is compared with what shall be, so whatever an earlier run, or a crash of the engine, has left there
is put right. Instances that ECS has not registered, and services without tasks here, are left alone.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from samhost.deployment import watching_client
from samhost.ecs.declarations import ServiceKey
from samhost.settings import HOST, REGION, Settings

DEFAULT_DRAIN_SECONDS = 300  # of a target group
# How long load balancers may take to see that a target is gone: they ask the engine every second.
LEAST_DRAIN_SECONDS = 2
_NOT_THERE = {"ServiceNotFound", "TargetGroupNotFound"}
_SERVICE_NAME, _CLUSTER_NAME = "ECS_SERVICE_NAME", "ECS_CLUSTER_NAME"


@dataclass(frozen=True)
class Instance:
    """A task as it is registered."""

    id: str
    port: int
    service: ServiceKey
    family: str

    @property
    def attributes(self) -> dict[str, str]:
        """What Cloud Map is told, by the names that ECS uses.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html
        """
        return {
            "AWS_INSTANCE_IPV4": HOST,
            "AWS_INSTANCE_PORT": str(self.port),
            "AWS_INIT_HEALTH_STATUS": "HEALTHY",
            _CLUSTER_NAME: self.service.cluster,
            _SERVICE_NAME: self.service.name,
            "ECS_TASK_DEFINITION_FAMILY": self.family,
            "REGION": REGION,
        }


@dataclass
class Membership:
    """Who shall be registered where: instances by the ARN of a Cloud Map service, ports by that of a target group."""

    registries: dict[str, list[Instance]] = field(default_factory=dict)
    target_groups: dict[str, set[int]] = field(default_factory=dict)


class Registrations:
    """Cloud Map and the target groups in the engine, as root. All of it waits for answers: call it in a thread."""

    def __init__(self, settings: Settings):
        self._cloud_map = watching_client(settings, "servicediscovery")
        self._balancing = watching_client(settings, "elbv2")

    def put(self, members: Membership) -> None:
        """Register who is missing, then deregister who is not to be there."""
        for arn, instances in members.registries.items():
            with _as_long_as_it_is_there():
                self._put_instances(arn.rpartition("/")[2], {instance.id: instance for instance in instances})
        for arn, ports in members.target_groups.items():
            with _as_long_as_it_is_there():
                self._put_targets(arn, ports)

    def drain_seconds(self, target_groups: Iterable[str]) -> float:
        """Return how long requests may still come after a deregistration: the longest of the groups; 0 for none."""
        return max((self._drain_seconds(arn) for arn in target_groups), default=0)

    def _drain_seconds(self, arn: str) -> float:
        attributes = self._balancing.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        values = {item["Key"]: item["Value"] for item in attributes}
        delay = float(values.get("deregistration_delay.timeout_seconds", DEFAULT_DRAIN_SECONDS))
        return max(delay, LEAST_DRAIN_SECONDS)

    def _put_instances(self, service_id: str, wanted: Mapping[str, Instance]) -> None:
        pages = self._cloud_map.get_paginator("list_instances").paginate(ServiceId=service_id)
        registered = {item["Id"]: item.get("Attributes", {}) for page in pages for item in page["Instances"]}
        for instance in wanted.values():
            if registered.get(instance.id) != instance.attributes:
                self._cloud_map.register_instance(
                    ServiceId=service_id, InstanceId=instance.id, Attributes=instance.attributes
                )
        for instance_id, attributes in registered.items():
            if _SERVICE_NAME in attributes and instance_id not in wanted:
                self._cloud_map.deregister_instance(ServiceId=service_id, InstanceId=instance_id)

    def _put_targets(self, arn: str, wanted: set[int]) -> None:
        described = self._balancing.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        registered = {item["Target"]["Port"] for item in described if item["Target"]["Id"] == HOST}
        if missing := wanted - registered:
            self._balancing.register_targets(TargetGroupArn=arn, Targets=_targets(missing))
        if gone := registered - wanted:
            self._balancing.deregister_targets(TargetGroupArn=arn, Targets=_targets(gone))


@contextlib.contextmanager
def _as_long_as_it_is_there() -> Iterator[None]:
    """A service may outlive what its tasks were registered in."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"].get("Code") not in _NOT_THERE:
            raise


def _targets(ports: Iterable[int]) -> list[dict[str, Any]]:
    return [{"Id": HOST, "Port": port} for port in sorted(ports)]
