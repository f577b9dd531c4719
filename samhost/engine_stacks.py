"""Nested stacks inside the engine's process: what their unchanged resources are known by, and dynamic references.

MiniStack 1.5.33 leaves a resource alone in whose properties nothing has changed, as CloudFormation does. In a nested
stack it then forgets the resource's attributes, so that the next `Fn::GetAtt` of one fails the whole update. And it
resolves `{{resolve:…}}` in the outermost stack only.
"""

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import engine, provisioners

_create, _update = provisioners._provision_resource, provisioners._update_resource  # noqa: SLF001


def install() -> None:
    """Have the engine resolve references in nested stacks, and keep the attributes of what an update leaves alone."""
    provisioners._provision_resource = create  # noqa: SLF001
    provisioners._update_resource = update  # noqa: SLF001


def create(resource_type: str, logical_id: str, properties: dict, stack: str) -> tuple[str, dict[str, Any]]:
    """Create a resource as the engine does; return its physical id and its attributes.

    Raises ValueError for a dynamic reference to what is not there.
    """
    return _create(resource_type, logical_id, _resolved(properties), stack)


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
    return _update(resource_type, physical_id, _resolved(old), _resolved(new), stack, logical_id, attributes)


def _resolved(properties: dict) -> dict:
    """Properties with the values of secrets and parameters; what the engine has resolved itself stays as it is."""
    return {key: engine._resolve_dynamic_references(value)[0] for key, value in properties.items()}  # noqa: SLF001
