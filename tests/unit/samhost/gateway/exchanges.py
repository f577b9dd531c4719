"""Exchanges as mapping expressions read them."""

import json

from samhost.gateway.document import load
from samhost.gateway.exchange import Exchange
from samhost.gateway.mapping.expressions import Source
from samhost.gateway.messages import Caller, Request

DEFINITION = {
    "name": "TestApi",
    "apiId": "a1b2c3d4e5",
    "stage": {"name": "dev", "variables": {"queue": "orders"}},
    "document": {"openapi": "3.0.3", "paths": {}},
}


def source(body=b"", *, headers=(), query="", path="/dev/pets/1", parameters=None, claims=None, response=None):
    async def receive():
        raise AssertionError("an expression reads what has been read")

    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    request = Request("POST", path, query, list(headers), "192.0.2.1", "HTTP/1.1", 100, receive)
    exchange = Exchange(load(DEFINITION, "us-east-1", "000000000000"), request, request_id="request-1")
    exchange.path = path.removeprefix("/dev")
    exchange.path_parameters = parameters or {}
    exchange.caller = Caller(claims, None) if claims else None
    return Source(exchange, body, response)
