"""The gateway of one API as an ASGI application: a list of stages, read from top to bottom."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from samhost.gateway import access_log
from samhost.gateway.authorizers import Authorizer
from samhost.gateway.cors import is_preflight, without_cors
from samhost.gateway.document import Api
from samhost.gateway.errors import GatewayError, HeadersTooLargeError
from samhost.gateway.exchange import Exchange
from samhost.gateway.integrations import Integration
from samhost.gateway.mapping.expressions import Source
from samhost.gateway.messages import Receive, Request, Response
from samhost.gateway.routing import DEFAULT
from samhost.gateway.throttling import Throttle

HEAD_BYTES = 10_240  # request line and headers together [doc]
_log = logging.getLogger(__name__)

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Stage = Callable[[Exchange], Awaitable[Response | None]]


class Gateway:
    """Serves one API. The first stage that answers ends the way; an error is an answer too."""

    def __init__(
        self,
        deployments: Sequence[Api],
        authorizers: Mapping[str, Authorizer],
        integrations: Mapping[str, Integration],
        log: Callable[[str], None],
    ):
        """Ask authorizers and integrations by the type that a route names; `log` takes a line for each request.

        `deployments` is the API as each of its stages has it. To a path that names none of them, the first one answers.
        """
        self._first = deployments[0]
        self._deployments = {api.stage: api for api in deployments}
        self._authorizers = authorizers
        self._integrations = integrations
        self._throttles = {api.stage: Throttle(api.limits) for api in deployments}
        self._log = log
        self._stages: tuple[Stage, ...] = (
            self._limit_head,
            self._find_route,
            self._answer_preflight,
            self._throttle_route,
            self._authorize,
            self._integrate,
        )

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve an ASGI HTTP scope; the server has no other."""
        request = Request.from_scope(scope, receive)
        api, path = self._deployment(request.path)
        exchange = Exchange(api, request, path=path)
        response = exchange.response = await self._respond(exchange)
        exchange.response_seconds = time.perf_counter() - exchange.started
        self._log(access_log.line(exchange, response))
        headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in response.headers]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _respond(self, exchange: Exchange) -> Response:
        try:
            response = await self._run_stages(exchange)
        except GatewayError as error:
            exchange.failure = error
            response = exchange.api.type.answer(error)
        except Exception:  # noqa: BLE001  # the outermost edge: one request's defect ends no other
            _log.exception("Request %s: a defect of the gateway", exchange.request_id)
            exchange.failure = GatewayError()
            response = exchange.api.type.answer(exchange.failure)
        if cors := exchange.api.cors:
            response.headers = without_cors(response.headers) + cors.answer_headers(exchange.request)
        # An answer to HEAD may bring along how long its body would be.
        if response.status not in (204, 304) and not any(name == "content-length" for name, _ in response.headers):
            response.headers.append(("content-length", str(len(response.body))))
        response.headers += exchange.api.type.identification(exchange)
        return response

    async def _run_stages(self, exchange: Exchange) -> Response:
        for stage in self._stages:
            response = await stage(exchange)
            if response is not None:
                return response
        raise GatewayError("No stage answered")

    async def _limit_head(self, exchange: Exchange) -> None:
        if exchange.request.head_size > HEAD_BYTES:
            raise HeadersTooLargeError(f"{exchange.request.head_size} bytes of request line and headers")

    async def _find_route(self, exchange: Exchange) -> None:
        match = exchange.api.router.match(exchange.request.method, exchange.path) if exchange.path else None
        if match:
            exchange.route, exchange.path_parameters = match

    async def _answer_preflight(self, exchange: Exchange) -> Response | None:
        """Answer for OPTIONS that has no route; one that has takes the request, authorizer and all [doc]."""
        if exchange.route is None and exchange.api.cors and is_preflight(exchange.request):
            return Response(204, [])
        return None

    async def _throttle_route(self, exchange: Exchange) -> None:
        """Count the request before anything is asked about its caller, so that authorizers are protected, too [inf]."""
        self._throttles[exchange.api.stage].take(exchange.matched_route().key)

    async def _authorize(self, exchange: Exchange) -> None:
        route = exchange.matched_route()
        if route.authorizer:
            authorizer = self._authorizers[route.authorizer.type]
            exchange.caller = await authorizer.authorize(exchange, route.authorizer)

    async def _integrate(self, exchange: Exchange) -> Response:
        route = exchange.matched_route()
        integration = self._integrations[route.target.type]
        if route.request_changes.changes:
            body = await exchange.body() if route.request_changes.reads_body else b""
            exchange.mapped = route.request_changes.apply(Source(exchange, body))
        started = time.perf_counter()
        try:
            response = await integration.invoke(exchange, route, route.target)
        finally:
            exchange.integration_seconds = time.perf_counter() - started
        exchange.backend_status = response.status
        return route.response_changes.apply(Source(exchange, response=response), response)

    def _deployment(self, path: str) -> tuple[Api, str]:
        """The API on the stage that a path names, and the rest of the path, which is empty where it names none.

        `$default` is in no path.
        """
        if DEFAULT in self._deployments:
            return self._deployments[DEFAULT], path
        stage, slash, rest = path.removeprefix("/").partition("/")
        if stage not in self._deployments:
            return self._first, ""
        return self._deployments[stage], slash + rest or "/"
