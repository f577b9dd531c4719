"""Exports as the workflow runs them, task by task, on the mocked stack."""

import json
from typing import Any

from scanner.ids import timestamp


def plan(stack: Any, project: str, export: str = "export-1", user: str = "alice", at: str | None = None, **order: Any):
    """Have an export planned; return the task's answer."""
    given = {"order": {"projectId": project} | order, "startedAt": at or timestamp()}
    return stack.perform("export_plan", export, user, input=given)


def build(stack: Any, number: int = 0, export: str = "export-1", user: str = "alice", retries: int = 0):
    """Have a part built; return the task's answer."""
    return stack.perform("export_part", export, user, input={"number": number, "retries": retries})


def join(stack: Any, export: str = "export-1", user: str = "alice", done: int = 0):
    """Have the parts joined, for the `done`th time over again; return the task's answer."""
    return stack.perform("export_join", export, user, input={"round": done})


def run(stack: Any, project: str, export: str = "export-1", user: str = "alice", **order: Any):
    """Go the workflow's way from the plan to the product, or to the refusal."""
    answer = plan(stack, project, export, user, **order)
    while not answer.keys() & {"code", "waitingFor", "completedAt", "ended"}:
        for part in answer.get("parts", ()):
            built = build(stack, part["number"], export, user)
            if "code" in built:
                return built
        answer = join(stack, export, user, answer["round"])
    return answer


def end(stack: Any, status: str, export: str = "export-1", user: str = "alice", milliseconds: int = 60_000):
    """Have an export cleaned up after, as the rule on its status does; return the messages that have failed."""
    body = json.dumps({"detail": {"name": f"{user}_{export}", "status": status}})
    message = {"messageId": "ending-1", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
    return stack.consume("export_cleanup", message, milliseconds=milliseconds)


def recognising(stack: Any, project: str):
    """Add a page that is being recognised; return what finishes that."""
    page = stack.page(project)
    version = stack.upload(page)
    stack.textract.error = "InternalServerError"
    stack.deliver(page, version)
    stack.textract.error = None
    return lambda: stack.deliver(page, version)
