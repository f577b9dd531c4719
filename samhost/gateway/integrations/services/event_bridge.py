"""Amazon EventBridge: one event a request.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

import json
from datetime import datetime
from typing import Any

from samhost.gateway.engine import Reply
from samhost.gateway.errors import BadRequestError
from samhost.gateway.integrations.services.call import Operation, Parameters, RoleClient, text_list

_JSON_1_1 = "application/x-amz-json-1.1"


async def _put_events(parameters: Parameters, client: RoleClient) -> Reply:
    if not _is_object(parameters["Detail"]):
        # EventBridge refuses the entry and answers 200 [doc]; the engine would take it.
        refused = {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        body = json.dumps({"FailedEntryCount": 1, "Entries": [refused]}, separators=(",", ":")).encode()
        return Reply(200, {"content-type": _JSON_1_1}, body)
    entry: dict[str, Any] = dict(parameters)
    if "Time" in entry:
        entry["Time"] = _time(entry["Time"])
    if "Resources" in entry:
        entry["Resources"] = text_list("Resources", entry["Resources"])
    return await client.json("events", "AWSEvents.PutEvents", "1.1", {"Entries": [entry]})


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _time(text: str) -> float:
    """Seconds since the epoch, or a time as RFC 3339 writes it; which of them API Gateway takes is assumed [inf]."""
    try:
        return float(text) if text.replace(".", "", 1).isdecimal() else datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise BadRequestError("Time is neither seconds since the epoch nor a time as RFC 3339 writes it") from None


OPERATIONS: dict[str, Operation] = {"EventBridge-PutEvents": _put_events}
