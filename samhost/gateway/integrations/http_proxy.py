"""HTTP proxy integrations (`http_proxy`) over the internet: the request goes to a URL, and its answer comes back.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-http.html
"""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import aiohttp
from yarl import URL

from samhost.gateway.errors import IntegrationFailedError, IntegrationTimedOutError, IntegrationUnavailableError
from samhost.gateway.exchange import Exchange
from samhost.gateway.mapping.expressions import Source
from samhost.gateway.messages import BODY_BYTES, Headers, Response
from samhost.gateway.routing import ANY, Route
from samhost.gateway.targets import HttpTarget

SendRequest = Callable[[str, str, Headers, bytes], Awaitable[Response]]

_PATH_SAFE = "/:@!$&'()*+,;=~"  # what may stand in a path as it is: RFC 3986, section 3.3


class HttpProxy:
    """Sends requests on to URLs."""

    def __init__(self, send_request: SendRequest):
        """Use `send_request` for every request; it raises as `send_request` does."""
        self._send_request = send_request

    async def invoke(self, exchange: Exchange, route: Route, target: HttpTarget) -> Response:
        """Answer a request by another server.

        Raises BodyTooLargeError, IntegrationFailedError and IntegrationUnavailableError.
        """
        request, api_type = exchange.outgoing, exchange.api.type
        method = request.method if target.method == ANY else target.method
        body = await exchange.body()
        url = _url(exchange, route, target, body)
        try:
            async with asyncio.timeout(target.timeout):
                response = await self._send_request(method, url, api_type.to_backend(exchange), body)
        except TimeoutError:
            raise IntegrationTimedOutError(f"{target.uri} took more than {target.timeout} s") from None
        exchange.integration_status = response.status
        response.headers = api_type.from_backend(method, response.headers)
        return response


async def send_request(
    session: aiohttp.ClientSession, method: str, url: str, headers: Headers, body: bytes
) -> Response:
    """Send a request, and read the answer whole; redirections and compressed bodies are left to the client.

    The answer has all of its headers, those of its connection, too.

    Raises TimeoutError, IntegrationUnavailableError where nothing answers, and IntegrationFailedError where it is no
    HTTP that answers, or more than the payload quota. Which of the two AWS takes the latter for is not known [inf].
    """
    server = url.partition("?")[0]  # a query is not for the log
    try:
        async with session.request(
            method,
            URL(url, encoded=True),
            headers=[(name, _text(value)) for name, value in headers],
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
            received = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in answer.raw_headers]
            return Response(answer.status, received, bytes(content))
    except TimeoutError:
        raise
    except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as error:
        raise IntegrationFailedError(f"{server} did not answer in HTTP: {type(error).__name__}") from error
    except aiohttp.ClientError as error:
        raise IntegrationUnavailableError(f"{server} cannot be reached: {type(error).__name__}") from error


def _url(exchange: Exchange, route: Route, target: HttpTarget, body: bytes) -> str:
    """The target's URI with the values of path variables, each percent-encoded, and the client's query."""
    source = Source(exchange, body)
    mapped = {name: expression.value(source) or "" for name, expression in target.path_values.items()}
    values = {name: _encoded(value) for name, value in (exchange.path_parameters | mapped).items()}
    url, _, query = target.filled(values).partition("?")
    if route.request_changes.overwrites_path:  # the whole path is another then [inf]
        url = f"{URL(url, encoded=True).origin()}{_encoded(exchange.outgoing.path)}"
    query = "&".join(filter(None, (query, exchange.outgoing.query)))
    return f"{url}?{query}" if query else url


def _encoded(path: str) -> str:
    return quote(path, safe=_PATH_SAFE, errors="surrogateescape")


def _text(value: str) -> str:
    """A header's bytes as the text that aiohttp, which writes UTF-8, makes the same bytes of."""
    return value.encode("latin-1").decode(errors="replace")
