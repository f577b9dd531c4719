"""What a function answered, made into an HTTP answer by the rules of payload formats 2.0 and 1.0, and of REST APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
import re
from typing import Any

from samhost.gateway.errors import IntegrationFailedError
from samhost.gateway.messages import Headers, Response
from samhost.gateway.targets import REST_PAYLOAD

_PLAIN_TEXT = "text/plain;charset=UTF-8"  # of a body without a type: reported widely, not documented [obs]
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# The gateway's own, or the connection's.
_DROPPED = {
    "apigw-requestid", "connection", "content-length", "date", "keep-alive", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
}  # fmt: skip


def reply_2_0(payload: bytes) -> Response:
    """Format 2.0: a value without `statusCode` is the body of a 200, `application/json` [doc].

    Raises IntegrationFailedError for a shape that API Gateway does not take.
    """
    value = _parse(payload)
    if not isinstance(value, dict) or "statusCode" not in value:
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        return Response(200, [("content-type", "application/json")], _encode(text))
    cookies = value.get("cookies") or []
    if not isinstance(cookies, list):
        raise _malformed("`cookies` is not a list")
    set_cookies = [_header("set-cookie", cookie) for cookie in cookies]
    return _response(value, set_cookies + _single(value), _PLAIN_TEXT)


def reply_1_0(payload: bytes) -> Response:
    """Format 1.0: nothing is inferred; `headers` and `multiValueHeaders` are merged.

    Raises IntegrationFailedError for a shape that API Gateway does not take.
    """
    return _merged(payload, _PLAIN_TEXT)


def reply_rest(payload: bytes) -> Response:
    """What REST APIs take: the same, but without a type the body is JSON [doc].

    Raises IntegrationFailedError for a shape that API Gateway does not take.
    """
    return _merged(payload, "application/json")


def _merged(payload: bytes, default_type: str) -> Response:
    value = _parse(payload)
    if not isinstance(value, dict) or "statusCode" not in value:
        raise _malformed("there is no `statusCode`")
    several = _mapping(value, "multiValueHeaders")
    if not all(isinstance(values, list) for values in several.values()):
        raise _malformed("`multiValueHeaders` is not made of lists")
    headers = [_header(name, item) for name, values in several.items() for item in values]
    return _response(value, headers + [pair for pair in _single(value) if pair not in headers], default_type)


def _response(value: dict, headers: Headers, default_type: str) -> Response:
    status = _status(value["statusCode"])
    headers = [(name, text) for name, text in headers if name not in _DROPPED]
    if status in (204, 304):  # which have no body in HTTP
        return Response(status, headers)
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", default_type))
    return Response(status, headers, _body(value))


def _parse(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        raise _malformed("it is not JSON") from None


def _status(code: Any) -> int:
    text = str(code)
    if isinstance(code, bool) or not re.fullmatch(r"[2-5]\d\d", text):
        raise _malformed("`statusCode` is not a status")
    return int(text)


def _body(value: dict) -> bytes:
    body = value.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise _malformed("`body` is not text")
    if not value.get("isBase64Encoded"):
        return _encode(body)
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise _malformed("`body` is not the base64 that `isBase64Encoded` promises") from None


def _single(value: dict) -> Headers:
    return [_header(name, text) for name, text in _mapping(value, "headers").items() if text is not None]


def _mapping(value: dict, field: str) -> dict:
    found = value.get(field) or {}
    if not isinstance(found, dict):
        raise _malformed(f"`{field}` is not an object")
    return found


def _header(name: str, value: Any) -> tuple[str, str]:
    if not isinstance(value, str | int | float):
        raise _malformed(f"the header `{name}` is neither text nor a number")
    text = value if isinstance(value, str) else json.dumps(value)
    if not _NAME.fullmatch(name) or _CONTROL.search(text):
        raise _malformed("a header's name or value has characters that HTTP does not allow")
    return name.lower(), text


def _encode(text: str) -> bytes:
    return text.encode(errors="replace")  # JSON can hold half a surrogate pair, UTF-8 cannot


def _malformed(why: str) -> IntegrationFailedError:
    return IntegrationFailedError(f"The function's answer has not the shape that API Gateway expects: {why}")


REPLIES = {"1.0": reply_1_0, "2.0": reply_2_0, REST_PAYLOAD: reply_rest}
