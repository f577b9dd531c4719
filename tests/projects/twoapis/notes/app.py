import os

import boto3


def read(event, context):
    item = table().get_item(Key={"id": event["pathParameters"]["id"]}).get("Item")
    return {"statusCode": 200, "body": item["text"]} if item else {"statusCode": 404}


def write(event, context):
    if event["routeKey"] == "GET /rules":
        return {"statusCode": 200, "body": "be kind"}
    table().put_item(Item={"id": event["pathParameters"]["id"], "text": event["body"]})
    return {"statusCode": 204}


def table():
    return boto3.resource("dynamodb").Table(os.environ["TABLE"])
