"""AWS Step Functions.

https://docs.aws.amazon.com/step-functions/latest/apireference/Welcome.html
"""

from samhost.gateway.connections import Reply
from samhost.gateway.integrations.services.call import Caller, Operation, Parameters


def _action(name: str) -> Operation:
    async def call(parameters: Parameters, caller: Caller) -> Reply:
        members = {parameter[0].lower() + parameter[1:]: value for parameter, value in parameters.items()}
        return await caller.json("states", f"AWSStepFunctions.{name}", "1.0", members)

    return call


OPERATIONS: dict[str, Operation] = {
    f"StepFunctions-{name}": _action(name) for name in ("StartExecution", "StartSyncExecution", "StopExecution")
}
