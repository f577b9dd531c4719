"""Answers what it was asked."""

import json


def handle(event, _context):
    fields = {name: event[name] for name in ("path", "resource", "pathParameters")}
    return {"statusCode": 200, "body": json.dumps(fields | {"stage": event["requestContext"]["stage"]})}
