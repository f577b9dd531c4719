"""One JSON line a request. Never a token, a claim but `sub`, a query string, or a body."""

import json
import time

from samhost.gateway.exchange import Exchange
from samhost.gateway.messages import Response


def line(exchange: Exchange, response: Response) -> str:
    """What is known of an exchange when its answer is ready."""
    request, route, caller = exchange.request, exchange.route, exchange.caller
    entry = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(exchange.arrived)),
        "api": exchange.api.name,
        "requestId": exchange.request_id,
        "method": request.method,
        "routeKey": route.key if route else None,
        "path": request.path,
        "status": response.status,
        "latencyMs": round((exchange.response_seconds or 0) * 1000, 1),
        "sourceIp": request.source_ip,
        "sub": caller.claims.get("sub") if caller else None,
        "integrationStatus": exchange.integration_status,
        "error": exchange.failure.reason or None if exchange.failure else None,
    }
    return json.dumps({name: value for name, value in entry.items() if value is not None}, ensure_ascii=False)
