import json
import os
import sys


def handler(event, context):
    body = {
        "greeting": os.environ.get("GREETING"),
        "route": event["routeKey"],
        "alias": context.invoked_function_arn.rsplit(":", 1)[1],
        "python": list(sys.version_info[:2]),
    }
    return {"statusCode": 200, "body": json.dumps(body)}
