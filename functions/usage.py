"""The route of usage."""

from typing import Any

from scanner import edge
from scanner.services import usage


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Answer an HTTP API event."""
    return edge.respond(event, ROUTES)


def get(request: edge.Request) -> tuple[int, dict[str, Any]]:
    """GET /usage: the last 31 days in which something was used, newest first, and the quota."""
    days = [
        {"day": day.day, "uploaded": day.uploaded, "recognised": day.recognised} for day in usage.history(request.user)
    ]
    return 200, {"quota": {"pagesPerDay": usage.pages_per_day()}, "days": days}


ROUTES = {"GET /usage": get}
