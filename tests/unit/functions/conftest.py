"""The functions on moto, in process: the stack's tables, bucket, queue and bus, and ways to call the handlers."""

import importlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse
from unit.functions.pictures import picture

from scanner.aws import clients, dynamodb, pages_table
from scanner.page import Page
from scanner.settings import SETTINGS

ALICE = "alice"
MAX_ATTEMPTS = 3
QUEUES = ("recognition", "deletion", "commands", "dead-letter")
QUEUE_ARN = "arn:aws:sqs:eu-west-1:123456789012:"
STATUSES = ("awaiting-upload", "recognising", "ready", "failed")

_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "PROJECTS_TABLE": "projects",
    "PAGES_TABLE": "pages",
    "USAGE_TABLE": "usage",
    "PAGES_PER_DAY": "1000",
    "AUDIT_TABLE": "audit",
    "TELEMETRY_TABLE": "telemetry",
    "BUCKET": "docscan-test",
    "EVENT_BUS": "docscan",
    "EXPORTS_STATE_MACHINE": "arn:aws:states:eu-west-1:123456789012:stateMachine:exports",
    "MAX_ATTEMPTS": str(MAX_ATTEMPTS),
}
_RESOURCES = yaml_parse((Path(__file__).parents[3] / "template.yaml").read_text())["Resources"]


@dataclass
class FakeTextract:
    """Textract as recognition sees it: answers with `lines`, or raises `error`; `images` is what it was given."""

    lines: list[str] = field(default_factory=lambda: ["Dear reader", "second line"])
    error: str | None = None
    images: list[bytes] = field(default_factory=list)
    before_answer: Any = None

    def detect_document_text(self, Document: dict[str, bytes]) -> dict[str, Any]:  # noqa: N803 - Textract's name
        self.images.append(Document["Bytes"])
        if self.before_answer:
            self.before_answer()
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "…"}}, "DetectDocumentText")
        return {"Blocks": blocks(self.lines)}


def blocks(lines: list[str]) -> list[dict[str, Any]]:
    """Return Textract's blocks for `lines`; word n of a line has the confidence 90 + n."""
    found: list[dict[str, Any]] = [{"BlockType": "PAGE", "Id": "page"}]
    for row, line in enumerate(lines):
        words = []
        for column, word in enumerate(line.split(" ")):
            left, top = 0.1 + 0.2 * column, 0.1 + 0.1 * row
            corners = [(left, top), (left + 0.15, top), (left + 0.15, top + 0.05), (left, top + 0.05)]
            words.append(
                {
                    "BlockType": "WORD",
                    "Id": f"{row}-{column}",
                    "Text": word,
                    "Confidence": 90.0 + column,
                    "Geometry": {"Polygon": [{"X": x, "Y": y} for x, y in corners]},
                }
            )
        relations = [{"Type": "CHILD", "Ids": [word["Id"] for word in words]}]
        found += [
            {"BlockType": "LINE", "Id": f"line-{row}", "Text": line, "Confidence": 91.0, "Relationships": relations}
        ]
        found += words
    return found


