"""The edge between Lambda's events and the scanner: the only place that knows HTTP statuses and batch answers.

`respond` serves a handler of HTTP API events (payload format 2.0), `consume` one of SQS events, `consume_stream` one of
Kinesis events, `perform` a task of a workflow. Each writes one line per invocation to the log: what, how it ended, for
whom. Texts, tokens and claims other than `sub` never get there.
"""

import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scanner import cursors, errors, json_object
from scanner.ids import is_day, is_id, parse_execution_name
from scanner.log import LOGGER, record
from scanner.settings import SETTINGS

_STATUSES: dict[type[errors.ScannerError], int] = {
    errors.InvalidRequestError: 400,
    errors.UnauthenticatedError: 401,
    errors.NotFoundError: 404,
    errors.PagesNotReadyError: 409,
    errors.NothingToExportError: 409,
    errors.ProjectTooLargeError: 409,
    errors.NoRoomError: 409,
    errors.QuotaExceededError: 429,
    errors.ContendedError: 503,
}
_DEFAULT_LIMIT = 50
_LIMIT = re.compile(r"[1-9][0-9]?|100")


@dataclass(frozen=True, slots=True)
class Request:
    """An authenticated request: `user` is the caller's `sub`. What is put into `log` ends up in the log line."""

    event: dict[str, Any]
    user: str
    log: dict[str, Any] = field(default_factory=dict)

    def path(self, name: str) -> str:
        """Return an id from the path. Raises NotFoundError for what cannot be one."""
        value = (self.event.get("pathParameters") or {}).get(name)
        if not is_id(value):
            raise errors.NotFoundError("There is no such resource.")
        self.log[name] = value
        return value

    def body(self) -> dict[str, Any]:
        """Return the JSON object in the body. Raises InvalidRequestError for anything else."""
        body, refusal = self.event.get("body") or "", "Send a JSON object as the body."
        try:
            text = base64.b64decode(body, validate=True) if self.event.get("isBase64Encoded") else body
        except ValueError as error:
            raise errors.InvalidRequestError(refusal) from error
        return json_object.parse(text, refusal)

    def limit(self) -> int:
        """Return how many items of a list are asked for. Raises InvalidRequestError."""
        value = self._query("limit")
        if value is None:
            return _DEFAULT_LIMIT
        if not _LIMIT.fullmatch(value):
            raise errors.InvalidRequestError("`limit` is a number from 1 to 100.")
        return int(value)

    def choice(self, name: str, *choices: str) -> str:
        """Return which of `choices` the query asks for, the first by default. Raises InvalidRequestError."""
        value = self._query(name)
        if value is not None and value not in choices:
            raise errors.InvalidRequestError(f"`{name}` is one of {', '.join(choices)}.")
        return value or choices[0]

    def day(self) -> str | None:
        """Return the `day` that the query names, YYYY-MM-DD, or None. Raises InvalidRequestError for what is none."""
        value = self._query("day")
        if value is not None and not is_day(value):
            raise errors.InvalidRequestError("`day` is a date as in 2026-11-21.")
        return value

    def after(self, *types: type) -> tuple[Any, ...] | None:
        """Return the sort key in the cursor, parts of `types`; None without a cursor. Raises InvalidRequestError."""
        cursor = self._query("cursor")
        return None if cursor is None else cursors.decode(self._listing(), cursor, *types)

    def listing(self, items: list[dict[str, Any]], *key: str | int) -> dict[str, Any]:
        """Return a list's answer; with the sort `key` of its last item, if there are more."""
        return {"items": items} | ({"cursor": cursors.encode(self._listing(), key)} if key else {})

    def _query(self, name: str) -> str | None:
        return (self.event.get("queryStringParameters") or {}).get(name)

    def _listing(self) -> str:
        """Name the list, so that a cursor fits no other."""
        return " ".join([self.event["routeKey"], self.user, *sorted((self.event.get("pathParameters") or {}).values())])


type Route = Callable[[Request], tuple[int, dict[str, Any]]]
"""Does what a request asks for; returns status and body."""

type StreamConsumer = Callable[[dict[str, Any]], str]
"""Handles a Kinesis record; returns what became of it."""

type Consumer = Callable[[dict[str, Any]], list[dict[str, Any]]]
"""Handles an SQS message; returns what to log."""


