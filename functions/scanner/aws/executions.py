"""Executions of workflows.

Those of the export workflow are named `{sub}_{exportId}`, so each user reaches only their own.
"""

from dataclasses import dataclass
from datetime import datetime

from scanner.aws import clients
from scanner.errors import NotFoundError
from scanner.settings import SETTINGS


@dataclass(frozen=True, slots=True)
class Execution:
    """What Step Functions knows of an execution; `status` is its word, input and output are JSON."""

    status: str
    started_at: datetime
    stopped_at: datetime | None
    output: str | None
    error: str | None
    cause: str | None


def is_running(execution: str) -> bool:
    """Tell whether the execution of that ARN still runs; one that is known no more does not."""
    client = clients.stepfunctions()
    try:
        return client.describe_execution(executionArn=execution)["status"] == "RUNNING"
    except client.exceptions.ExecutionDoesNotExist:
        return False


def describe(owner: str, export_id: str) -> Execution:
    """Return the execution that is an export. Raises NotFoundError where this user has started none.

    Step Functions is eventually consistent here: an execution may not be found in its first moments.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
    """
    client = clients.stepfunctions()
    machine = SETTINGS.exports_state_machine.replace(":stateMachine:", ":execution:")
    try:
        found = client.describe_execution(executionArn=f"{machine}:{owner}_{export_id}")
    except client.exceptions.ExecutionDoesNotExist as error:
        raise NotFoundError("There is no such export.") from error
    return Execution(
        status=found["status"],
        started_at=found["startDate"],
        stopped_at=found.get("stopDate"),
        output=found.get("output"),
        error=found.get("error"),
        cause=found.get("cause"),
    )
