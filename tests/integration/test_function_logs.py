"""What functions log, as CloudWatch Logs has it: from the running engine, for each runtime that runs here."""

import io
import json
import secrets
import zipfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

PYTHON = """
def handler(event, context):
    for number in range(event["lines"]):
        print(event["name"], number)
"""
NODE = """
exports.handler = async (event) => {
  for (let number = 0; number < event.lines; number++) console.log(`${event.name} ${number}`);
};
"""


@pytest.fixture(
    params=[("python3.13", "index.py", PYTHON), ("nodejs22.x", "index.js", NODE)], ids=["Python", "Node.js"]
)
def talker(hosted, request):
    """Invokes a function that logs so many lines under a name; it is there for one test."""
    runtime, file, code = request.param
    functions, iam, name = hosted.client("lambda"), hosted.client("iam"), f"talker-{secrets.token_hex(4)}"
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]
    with zipfile.ZipFile(archive := io.BytesIO(), "w") as content:
        content.writestr(file, code)
    functions.create_function(
        FunctionName=name, Runtime=runtime, Handler="index.handler", Role=role["Arn"], Timeout=30,
        Code={"ZipFile": archive.getvalue()},
    )  # fmt: skip

    def invoke(said, lines):
        answer = functions.invoke(FunctionName=name, Payload=json.dumps({"name": said, "lines": lines}))
        assert "FunctionError" not in answer, answer["Payload"].read()

    invoke.log_group = f"/aws/lambda/{name}"
    yield invoke
    functions.delete_function(FunctionName=name)
    iam.delete_role(RoleName=name)


def invocations(system, log_group):
    """What each invocation has logged, without what Lambda itself says of it."""
    streams = defaultdict(list)
    for page in system.client("logs").get_paginator("filter_log_events").paginate(logGroupName=log_group):
        for event in page["events"]:
            streams[event["logStreamName"]].append(event["message"])
    for messages in streams.values():
        start, *lines, end, report = messages
        assert [start.split()[0], end.split()[0], report.split()[0]] == ["START", "END", "REPORT"]
        yield lines


def said(name, lines):
    return [f"{name} {number}" for number in range(lines)]


def test_the_log_of_the_last_invocation_is_complete_at_once(hosted, talker):
    few = [(f"call-{number}", number % 4) for number in range(40)]
    for name, lines in (*few, ("more than a pipe holds", 5_000)):
        talker(name, lines)
        assert said(name, lines) in list(invocations(hosted, talker.log_group))


def test_of_many_invocations_at_once_no_line_is_lost_or_in_anothers_log(hosted, talker):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: talker(f"call-{number}", number % 5), range(200)))

    logged = sorted(invocations(hosted, talker.log_group))
    assert logged == sorted(said(f"call-{number}", number % 5) for number in range(200))