def respond(event: dict[str, Any], routes: Mapping[str, Route]) -> dict[str, Any]:
    """Answer an HTTP API event by the route it is for; errors become `{"message", "code"}`."""
    log: dict[str, Any] = {}
    try:
        user = _user(event)
        log["sub"] = user
        status, body = routes[event["routeKey"]](Request(event, user, log))
    except tuple(_STATUSES) as error:
        status, body = _STATUSES[type(error)], {"message": error.message, "code": error.code}
        log["code"] = error.code
    except Exception:  # noqa: BLE001 - the outermost edge
        LOGGER.exception("%s failed", event.get("routeKey"))
        status, body = 500, {"message": "Something went wrong here. Try again later.", "code": "internal-error"}
    record(str(event.get("routeKey")), status=status, **log)
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body, ensure_ascii=False)}


def consume(event: dict[str, Any], what: str, handle: Consumer) -> dict[str, Any]:
    """Hand each message of an SQS event to `handle`; report those that raised, for the queue to deliver them again."""
    failures, outcomes = [], []
    for message in event["Records"]:
        try:
            outcomes += handle(message)
        except errors.UnfinishedError as error:
            LOGGER.warning("%s goes on with the next delivery: %s", what, error.message)
            failures.append({"itemIdentifier": message["messageId"]})
        except Exception:  # noqa: BLE001 - the outermost edge
            LOGGER.exception("%s failed", what, extra={"messageId": message["messageId"]})
            failures.append({"itemIdentifier": message["messageId"]})
    record(what, received=len(event["Records"]), failed=len(failures), outcomes=outcomes)
    return {"batchItemFailures": failures}


@dataclass(frozen=True, slots=True)
class Task:
    """A task of a workflow: `user` is the `sub` of who started the execution, `resource_id` what it is about.

    `input` is what was sent to start it, as it came. What is put into `log` ends up in the log line.
    """

    user: str
    resource_id: str
    input: Any
    log: dict[str, Any] = field(default_factory=dict)


def perform(event: dict[str, Any], what: str, do: Callable[[Task], dict[str, Any]]) -> dict[str, Any]:
    """Do a task of a workflow, an event `{"execution": name, "input"?: …}`; errors become `{"message", "code"}`.

    That is for the workflow to decide on. What is better tried again, and what is no expected error, is raised.
    """
    user, rest = parse_execution_name(event["execution"])
    log: dict[str, Any] = {"sub": user}
    try:
        if not is_id(rest):
            raise errors.NotFoundError("There is no such resource.")
        answer = do(Task(user, rest, event.get("input"), log))
    except errors.ContendedError:
        raise
    except tuple(_STATUSES) as error:
        answer = {"message": error.message, "code": error.code}
        log["code"] = error.code
    record(what, **log)
    return answer


def consume_stream(event: dict[str, Any], what: str, handle: StreamConsumer) -> dict[str, Any]:
    """Hand each record of a Kinesis event to `handle`; report those that raised. Lambda delivers again from the first.

    The records of a partition key are handled in order: after one that failed, the key's others wait for it. A record
    that can never be handled (InvalidRequestError) holds up nothing; Lambda gives it up in the end.
    """
    failures: list[dict[str, str]] = []
    waiting: set[str] = set()
    outcomes: Counter[str] = Counter()
    for item in event["Records"]:
        key, sequence = item["kinesis"]["partitionKey"], item["kinesis"]["sequenceNumber"]
        if key in waiting:
            continue
        try:
            outcomes[handle(item)] += 1
        except errors.InvalidRequestError as refusal:
            LOGGER.warning("%s can do nothing with %s: %s", what, item["eventID"], refusal.message)
            failures.append({"itemIdentifier": sequence})
        except Exception:  # noqa: BLE001 - the outermost edge
            LOGGER.exception("%s failed with %s", what, item["eventID"])
            failures.append({"itemIdentifier": sequence})
            waiting.add(key)
    record(what, received=len(event["Records"]), failed=len(failures), outcomes=dict(outcomes))
    return {"batchItemFailures": failures}


def _user(event: dict[str, Any]) -> str:
    """Return the caller's `sub` from the claims that the gateway has verified."""
    authorizer = event["requestContext"].get("authorizer") or {}
    user = authorizer.get("jwt", {}).get("claims", {}).get("sub") or SETTINGS.development_user
    if not user:
        raise errors.UnauthenticatedError("Sign in, and send the access token.")
    return user
