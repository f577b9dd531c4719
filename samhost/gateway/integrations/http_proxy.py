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
from samhost.gateway.errors import (
    IntegrationFailedError,
    IntegrationTimedOutError,
    IntegrationUnavailableError,
    LoadBalancerUnavailableError,
)
from samhost.gateway.exchange import Exchange
from samhost.gateway.mapping.expressions import Source
from samhost.gateway.messages import Headers, Response
from samhost.gateway.routing import ANY, Route
from samhost.gateway.targets import CloudMapService, HttpTarget

SendRequest = Callable[[Origin, str, str, Headers, bytes], Awaitable[Response]]

_PATH_SAFE = "/:@!$&'()*+,;=~"  # what may stand in a path as it is: RFC 3986, section 3.3


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
        body = await exchange.body()
        path_and_query = _path_and_query(exchange, route, target, body)
        overwritten = route.request_changes.overwritten_headers
        headers = exchange.api.type.to_backend(exchange, overwritten)
        host = exchange.outgoing.header("host") if "host" in overwritten else target.host

        def send(server: Origin) -> Awaitable[Response]:
            named = [("host", host or server.authority), *headers]  # its own name by default [inf]
            return self._send_request(server, method, path_and_query, named, body)

        try:
            async with asyncio.timeout(target.timeout):
                answer = await self._answer(target.backend, send)
        except TimeoutError:
            what = f"{_name(target, path_and_query)} took more than {target.timeout} s"
            raise IntegrationTimedOutError(what) from None
        except BadAnswerError as error:
            raise IntegrationFailedError(f"{_name(target, path_and_query)}: {error}") from error
        except ConnectionError as error:
            kind = LoadBalancerUnavailableError if target.host else IntegrationUnavailableError
            raise kind(f"{_name(target, path_and_query)}: {error}") from error
        exchange.integration_status = answer.status
        return Response(answer.status, exchange.api.type.from_backend(method, answer.headers), answer.body)

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
    return (target.host or target.backend.authority) + path_and_query.partition("?")[0]


def _path_and_query(exchange: Exchange, route: Route, target: HttpTarget, body: bytes) -> str:
    """The target's path with the values of path variables, each percent-encoded, and the client's query.

    A private integration gets the request's own path, with the stage unless `overwrite:path` leaves it away [doc].
    """
    source = Source(exchange, body)
    mapped = {name: expression.value(source) or "" for name, expression in target.path_values.items()}
    values = {name: _encoded(value) for name, value in (exchange.path_parameters | mapped).items()}
    path, _, query = (target.filled(values) or "").partition("?")
    if target.target is None or route.request_changes.overwrites_path:  # the whole path is another then [inf]
        path = _encoded(exchange.outgoing.path)
    query = "&".join(filter(None, (query, exchange.outgoing.query)))
    return f"{path}?{query}" if query else path


def _encoded(path: str) -> str:
    return quote(path, safe=_PATH_SAFE, errors="surrogateescape")
