"""Calls to DynamoDB, S3, SQS, EventBridge and Textract of every route and consumer, at 10 and at 5,000 pages.

    .venv/bin/python bench/aws_calls.py [--pages N M]

Against moto, in this process. They are to be the same for every operation that is not about all pages; where they are
not, or where an operation fails, the exit code is 1.
"""

import argparse
import importlib
import itertools
import json
import logging
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from report import table, title

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "functions"), str(ROOT / "tests"), str(ROOT / "tests" / "samples")]
from unit.functions.conftest import ALICE, Stack, mocked_stack, notification, sqs_message

from scanner.aws import clients
from scanner.ids import new_id, timestamp
from scanner.settings import SETTINGS

BODIES: dict[str, dict[str, Any]] = {
    "POST /projects": {"name": "Letters"},
    "PATCH /projects/{projectId}": {"name": "Old letters"},
    "POST /projects/{projectId}/pages": {"contentType": "image/png"},
    "PATCH /projects/{projectId}/pages/{pageId}": {"text": "Dear reader"},
    "PUT /projects/{projectId}/pages/{pageId}/image": {"contentType": "image/png"},
}
ABOUT_ALL_PAGES = {
    "GET /projects/{projectId}/pdf": "too many pages are refused by the count that is kept",
    "SQS: deletion": "25 pages or 1,000 objects a call",
    "Task: checks": "all pages, 1 MB a query",
    "Task: export_plan": "all pages, 1 MB a query",
    "Task: export_part": "at most 50 pages",
}
SERVICES = ("dynamodb", "s3", "sqs", "events", "stepfunctions", "textract")


