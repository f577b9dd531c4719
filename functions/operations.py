"""The routes of operators that no service answers by itself. The gateway lets nobody in without `docscan/operate`."""

from typing import Any

from scanner import edge
from scanner.services import dead_letters


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Answer an HTTP API event."""
    return edge.respond(event, ROUTES)


def redrive(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """POST /operations/dead-letters/redrive: each back to the queue that gave it up, so many at most."""
    done = dead_letters.redrive()
    request.log["redriven"] = done.redriven
    return 200, {"redriven": done.redriven, "left": done.left, "more": done.more}


ROUTES = {"POST /operations/dead-letters/redrive": redrive}
