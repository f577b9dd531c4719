"""Commands: SQS messages. A client wrote the body; the message group, which only the gateway can set, is the user."""

from typing import Any

from scanner import edge
from scanner.command import Command
from scanner.errors import InvalidRequestError, NotFoundError, UnauthenticatedError
from scanner.services import commands


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Carry out commands; those that failed are reported, for the queue to deliver them again."""
    return edge.consume(event, "commands", carry_out)


def carry_out(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Carry out the command in a message. One that will never do is refused, and done with."""
    user = message["attributes"].get("MessageGroupId")
    outcome: dict[str, Any] = {"messageId": message["messageId"], "sub": user}
    if not user:  # it did not come through the API
        return [outcome | {"refused": UnauthenticatedError.code}]
    try:
        command = Command.parse(user, int(message["attributes"]["SentTimestamp"]), message["body"])
        outcome |= {"command": command.action.value, "projectId": command.project_id}
        outcome |= {"pages": dict(commands.carry_out(command))}
    except (InvalidRequestError, NotFoundError) as refusal:
        outcome |= {"refused": refusal.code, "because": refusal.message}
    return [outcome]
