"""Updates of nested stacks inside the engine's process, with what their unchanged resources are known by.

MiniStack 1.5.33 leaves a resource alone in whose properties nothing has changed, as CloudFormation does. In a nested
stack it then forgets the resource's attributes, so that the next `Fn::GetAtt` of one fails the whole update.
"""

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners

_update = provisioners._update_resource  # noqa: SLF001


def install() -> None:
    """Have the engine keep the attributes of resources that an update of a nested stack leaves alone."""
    provisioners._update_resource = update  # noqa: SLF001


def update(
    resource_type: str,
    physical_id: str,
    old: dict,
    new: dict,
    stack: str,
    logical_id: str | None = None,
    attributes: dict | None = None,
) -> tuple[str, dict[str, Any]]:
    """Update a resource as the engine does; return its physical id and its attributes.

    `attributes` are those that it had. The engine gives them for the outermost stack; for a nested one they are in the
    stack's own record, until this returns.
    """
    if attributes is None:
        record = cloudformation._stacks.get(stack, {}).get("_resources", {})  # noqa: SLF001
        attributes = record.get(logical_id, {}).get("Attributes")
    return _update(resource_type, physical_id, old, new, stack, logical_id, attributes)
