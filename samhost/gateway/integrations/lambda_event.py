"""The event that a Lambda proxy integration sends, in payload formats 2.0 and 1.0, and in that of REST APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html (REST APIs)
"""

import base64
from collections import defaultdict
from typing import Any
from urllib.parse import parse_qsl

from samhost.gateway.context import claim_text, domain_name, request_time
from samhost.gateway.exchange import Exchange
from samhost.gateway.forwarded import with_forwarded
from samhost.gateway.messages import Caller, Headers
from samhost.gateway.routing import Route
from samhost.gateway.targets import REST_PAYLOAD

# Bodies of these types arrive as text, all others as base64, `application/x-www-form-urlencoded` and an absent type
# too [obs: tried at AWS, https://github.com/ministackorg/ministack/pull/766].
_TEXT_TYPES = {"application/json", "application/javascript", "application/xml"}


def event_2_0(exchange: Exchange, route: Route, body: bytes) -> dict[str, Any]:
    """Payload format 2.0: several values comma-joined, empty fields omitted, paths percent-decoded [obs]."""
    request, api = exchange.outgoing, exchange.api
    headers = _joined([pair for pair in _headers(exchange, body) if pair[0] != "cookie"])
    cookies = [cookie.strip() for name, value in request.headers if name == "cookie" for cookie in value.split(";")]
    event = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "cookies": cookies,
        "headers": headers,
        "queryStringParameters": _joined(_query(request.query)),
        "requestContext": {
            "accountId": api.account_id,
            "apiId": api.api_id,
            **({"authorizer": _authorizer_2_0(exchange.caller)} if exchange.caller else {}),
            **_domain(exchange),
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": exchange.request_id,
            "routeKey": route.key,
            "stage": api.stage,
            "time": request_time(exchange),
            "timeEpoch": int(exchange.arrived * 1000),
        },
        "pathParameters": exchange.path_parameters,
        "stageVariables": api.stage_variables,
    }
    for name in ("cookies", "queryStringParameters", "pathParameters", "stageVariables"):
        if not event[name]:
            del event[name]
    text, encoded = _body(headers.get("content-type", ""), body)
    if text is not None:
        event["body"] = text
    return event | {"isBase64Encoded": encoded}


def event_1_0(exchange: Exchange, route: Route, body: bytes) -> dict[str, Any]:
    """Payload format 1.0: every value in the `multiValue…` fields, absent fields null.

    Of several values the single field has a header's last and a parameter's first, as in AWS's example [doc].
    """
    request, api = exchange.outgoing, exchange.api
    headers, query = _multiple(_headers(exchange, body)), _multiple(_query(request.query))
    text, encoded = _body(headers.get("content-type", [""])[-1], body)
    unknown = (
        "accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType",
        "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn",
    )  # fmt: skip
    return {
        "version": "1.0",
        "resource": route.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[0] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": {
            "accountId": api.account_id,
            "apiId": api.api_id,
            "authorizer": _authorizer_1_0(exchange.caller),
            **_domain(exchange),
            "extendedRequestId": exchange.request_id,
            "httpMethod": request.method,
            "identity": {
                **dict.fromkeys(unknown),
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", [""])[-1],
            },
            "path": request.path,
            "protocol": request.protocol,
            "requestId": exchange.request_id,
            "requestTime": request_time(exchange),
            "requestTimeEpoch": int(exchange.arrived * 1000),
            "resourceId": None,
            "resourcePath": route.path,
            "stage": api.stage,
        },
        "pathParameters": exchange.path_parameters or None,
        "stageVariables": api.stage_variables or None,
        "body": text,
        "isBase64Encoded": encoded,
    }


def event_rest(exchange: Exchange, route: Route, body: bytes) -> dict[str, Any]:
    """What REST APIs send: much as payload format 1.0, which was made after it.

    Its path is without the stage, a parameter's single value is the last one, and a body is text whatever it is called;
    one that is no UTF-8 is base64, as with `BinaryMediaTypes` that name it.
    """
    event = event_1_0(exchange, route, body)
    del event["version"]
    query = event["multiValueQueryStringParameters"] or {}
    event["path"] = exchange.path
    event["queryStringParameters"] = {name: values[-1] for name, values in query.items()} or None
    context = event["requestContext"]
    context["extendedRequestId"] = exchange.extended_request_id
    del context["authorizer"]
    if exchange.caller:
        context["authorizer"] = {"claims": _jwt(exchange.caller)["claims"]}
    try:
        event["body"], event["isBase64Encoded"] = body.decode() or None, False
    except UnicodeDecodeError:
        event["body"], event["isBase64Encoded"] = base64.b64encode(body).decode(), True
    return event


def _authorizer_2_0(caller: Caller) -> dict[str, Any]:
    return {"lambda": caller.context} if caller.is_by_function else {"jwt": _jwt(caller)}


def _authorizer_1_0(caller: Caller | None) -> dict[str, Any]:
    """Of a Lambda authorizer its context and the principal, as in REST APIs [inf]."""
    if caller is None:
        return {"claims": None, "scopes": None}
    if not caller.is_by_function:
        return _jwt(caller)
    return {**(caller.context or {}), **({"principalId": caller.principal_id} if caller.principal_id else {})}


def _jwt(caller: Caller) -> dict[str, Any]:
    return {"claims": {name: claim_text(value) for name, value in caller.claims.items()}, "scopes": caller.scopes}


def _headers(exchange: Exchange, body: bytes) -> Headers:
    return [*with_forwarded(exchange), ("content-length", str(len(body)))]


def _domain(exchange: Exchange) -> dict[str, str]:
    host = domain_name(exchange)
    return {"domainName": host, "domainPrefix": host.partition(".")[0]}


def _query(query: str) -> Headers:
    return parse_qsl(query, keep_blank_values=True)


def _body(content_type: str, body: bytes) -> tuple[str | None, bool]:
    """The body as an event carries it, and whether that is base64."""
    if not body:
        return None, False
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("text/") or media_type in _TEXT_TYPES:
        try:
            return body.decode(), False
        except UnicodeDecodeError:  # text in another encoding would be lost otherwise [inf]
            pass
    return base64.b64encode(body).decode(), True


def _multiple(pairs: Headers) -> dict[str, list[str]]:
    values = defaultdict(list)
    for name, value in pairs:
        values[name].append(value)
    return dict(values)


def _joined(pairs: Headers) -> dict[str, str]:
    return {name: ",".join(values) for name, values in _multiple(pairs).items()}


EVENTS = {"1.0": event_1_0, "2.0": event_2_0, REST_PAYLOAD: event_rest}
