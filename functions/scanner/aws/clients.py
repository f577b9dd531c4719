"""Clients of AWS services, each made once and on first use.

Region, credentials and endpoints come from the environment in the standard way (`AWS_ENDPOINT_URL…` for local engines).
"""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

_CONNECT = {"connect_timeout": 5, "retries": {"mode": "standard", "total_max_attempts": 3}}


@cache
def dynamodb() -> Any:
    """DynamoDB's client."""
    return boto3.client("dynamodb", config=Config(**_CONNECT))


@cache
def s3() -> Any:
    """S3's client. Its links are signed by SigV4, for every engine enforces that one's expiry.

    They lead to the bucket's own region: the global address, which is the default, answers for a new bucket elsewhere
    with a redirect that browsers do not follow. (Endpoints with an IP address are addressed by path all the same.)
    """
    addressing = {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
    return boto3.client("s3", config=Config(signature_version="s3v4", s3=addressing, **_CONNECT))


@cache
def sqs() -> Any:
    """SQS's client."""
    return boto3.client("sqs", config=Config(**_CONNECT))


@cache
def events() -> Any:
    """EventBridge's client."""
    return boto3.client("events", config=Config(**_CONNECT))


@cache
def stepfunctions() -> Any:
    """Step Functions' client."""
    return boto3.client("stepfunctions", config=Config(**_CONNECT))


@cache
def textract() -> Any:
    """Textract's client. It asks once and waits 45 s, well within the function's time: the queue does the retrying."""
    return boto3.client(
        "textract", config=Config(connect_timeout=5, read_timeout=45, retries={"total_max_attempts": 1})
    )
