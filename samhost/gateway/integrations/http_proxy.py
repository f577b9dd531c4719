"""HTTP proxy integrations (`http_proxy`): the request goes to another server, and its answer comes back.

Over the internet that is the server of a URL; through a VPC link an instance of a Cloud Map service, or the listener of
a load balancer.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-http.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-private.html
"""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from samhost.gateway.cloud_map import CloudMap
from samhost.gateway.connections import BadAnswerError, Origin, UnreachableError
from samhost.gateway.errors import IntegrationFailedError, IntegrationUnavailableError
from samhost.gateway.exchange import Exchange
from samhost.gateway.messages import HOP_BY_HOP, Headers, Response
from samhost.gateway.routing import ANY, Route
from samhost.gateway.targets import CloudMapService, HttpTarget

SendRequest = Callable[[Origin, str, str, Headers, bytes], Awaitable[Response]]

_PATH_SAFE = "/:@!$&'()*+,;=~"  # what may stand in a path as it is: RFC 3986, section 3.3
# Not the client's to send on: the connection's own, and what this side says for itself.
_NOT_SENT = HOP_BY_HOP | {"content-length", "expect", "forwarded", "host", "via"}
_NOT_PASSED_BACK = HOP_BY_HOP | {"apigw-requestid", "content-length", "date"}


class HttpProxy:
    """Sends requests on to other servers."""

    def __init__(self, send_request: SendRequest, cloud_map: CloudMap):
        """Use `send_request`, which raises as `Client.send` does; Cloud Map knows the instances of its services."""
        self._send_request = send_request
        self._cloud_map = cloud_map

    async def invoke(self, exchange: Exchange, route: Route, target: HttpTarget) -> Response:
        """Answer a request by another server.

        Redirections and compressed bodies are left to the client. What HTTP APIs take an answer for that is no HTTP, or
        more than the payload quota, is not known [inf].
        Raises BodyTooLargeError, IntegrationFailedError and IntegrationUnavailableError.
        """
        method = exchange.request.method if target.method == ANY else target.method
        path_and_query, body = _path_and_query(exchange, route, target), await exchange.body()
        overwritten = route.request_changes.overwritten_headers
        headers = _headers(exchange, overwritten)
        host = exchange.outgoing.header("host") if "host" in overwritten else None

        def send(server: Origin) -> Awaitable[Response]:
            named = [("host", host or server.authority), *headers]  # its own name by default [inf]
            return self._send_request(server, method, path_and_query, named, body)

        try:
            async with asyncio.timeout(target.timeout):
                answer = await self._answer(target.backend, send)
        except TimeoutError:
            what = f"{_name(target, path_and_query)} took more than {target.timeout} s"
            raise IntegrationUnavailableError(what) from None
        except BadAnswerError as error:
            raise IntegrationFailedError(f"{_name(target, path_and_query)}: {error}") from error
        except ConnectionError as error:
            raise IntegrationUnavailableError(f"{_name(target, path_and_query)}: {error}") from error
        exchange.integration_status = answer.status
        return Response(answer.status, _passed_back(method, answer.headers), answer.body)

    async def _answer(
        self, backend: Origin | CloudMapService, send: Callable[[Origin], Awaitable[Response]]
    ) -> Response:
        """Send a request to a server, or to any healthy instance of a service.

        An instance that refuses the connection has seen nothing of the request, so another one gets it: whether API
        Gateway does so is not documented [inf], but without it each stop of a task would cost requests. Once sent, a
        request is never sent again, for it may have had its effect.
        """
        if isinstance(backend, Origin):
            return await send(backend)
        listing = await self._cloud_map.listing(backend)
        if not listing.instances:
            raise IntegrationFailedError(f"No target endpoints found for integration {backend.arn}")
        while instance := listing.pick():
            try:
                return await send(instance)
            except UnreachableError:
                listing.refuse(instance)
        raise UnreachableError("none of the instances accepts connections")


def _name(target: HttpTarget, path_and_query: str) -> str:
    """What a log may say of where a request went: a query is not for it."""
    if isinstance(target.backend, CloudMapService):
        return target.backend.arn
    return target.backend.authority + path_and_query.partition("?")[0]


def _path_and_query(exchange: Exchange, route: Route, target: HttpTarget) -> str:
    """The target's path with the values of path variables, each percent-encoded, and the client's query.

    A private integration gets the request's own path, with the stage unless `overwrite:path` leaves it away [doc].
    """
    values = {name: _encoded(value) for name, value in exchange.path_parameters.items()}
    path, _, query = (target.filled(values) or "").partition("?")
    if target.target is None or route.request_changes.overwrites_path:  # the whole path is another then [inf]
        path = _encoded(exchange.outgoing.path)
    query = "&".join(filter(None, (query, exchange.outgoing.query)))
    return f"{path}?{query}" if query else path


def _encoded(path: str) -> str:
    return quote(path, safe=_PATH_SAFE)


def _headers(exchange: Exchange, overwritten: frozenset[str]) -> Headers:
    """The headers that go on, with `forwarded` and `via` as backends see them [obs]; a client's own go before [inf].

    No `connection` of a client takes those away that are the gateway's own.
    """
    client = exchange.request
    named = {name.strip().lower() for name in (client.header("connection") or "").split(",")} - overwritten
    forwarded = f"by={client.server_ip};for={client.source_ip};host={client.header('host') or ''};proto=https"
    via = "HTTP/1.1 AmazonAPIGateway"
    return [
        *((name, value) for name, value in exchange.outgoing.headers if name not in _NOT_SENT and name not in named),
        ("forwarded", ", ".join(filter(None, (client.header("forwarded"), forwarded)))),
        ("via", ", ".join(filter(None, (client.header("via"), via)))),
    ]


def _passed_back(method: str, headers: Headers) -> Headers:
    named = {part.strip().lower() for name, value in headers if name == "connection" for part in value.split(",")}
    dropped = _NOT_PASSED_BACK | named
    if method == "HEAD":  # says how long the body would be
        dropped -= {"content-length"}
    return [(name, value) for name, value in headers if name not in dropped]
