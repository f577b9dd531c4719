"""Answers everything with what the task sees; `/fail` makes its health check fail from then on."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from botocore.exceptions import ClientError


class Handler(BaseHTTPRequestHandler):
    healthy = True

    def do_GET(self):
        if self.path == "/fail":
            Handler.healthy = False
        answers = {"/health": dict, "/identity": identity, "/read": lambda: read(os.environ["TABLE"]), "/other": other}
        body = json.dumps(answers.get(self.path, environment)()).encode()
        self.send_response(200 if Handler.healthy or self.path != "/health" else 503)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, text, *values):
        print("asked for", self.path, flush=True)


def environment():
    return dict(os.environ) | {"pid": os.getpid(), "folder": os.getcwd()}  # noqa: PTH109


def identity():
    return {"arn": boto3.client("sts").get_caller_identity()["Arn"]}


def read(table):
    try:
        return {"items": boto3.client("dynamodb").scan(TableName=table)["Count"]}
    except ClientError as error:
        return {"refused": error.response["Error"]["Code"]}


def other():
    return read(os.environ["OTHER_TABLE"])


ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