@dataclass
class Stack:
    """The mocked stack, and shortcuts into it."""

    textract: FakeTextract
    queues: dict[str, str]
    events: list[dict[str, Any]]
    pauses: list[int]  # until messages that failed are delivered again, in seconds

    def call(
        self,
        route: str,
        user: str | None = ALICE,
        body: Any = None,
        query: dict[str, str] | None = None,
        **path: str,
    ) -> tuple[int, dict[str, Any]]:
        """Call a route's handler as the gateway does, and return status and body."""
        event: dict[str, Any] = {"version": "2.0", "routeKey": route, "requestContext": {}, "isBase64Encoded": False}
        if user is not None:
            event["requestContext"] = {"authorizer": {"jwt": {"claims": {"sub": user}, "scopes": ["docscan/use"]}}}
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        if query:
            event["queryStringParameters"] = query
        if path:
            event["pathParameters"] = path
        return self.invoke(handler_of(route), event)

    def invoke(self, module: str, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        answer = importlib.import_module(module).handler(event, None)
        assert answer["headers"]["content-type"] == "application/json"
        return answer["statusCode"], json.loads(answer["body"])

    def perform(self, module: str, resource_id: str, user: str = ALICE, **event: Any) -> dict[str, Any]:
        """Have a workflow's task done as in an execution that the gateway has named."""
        execution = {"execution": f"{user}_{resource_id}"}
        return json.loads(json.dumps(importlib.import_module(module).handler(execution | event, None)))

    def project(self, name: str = "Letters", user: str = ALICE) -> str:
        status, project = self.call("POST /projects", user, {"name": name})
        assert status == 201
        return project["projectId"]

    def page(self, project_id: str, user: str = ALICE, content_type: str = "image/png") -> dict[str, Any]:
        status, page = self.call(
            "POST /projects/{projectId}/pages", user, {"contentType": content_type}, projectId=project_id
        )
        assert status == 201
        return page

    def read_page(self, page: dict[str, Any], user: str = ALICE) -> dict[str, Any]:
        path = {"projectId": page["projectId"], "pageId": page["pageId"]}
        status, body = self.call("GET /projects/{projectId}/pages/{pageId}", user, **path)
        assert status == 200
        return body

    def upload(self, page: dict[str, Any], image: bytes | None = None) -> str:
        """Upload a page's image with its form, and return the object's version."""
        key = page["upload"]["fields"]["key"]
        body = picture() if image is None else image
        return clients.s3().put_object(Bucket=SETTINGS.bucket, Key=key, Body=body)["VersionId"]

    def deliver(self, page: dict[str, Any], version: str, receives: int = 1) -> bool:
        """Deliver the notification of an upload to recognition; tell whether the message was acknowledged."""
        return self.deliver_records([notification(page["upload"]["fields"]["key"], version)], receives)

    def deliver_records(self, records: list[dict[str, Any]], receives: int = 1) -> bool:
        message = sqs_message(json.dumps({"Records": records}), receives)
        return not self.consume("recognition", message)

    def consume(self, module: str, *messages: dict[str, Any], milliseconds: int = 60_000) -> list[str]:
        """Hand messages to an SQS handler, and return the ids of those it reports as failed."""
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: milliseconds)
        answer = importlib.import_module(module).handler({"Records": list(messages)}, context)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def ready_page(self, project_id: str, image: bytes | None = None, user: str = ALICE) -> dict[str, Any]:
        page = self.page(project_id, user)
        assert self.deliver(page, self.upload(page, image))
        assert self.read_page(page, user)["status"] == "ready"
        return page

    def queued(self, queue: str = "deletion") -> list[dict[str, Any]]:
        answer = clients.sqs().receive_message(
            QueueUrl=self.queues[queue], MaxNumberOfMessages=10, AttributeNames=["All"], VisibilityTimeout=0
        )
        return [
            {"messageId": message["MessageId"], "body": message["Body"], "attributes": message["Attributes"]}
            for message in answer.get("Messages", [])
        ]

    def items(self, table: str) -> list[dict[str, Any]]:
        pages = clients.dynamodb().get_paginator("scan").paginate(TableName=table)
        return [dynamodb.from_item(item) for page in pages for item in page["Items"]]

    def objects(self, prefix: str = "") -> list[tuple[str, str]]:
        """Return key and version of every version of every object."""
        pages = clients.s3().get_paginator("list_object_versions").paginate(Bucket=SETTINGS.bucket, Prefix=prefix)
        return [
            (version["Key"], version["VersionId"])
            for page in pages
            for version in page.get("Versions", []) + page.get("DeleteMarkers", [])
        ]

    def assert_counters_hold(self) -> None:
        """The counters of every project are what counting its pages gives."""
        pages = self.items("pages")
        for project in self.items("projects"):
            statuses = Counter(page["status"] for page in pages if page["projectId"] == project["projectId"])
            assert {status: int(project[status]) for status in STATUSES} == {s: statuses[s] for s in STATUSES}
            assert project["pageCount"] == statuses.total()


