"""Task definitions, as far as they can be acted on here: one container, which one process stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samhost.ecs.health import HealthCheck
from samhost.errors import CannotRunError

STOP_TIMEOUT_SECONDS = 30.0  # ECS's default
_REFUSED = {
    "secrets": "secrets",
    "environmentFiles": "environment files",
    "mountPoints": "mount points",
    "volumesFrom": "volumes of another container",
}


@dataclass(frozen=True)
class TaskDefinition:
    """A task's one container; `stop_timeout` in seconds, `port` the container's first, None where it has none."""

    family: str
    role: str
    image: str
    entry_point: tuple[str, ...]
    command: tuple[str, ...]
    working_directory: str
    environment: Mapping[str, str]
    port: int | None
    health_check: HealthCheck | None
    stop_timeout: float

    @classmethod
    def load(cls, definition: Mapping[str, Any]) -> "TaskDefinition":
        """Read it as DescribeTaskDefinition answers it.

        Raises CannotRunError for what is not acted on here and cannot be left out.
        """
        containers = definition.get("containerDefinitions", [])
        if len(containers) != 1:
            raise CannotRunError(f"its task definition has {len(containers)} containers, and one is run here")
        [container] = containers
        if definition.get("volumes"):
            raise CannotRunError("its task definition has volumes, which there are none of here")
        for key, what in _REFUSED.items():
            if container.get(key):
                raise CannotRunError(f"its container has {what}, which are not acted on here")
        ports = [mapping["containerPort"] for mapping in container.get("portMappings", [])]
        return cls(
            definition["family"],
            definition.get("taskRoleArn") or "",
            container["image"],
            tuple(container.get("entryPoint") or ()),
            tuple(container.get("command") or ()),
            container.get("workingDirectory") or "",
            {item["name"]: str(item["value"]) for item in container.get("environment", [])},
            int(ports[0]) if ports else None,
            HealthCheck.load(container.get("healthCheck") or {}),
            float(container.get("stopTimeout") or STOP_TIMEOUT_SECONDS),
        )