class Calls:
    """Counts what the functions' clients call."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._count: Counter[str] = Counter()
        for service in ("dynamodb", "s3", "sqs", "events", "stepfunctions"):
            getattr(clients, service)().meta.events.register("before-call", self._note)

    def _note(self, model: Any, **_: Any) -> None:
        self._count[f"{model.service_model.service_name} {model.name}"] += 1

    def start(self) -> None:
        self._count.clear()
        self._stack.textract.images.clear()

    def counted(self) -> Counter[str]:
        """Return the calls since the start; Textract is a fake, which counts by itself."""
        texts = {"textract DetectDocumentText": len(self._stack.textract.images)}
        return self._count + Counter(texts)


@dataclass
class Sized:
    """A project with a number of pages, all of them ready; `sample` is one, `key` its object."""

    stack: Stack
    calls: Calls
    project_id: str
    page_ids: list[str]

    @classmethod
    def make(cls, stack: Stack, calls: Calls, pages: int) -> "Sized":
        """Recognise one page, and copy what is stored of it."""
        project_id = stack.project()
        page = stack.ready_page(project_id)
        dynamodb, s3 = clients.dynamodb(), clients.s3()
        [item] = dynamodb.query(
            TableName="pages",
            KeyConditionExpression="projectId = :id",
            ExpressionAttributeValues={":id": {"S": project_id}},
        )["Items"]
        objects = [key for key, _ in stack.objects() if page["pageId"] in key]
        bodies = {key: s3.get_object(Bucket="docscan-test", Key=key)["Body"].read() for key in objects}
        page_ids = [page["pageId"]]
        for position in range(1, pages):
            page_ids.append(new_id())
            copies = {
                key: s3.put_object(Bucket="docscan-test", Key=key.replace(page["pageId"], page_ids[-1]), Body=body)
                for key, body in bodies.items()
            }
            [version] = [answer["VersionId"] for key, answer in copies.items() if key.startswith("images/")]
            changed = {"pageId": {"S": page_ids[-1]}, "position": {"N": str(position)}, "imageVersion": {"S": version}}
            dynamodb.put_item(TableName="pages", Item=item | changed)
        dynamodb.update_item(
            TableName="projects",
            Key={"owner": {"S": ALICE}, "projectId": {"S": project_id}},
            UpdateExpression="SET pageCount = :pages, nextPosition = :pages, ready = :pages",
            ExpressionAttributeValues={":pages": {"N": str(pages)}},
        )
        clients.stepfunctions().start_execution(
            stateMachineArn=SETTINGS.exports_state_machine, name=f"{ALICE}_{project_id}", input="{}"
        )
        return cls(stack, calls, project_id, page_ids)

    def route(self, route: str) -> tuple[Counter[str], str]:
        """Call a route, about a page in the middle; return its calls, and its status."""
        middle = self.page_ids[len(self.page_ids) // 2]
        known = {"projectId": self.project_id, "pageId": middle, "exportId": self.project_id}
        path = {name: value for name, value in known.items() if f"{{{name}}}" in route}
        self.calls.start()
        status, _ = self.stack.call(route, body=BODIES.get(route), **path)
        return self.calls.counted(), str(status)

    def task(self, module: str, resource_id: str, **event: Any) -> tuple[Counter[str], str]:
        """Do a workflow's task; return its calls, and the code of its error if it has one."""
        self.calls.start()
        answer = self.stack.perform(module, resource_id, **event)
        return self.calls.counted(), answer.get("code", "done")

    def recognition(self) -> tuple[Counter[str], str]:
        page = self.stack.page(self.project_id)
        version = self.stack.upload(page)
        self.calls.start()
        acknowledged = self.stack.deliver_records([notification(page["upload"]["fields"]["key"], version)])
        return self.calls.counted(), "done" if acknowledged else "failed"

    def command(self) -> tuple[Counter[str], str]:
        page_id = self.page_ids[len(self.page_ids) // 2]
        body = {"command": "move-pages", "projectId": self.project_id, "pageIds": [page_id], "after": None}
        message = sqs_message(json.dumps(body))
        message["attributes"] |= {"MessageGroupId": ALICE, "SentTimestamp": str(time.time_ns() // 1_000_000)}
        self.calls.start()
        failed = self.stack.consume("commands", message)
        return self.calls.counted(), "failed" if failed else "done"

    def deletion(self) -> tuple[Counter[str], str]:
        bodies = {message["body"]: message for message in self.stack.queued()}
        [message] = [message for body, message in bodies.items() if self.project_id in body and "pageId" not in body]
        self.calls.start()
        failed = self.stack.consume("deletion", message)
        return self.calls.counted(), "failed" if failed else "done"


def operations() -> list[str]:
    """All routes, first those that only read, last those that delete (the page first), between two consumers."""
    modules = (importlib.import_module(file.stem) for file in sorted((ROOT / "functions").glob("*.py")))
    routes = itertools.chain.from_iterable(getattr(module, "ROUTES", {}) for module in modules)
    methods = ["GET", "POST", "PATCH", "PUT", "DELETE"]
    ordered = sorted(routes, key=lambda route: (methods.index(route.partition(" ")[0]), -len(route)))
    return [
        "SQS: recognition",
        "SQS: commands",
        "Task: checks",
        "Task: export_plan",
        "Task: export_part",
        *ordered,
        "SQS: deletion",
    ]


def measure(project: Sized, operation: str) -> tuple[Counter[str], str]:
    consumers = {
        "SQS: recognition": project.recognition,
        "SQS: commands": project.command,
        "Task: checks": lambda: project.task("checks", project.project_id),
        "Task: export_plan": lambda: project.task(
            "export_plan",
            project.project_id,
            input={
                "order": {"projectId": project.project_id, "pages": project.page_ids},
                "startedAt": timestamp(),
            },
        ),
        "Task: export_part": lambda: project.task("export_part", project.project_id, input={"number": 0, "retries": 0}),
        "SQS: deletion": project.deletion,
    }
    return consumers[operation]() if operation in consumers else project.route(operation)


def cell(calls: Counter[str], service: str) -> str:
    own = {name.partition(" ")[2]: count for name, count in calls.items() if name.startswith(f"{service} ")}
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in sorted(own.items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, nargs=2, default=[10, 5000])
    sizes = parser.parse_args().pages
    logging.disable(logging.INFO)
    title(f"Calls to AWS for each operation, at {sizes[0]} and at {sizes[1]:,} pages")
    with pytest.MonkeyPatch.context() as monkeypatch, mocked_stack(monkeypatch) as stack:
        calls = Calls(stack)
        role = "arn:aws:iam::123456789012:role/exports"
        clients.stepfunctions().create_state_machine(name="exports", definition="{}", roleArn=role)
        projects = [Sized.make(stack, calls, size) for size in sizes]
        measured = {name: [measure(project, name) for project in projects] for name in operations()}
    wrong = []
    rows = []
    for name, results in measured.items():
        (small, first), (large, second) = results
        same = small == large and first == second
        if name in ABOUT_ALL_PAGES:
            verdict = ABOUT_ALL_PAGES[name]
        else:
            verdict = "the same" if same else "**differs**"
            if not same or not first.startswith(("2", "done")):
                wrong.append(f"{name}: {first} and {second}")
        for size, (count, answer) in zip(sizes, results, strict=True) if not same else [("", results[0])]:
            rows.append(
                (f"`{name}`", f"{size:,}" if size else "both", answer, *(cell(count, s) for s in SERVICES), verdict)
            )
    table(("Operation", "pages", "answer", *SERVICES, ""), rows)
    print("Signing links and forms calls nobody. Not counted: what Lambda itself does with the queues, and Cognito.")
    if wrong:
        print(f"\nNot the same, or not successful: {'; '.join(wrong)}.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
