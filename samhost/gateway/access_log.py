"""One line a request: in the format that the stage's AccessLogSettings give, or else in one for developers.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html

A format is written as it is, whatever it names; ours never has a token, a claim but `sub`, a query string, or a body.
"""

import json
import re
import time

from samhost.gateway import context
from samhost.gateway.document import Api
from samhost.gateway.exchange import Exchange
from samhost.gateway.messages import Response

_VARIABLE = re.compile(r"\$context\.(\w+(?:\.[\w:]+)*)")
_ABSENT = "-"  # [obs]
_json = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would make an encoder for each line


def unknown_variables(api: Api) -> list[str]:
    """The `$context` variables of an API's format that AWS does not document for its type: it refuses these [obs]."""
    return [name for name in _VARIABLE.findall(api.access_log_format) if not context.is_known(name, api.type)]


def line(exchange: Exchange, response: Response) -> str:
    """What is known of an exchange when its answer is ready."""
    if exchange.api.access_log_format:
        return _formatted(exchange, exchange.api.access_log_format)
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
    return _json({name: value for name, value in entry.items() if value is not None})


def _formatted(exchange: Exchange, log_format: str) -> str:
    """A format with its variables' values, quotes and control characters in them escaped as in JSON [obs].

    https://github.com/DataBiosphere/azul/issues/4348 shows such a line of AWS's.
    """

    def written(variable: re.Match[str]) -> str:
        found = context.value(exchange, variable[1])
        if found is None:
            return _ABSENT
        if variable[1] == "error.messageString":  # is quoted already [doc]
            return found
        return _json(found)[1:-1]

    return _VARIABLE.sub(written, log_format)