def handler_of(route: str) -> str:
    """Return the handler module of a route."""
    if route.endswith("/pdf"):
        return "documents"
    if route == "GET /usage":
        return "usage"
    if "/exports" in route:
        return "exports"
    if "/audit" in route:
        return "audit"
    if "/dead-letters" in route:
        return "operations"
    return "pages" if "/pages" in route else "projects"


def notification(key: str, version: str, event_name: str = "ObjectCreated:Post") -> dict[str, Any]:
    """Return a record as S3 sends it; keys come URL-encoded."""
    return {"eventName": event_name, "s3": {"object": {"key": quote_plus(key, safe="/"), "versionId": version}}}


def sqs_message(body: str, receives: int = 1, message_id: str = "message-1") -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(receives)}
    return {"messageId": message_id, "receiptHandle": f"handle of {message_id}", "body": body, "attributes": attributes}


@pytest.fixture(autouse=True)
def _nothing_leaves_the_process(socket_disabled):
    """Every connection is an error."""


@contextmanager
def mocked_stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Put the stack into this process's environment, and take it away again."""
    for variable in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_TEXTRACT", "AWS_PROFILE", "AWS_SAM_LOCAL"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in _VARIABLES.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(dynamodb, "pause", lambda attempt: None)
    with mock_aws():
        vars(SETTINGS).clear()  # what is read once per process
        textract = FakeTextract()
        monkeypatch.setattr(clients, "textract", lambda: textract)
        _create_tables()
        s3 = clients.s3()
        s3.create_bucket(Bucket="docscan-test", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket="docscan-test", VersioningConfiguration={"Status": "Enabled"})
        clients.events().create_event_bus(Name="docscan")
        queues = {name: clients.sqs().create_queue(QueueName=name)["QueueUrl"] for name in QUEUES}
        for name, url in queues.items():
            monkeypatch.setenv(f"{name.upper().replace('-', '_')}_QUEUE_URL", url)
        sources = [f"{QUEUE_ARN}{name}={url}" for name, url in queues.items() if name != "dead-letter"]
        monkeypatch.setenv("SOURCE_QUEUES", " ".join(sources))
        events: list[dict[str, Any]] = []
        put_events = clients.events().put_events

        def keep_and_put(Entries: list[dict[str, Any]]) -> Any:  # noqa: N803 - AWS's name
            events.extend(Entries)
            return put_events(Entries=Entries)

        monkeypatch.setattr(clients.events(), "put_events", keep_and_put)
        pauses: list[int] = []

        def keep_pause(QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803 - AWS's names
            assert (QueueUrl, ReceiptHandle) == (SETTINGS.recognition_queue_url, "handle of message-1")
            pauses.append(VisibilityTimeout)

        monkeypatch.setattr(clients.sqs(), "change_message_visibility", keep_pause)
        yield Stack(textract, queues, events, pauses)
    vars(SETTINGS).clear()


@pytest.fixture
def stack(monkeypatch):
    with mocked_stack(monkeypatch) as stack:
        yield stack


@pytest.fixture
def overtaken_by_recognition(stack, monkeypatch):
    """`overtaken_by_recognition(page)`: who reads a page next does so just before the image of this is recognised."""

    def overtake(page: dict[str, Any]) -> None:
        version, read = stack.upload(page), pages_table.get

        def read_then_be_overtaken(project_id: str, page_id: str) -> Page | None:
            monkeypatch.setattr(pages_table, "get", read)
            found = read(project_id, page_id)
            assert stack.deliver(page, version)
            return found

        monkeypatch.setattr(pages_table, "get", read_then_be_overtaken)

    return overtake


def _create_tables() -> None:
    """Create the tables as the template describes them."""
    tables = {
        "ProjectsTable": "projects",
        "PagesTable": "pages",
        "UsageTable": "usage",
        "AuditTable": "audit",
        "TelemetryTable": "telemetry",
    }
    for resource, name in tables.items():
        properties = _RESOURCES[resource]["Properties"]
        wanted = ("AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes", "BillingMode")
        clients.dynamodb().create_table(TableName=name, **{key: properties[key] for key in wanted if key in properties})
