"""HTTP proxy integrations (`http_proxy`) over the internet: the request goes to a URL, and its answer comes back.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-http.html
"""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import aiohttp
from yarl import URL

from samhost.gateway.errors import IntegrationFailedError, IntegrationUnavailableError
from samhost.gateway.exchange import Exchange
from samhost.gateway.messages import BODY_BYTES, HOP_BY_HOP, Headers, Request, Response
from samhost.gateway.routing import ANY, Route
from samhost.gateway.targets import HttpTarget

SendRequest = Callable[[str, str, Headers, bytes], Awaitable[Response]]

_PATH_SAFE = "/:@!$&'()*+,;=~"  # what may stand in a path as it is: RFC 3986, section 3.3
# Not the client's to send on: the connection's own, and what this side says for itself.
_NOT_SENT = HOP_BY_HOP | {"content-length", "expect", "forwarded", "host", "via"}
_NOT_PASSED_BACK = HOP_BY_HOP | {"apigw-requestid", "content-length", "date"}


class HttpProxy:
    """Sends requests on to URLs."""

    def __init__(self, send_request: SendRequest):
        """Use `send_request` for every request; it raises as `send_request` does."""
        self._send_request = send_request

    async def invoke(self, exchange: Exchange, route: Route, target: HttpTarget) -> Response:
        """Answer a request by another server.

        Raises BodyTooLargeError, IntegrationFailedError and IntegrationUnavailableError.
        """
        request = exchange.outgoing
        method = request.method if target.method == ANY else target.method
        url, body = _url(exchange, route, target), await exchange.body()
        try:
            async with asyncio.timeout(target.timeout):
                response = await self._send_request(method, url, _headers(exchange.request, request.headers), body)
        except TimeoutError:
            raise IntegrationUnavailableError(f"{target.uri} took more than {target.timeout} s") from None
        exchange.integration_status = response.status
        return response


async def send_request(
    session: aiohttp.ClientSession, method: str, url: str, headers: Headers, body: bytes
) -> Response:
    """Send a request, and read the answer whole; redirections and compressed bodies are left to the client.

    Raises TimeoutError, IntegrationUnavailableError where nothing answers, and IntegrationFailedError where it is no
    HTTP that answers, or more than the payload quota. Which of the two AWS takes the latter for is not known [inf].
    """
    server = url.partition("?")[0]  # a query is not for the log
    try:
        async with session.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=body or None,
            allow_redirects=False,
            auto_decompress=False,
            skip_auto_headers=("accept", "accept-encoding", "content-type", "user-agent"),
        ) as answer:
            content = bytearray()
            async for chunk in answer.content.iter_any():
                content += chunk
                if len(content) > BODY_BYTES:
                    raise IntegrationFailedError(f"{server} answered more than {BODY_BYTES} bytes")
            return Response(answer.status, _passed_back(method, answer.raw_headers), bytes(content))
    except TimeoutError:
        raise
    except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as error:
        raise IntegrationFailedError(f"{server} did not answer in HTTP: {type(error).__name__}") from error
    except aiohttp.ClientError as error:
        raise IntegrationUnavailableError(f"{server} cannot be reached: {type(error).__name__}") from error


def _url(exchange: Exchange, route: Route, target: HttpTarget) -> str:
    """The target's URI with the values of path variables, each percent-encoded, and the client's query."""
    values = {name: _encoded(value) for name, value in exchange.path_parameters.items()}
    url, _, query = target.filled(values).partition("?")
    if route.request_changes.overwrites_path:  # the whole path is another then [inf]
        url = f"{URL(url, encoded=True).origin()}{_encoded(exchange.outgoing.path)}"
    query = "&".join(filter(None, (query, exchange.outgoing.query)))
    return f"{url}?{query}" if query else url


def _encoded(path: str) -> str:
    return quote(path, safe=_PATH_SAFE)


def _headers(client: Request, headers: Headers) -> Headers:
    """The headers that go on, with `forwarded` and `via` as backends see them [obs]; a client's own go before [inf]."""
    named = {name.strip().lower() for name in (client.header("connection") or "").split(",")}
    kept = [(name, _text(value)) for name, value in headers if name not in _NOT_SENT and name not in named]
    forwarded = f"by={client.server_ip};for={client.source_ip};host={client.header('host') or ''};proto=https"
    via = "HTTP/1.1 AmazonAPIGateway"
    return [
        *kept,
        ("forwarded", ", ".join(filter(None, (client.header("forwarded"), forwarded)))),
        ("via", ", ".join(filter(None, (client.header("via"), via)))),
    ]


def _text(value: str) -> str:
    """A header's bytes as the text that aiohttp, which writes UTF-8, makes the same bytes of."""
    return value.encode("latin-1").decode(errors="replace")


def _passed_back(method: str, raw: tuple[tuple[bytes, bytes], ...]) -> Headers:
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw]
    named = {part.strip().lower() for name, value in headers if name == "connection" for part in value.split(",")}
    dropped = _NOT_PASSED_BACK | named
    if method == "HEAD":  # says how long the body would be
        dropped -= {"content-length"}
    return [(name, value) for name, value in headers if name not in dropped]
