"""AWS Step Functions, with two of its rules that the engine does not know.

https://docs.aws.amazon.com/step-functions/latest/apireference/Welcome.html
"""

import json
from collections.abc import Mapping
from typing import Any

from samhost.gateway.engine import Reply
from samhost.gateway.errors import IntegrationFailedError
from samhost.gateway.integrations.services.call import Operation, Parameters, RoleClient

_VERSION = "1.0"
_HEADERS = {"content-type": f"application/x-amz-json-{_VERSION}"}


async def _start_execution(parameters: Parameters, client: RoleClient) -> Reply:
    """Start an execution; one that runs already by the same name and with the same input is the answer again [doc]."""
    reply = await _call("StartExecution", parameters, client)
    if reply.status != 400 or b"ExecutionAlreadyExists" not in reply.body:
        return reply
    machine = ":".join(parameters["StateMachineArn"].split(":")[:7])  # without a version or an alias
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{parameters['Name']}"
    there = await _described("DescribeExecution", {"executionArn": execution}, client)
    if there.get("status") != "RUNNING" or there.get("input") != parameters.get("Input", "{}"):
        return reply
    return Reply(200, reply.headers, _json({"executionArn": execution, "startDate": there["startDate"]}))


async def _start_sync_execution(parameters: Parameters, client: RoleClient) -> Reply:
    """Start an execution of an express workflow and wait for its end; standard ones are refused [doc]."""
    machine = await _described("DescribeStateMachine", {"stateMachineArn": parameters["StateMachineArn"]}, client)
    if machine.get("type") == "STANDARD":
        message = "This operation is not supported by this type of state machine"
        return Reply(400, _HEADERS, _json({"__type": "StateMachineTypeNotSupported", "message": message}))
    return await _call("StartSyncExecution", parameters, client)


async def _stop_execution(parameters: Parameters, client: RoleClient) -> Reply:
    return await _call("StopExecution", parameters, client)


async def _call(action: str, parameters: Parameters, client: RoleClient) -> Reply:
    members = {name[0].lower() + name[1:]: value for name, value in parameters.items()}
    return await client.json("states", f"AWSStepFunctions.{action}", _VERSION, members)


async def _described(action: str, members: Mapping[str, str], client: RoleClient) -> dict[str, Any]:
    """What a description says, empty where there is nothing to describe; the gateway asks, not the role."""
    headers = _HEADERS | {"x-amz-target": f"AWSStepFunctions.{action}"}
    reply = await client.engine.call("states", "POST", "/", _json(members), headers=headers, region=client.region)
    if reply.status != 200:
        return {}
    try:
        return dict(json.loads(reply.body))
    except (ValueError, TypeError):
        raise IntegrationFailedError(f"{action} answered no JSON object") from None


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


OPERATIONS: dict[str, Operation] = {
    "StepFunctions-StartExecution": _start_execution,
    "StepFunctions-StartSyncExecution": _start_sync_execution,
    "StepFunctions-StopExecution": _stop_execution,
}
