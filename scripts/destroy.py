"""`make destroy`: deletes an environment's stack and, where no other stack uses them, the images.

What the template retains (documents, tables, users) stays unless --data is given, and is named at the end; calling this
again with --data deletes it later, for up to 90 days: so long CloudFormation knows of a deleted stack.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError
from contents import KINDS, exists
from environment import IMAGES_STACK, RefusedError, load_environment, run_script

_ATTEMPTS = 3
_HOUR = {"Delay": 5, "MaxAttempts": 720}  # load balancers and their networks take their time
_NESTED = "AWS::CloudFormation::Stack"
_SAM = "aws-sam-cli-managed-default"
"""SAM's own stack: the bucket through which every SAM application of a region is deployed."""


@dataclass(frozen=True, order=True)
class Resource:
    """A resource of a stack's, with why it is where it is."""

    type: str
    name: str
    reason: str = ""


class Stacks:
    """The stacks of an account in a region."""

    def __init__(self, region: str) -> None:
        self._region, self._cloudformation = region, boto3.client("cloudformation", region_name=region)

    def find(self, name: str) -> str | None:
        """Return the id of a stack, None where there is none of this name."""
        return next((stack["StackId"] for stack in self._all() if stack["StackName"] == name), None)

    def users_of_images(self, besides: str) -> list[str]:
        """Return the other stacks that name the registry which the stack of the images has made."""
        registries = [
            output["OutputValue"]
            for stack in self._all()
            if stack["StackName"] == IMAGES_STACK
            for output in stack.get("Outputs", [])
            if output["OutputKey"] == "ImageRegistry"
        ]
        return [
            stack["StackName"]
            for stack in self._all()
            if stack["StackName"] != besides and "RootId" not in stack
            for parameter in stack.get("Parameters", [])
            if parameter["ParameterKey"] == "ImageRegistry" and parameter["ParameterValue"] in registries
        ]

    def delete(self, stack_id: str) -> None:
        """Delete a stack, with what is in those of its buckets and repositories that it does not retain.

        CloudFormation deletes neither unless it is empty, and says so of those that it may delete and no others.
        Raises RefusedError with what else stands in its way.
        """
        for attempt in range(_ATTEMPTS):
            self._cloudformation.delete_stack(StackName=stack_id)
            try:
                waiter = self._cloudformation.get_waiter("stack_delete_complete")
                waiter.wait(StackName=stack_id, WaiterConfig=_HOUR)
            except WaiterError as error:
                failed = list(self._failed(stack_id))
                full = [resource for resource in failed if resource.type in KINDS and KINDS[resource.type].empty]
                if not full or attempt == _ATTEMPTS - 1:
                    why = "\n".join(f"  {resource.type} {resource.name}: {resource.reason}" for resource in failed)
                    raise RefusedError(f"CloudFormation cannot delete {stack_id}:\n{why or error}") from error
                for resource in full:
                    self._empty(resource)
            else:
                return

    def retained(self, name: str) -> list[Resource]:
        """Return what deleted stacks of a name have retained and is still there."""
        pages = self._cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
        ids = [stack["StackId"] for page in pages for stack in page["StackSummaries"] if stack["StackName"] == name]
        found = {resource for stack_id in ids for resource in self._skipped(stack_id)}
        return [resource for resource in sorted(found) if self._is_there(resource) and not self._is_in_use(resource)]

    def _all(self) -> Iterator[dict[str, Any]]:
        for page in self._cloudformation.get_paginator("describe_stacks").paginate():
            yield from (stack for stack in page["Stacks"] if stack["StackStatus"] != "DELETE_COMPLETE")

    def _is_there(self, resource: Resource) -> bool:
        kind = KINDS.get(resource.type)
        return kind is None or exists(kind, self._region, resource.name)

    def _is_in_use(self, resource: Resource) -> bool:
        """Tell whether a stack has imported a resource, or has been given it as a parameter."""
        try:
            self._cloudformation.describe_stack_resources(PhysicalResourceId=resource.name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            parameters = (parameter for stack in self._all() for parameter in stack.get("Parameters", []))
            return any(parameter.get("ParameterValue") == resource.name for parameter in parameters)
        return True

    def _failed(self, stack_id: str) -> Iterator[Resource]:
        """Yield what could not be deleted, in nested stacks, too."""
        for page in self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_id):
            for resource in page["StackResourceSummaries"]:
                kind, name = resource["ResourceType"], resource.get("PhysicalResourceId", "")
                if resource["ResourceStatus"] == "DELETE_FAILED" and kind == _NESTED:
                    yield from self._failed(name)
                elif resource["ResourceStatus"] == "DELETE_FAILED":
                    yield Resource(kind, name, resource.get("ResourceStatusReason", ""))

    def _skipped(self, stack_id: str) -> Iterator[Resource]:
        """Yield what a stack, or one nested in it, has let go without deleting it: at its end, or replacing it."""
        nested = set()
        for page in self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id):
            for event in page["StackEvents"]:
                kind, name = event["ResourceType"], event.get("PhysicalResourceId", "")
                if kind == _NESTED and name not in {"", stack_id}:
                    nested.add(name)
                elif event["ResourceStatus"] == "DELETE_SKIPPED":
                    yield Resource(kind, name)
        for nested_id in nested:
            yield from self._skipped(nested_id)

    def _empty(self, resource: Resource) -> None:
        print(f"Emptying the {_describe(resource)} …", flush=True)
        if empty := KINDS[resource.type].empty:
            empty(self._region, resource.name)


