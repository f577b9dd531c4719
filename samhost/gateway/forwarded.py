"""What API Gateway tells a backend about the client's connection to itself."""

import os

from samhost.gateway.exchange import Exchange
from samhost.gateway.messages import HOP_BY_HOP, Headers

GATEWAYS_OWN = {"content-length", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}


def with_forwarded(exchange: Exchange) -> Headers:
    """The headers that go on, with API Gateway's own: it says port 443 and https whatever the client used."""
    request = exchange.outgoing
    headers = [(name, value) for name, value in request.headers if name not in GATEWAYS_OWN and name not in HOP_BY_HOP]
    forwarded = request.header("x-forwarded-for")
    trace = f"Root=1-{int(exchange.arrived):08x}-{os.urandom(12).hex()}"
    return [
        *headers,
        ("x-amzn-trace-id", request.header("x-amzn-trace-id") or trace),
        ("x-forwarded-for", f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
    ]
