"""The services in process."""

import asyncio

import boto3
import httpx
import pytest
from moto import mock_aws
from store.app import create
from store.collection import COLLECTIONS
from store.table import Table


@pytest.fixture
def call():
    """Send a request to an application: `call(app, "GET", "/health")`."""

    def send(app, method, path, **options):
        async def request():
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
                return await client.request(method, path, **options)

        return asyncio.run(request())

    return send


@pytest.fixture
def dynamodb(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="foods",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        yield client


@pytest.fixture
def foods(dynamodb, call):
    """The food store: `foods("PUT", "/apple", json={…})`."""
    app = create(COLLECTIONS["foods"], Table(dynamodb, "foods"))
    return lambda method, path="", **options: call(app, method, f"/foodstore/foods{path}", **options)