def main() -> None:
    """Ask, delete, and tell what is left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config-env", default="default", help="an environment of samconfig.toml")
    parser.add_argument("--stack", help="another stack than the environment's")
    parser.add_argument("--data", action="store_true", help="delete documents, tables and users, too: for good")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    arguments = parser.parse_args()
    environment = load_environment(arguments.config_env, {})
    name, region, stacks = arguments.stack or environment.stack, environment.region, Stacks(environment.region)
    account = boto3.client("sts", region_name=region).get_caller_identity()["Account"]
    to_delete = {name: stacks.find(name)}
    if others := stacks.users_of_images(besides=name):
        print(f"The images stay: {', '.join(others)} uses them.")
    else:
        to_delete[IMAGES_STACK] = stacks.find(IMAGES_STACK)
    print(f"Account {account}, region {region}.")
    _announce([stack for stack, stack_id in to_delete.items() if stack_id], stacks.retained(name), data=arguments.data)
    if not arguments.yes and input(f"To go on, type {name}: ").strip() != name:
        raise RefusedError("Nothing was deleted.")
    for stack, stack_id in to_delete.items():
        if stack_id:
            print(f"Deleting the stack {stack} …", flush=True)
            stacks.delete(stack_id)
    _finish(stacks, name, region, data=arguments.data)


def _announce(names: list[str], retained: list[Resource], *, data: bool) -> None:
    print(f"To be deleted: {' and '.join(f'the stack {name}' for name in names) or 'no stack, for there is none'}.")
    if data:
        print("Then what it retains, FOR GOOD: every document, every user.")
        for resource in retained:
            print(f"  of an earlier stack: {_describe(resource)}")


def _finish(stacks: Stacks, name: str, region: str, *, data: bool) -> None:
    """Delete what is retained, or name it; and name what is nobody's in particular."""
    retained = stacks.retained(name)
    for resource in retained:
        kind = KINDS.get(resource.type)
        if data and kind:
            print(f"Deleting the {_describe(resource)} …", flush=True)
            kind.delete(region, resource.name)
        else:
            print(f"Retained: {_describe(resource)}")
    if not data and any(resource.type in KINDS for resource in retained):
        print("It costs what its storage costs. To delete it, too, for good: make destroy DATA=delete")
    if stacks.find(_SAM):
        print(f"Not touched: the stack {_SAM}, through which other SAM applications may be deployed, too.")


def _describe(resource: Resource) -> str:
    kind = KINDS.get(resource.type)
    return f"{kind.called if kind else resource.type} {resource.name}"


if __name__ == "__main__":
    run_script(main)
