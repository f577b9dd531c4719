"""Throttling: developer guide, `http-api-throttling`; the account's own limits are not emulated."""

import asyncio
from collections import Counter

import httpx
import pytest

from samhost.gateway.errors import ConfigurationError, TooManyRequestsError
from samhost.gateway.throttling import Limits, Throttle


def limits(rate=None, burst=None):
    settings = {"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst}
    return {name: value for name, value in settings.items() if value is not None}


@pytest.fixture
def throttled(serve):
    """Serve routes with a stage's throttling settings; `throttled(*keys, default={}, routes={}, **options)`."""

    def build(*keys, default=None, routes=None, **options):
        settings = {"defaultRouteSettings": default or {}, "routeSettings": routes or {}}
        return serve(*keys, settings=settings, **options)

    return build


def statuses(api, *requests):
    return [api.request(*request.split()).status_code for request in requests]


def test_a_request_over_the_limit_is_429_and_reaches_no_function(throttled):
    api = throttled("GET /pets", default=limits(rate=0, burst=1))
    assert api.get("/pets").status_code == 200
    answer = api.get("/pets")
    assert (answer.status_code, answer.content) == (429, b'{"message":"Too Many Requests"}')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["apigw-requestid"]
    assert len(api.functions.invoked) == 1
    assert api.last_log["status"] == 429


def test_a_burst_passes_at_once_and_then_the_rate_counts():
    now = 100.0
    throttle = Throttle({"GET /pets": Limits(rate=2, burst=3)}, lambda: now)

    def passed(requests):
        count = 0
        for _ in range(requests):
            try:
                throttle.take("GET /pets")
            except TooManyRequestsError:
                continue
            count += 1
        return count

    assert passed(10) == 3
    now += 0.4
    assert passed(10) == 0  # less than one token has come
    now += 0.1
    assert passed(10) == 1  # refused requests took none
    now += 1000
    assert passed(10) == 3  # a bucket holds no more than the burst


def test_a_concurrent_flood_gets_the_burst_through_and_no_more(throttled, functions):
    functions.seconds = 0.01
    api = throttled("GET /pets", default=limits(rate=0, burst=50), functions=functions)

    async def flood():
        transport = httpx.ASGITransport(api.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
            answers = await asyncio.gather(*(client.get("/pets") for _ in range(500)))
        return Counter(answer.status_code for answer in answers)

    assert asyncio.run(flood()) == {200: 50, 429: 450}
    assert len(functions.invoked) == 50


def test_each_route_has_a_bucket_of_its_own(throttled):
    api = throttled("GET /pets", "POST /pets", "GET /pets/{id}", default=limits(rate=0, burst=1))
    assert statuses(api, "GET /pets", "POST /pets", "GET /pets/1") == [200, 200, 200]
    assert statuses(api, "GET /pets", "POST /pets", "GET /pets/2") == [429, 429, 429]


def test_all_methods_of_an_any_route_share_its_bucket(throttled):
    api = throttled("ANY /pets", default=limits(rate=0, burst=1))
    assert statuses(api, "GET /pets", "POST /pets") == [200, 429]


def test_a_routes_own_settings_stand_in_for_the_default_ones(throttled):
    api = throttled("GET /a", "GET /b", default=limits(rate=0, burst=1), routes={"GET /b": limits(burst=2)})
    assert statuses(api, "GET /a", "GET /a") == [200, 429]
    assert statuses(api, "GET /b", "GET /b", "GET /b") == [200, 200, 429]


def test_a_route_without_settings_is_not_throttled(throttled):
    api = throttled("GET /a", "GET /b", routes={"GET /a": limits(rate=0, burst=0)})
    assert statuses(api, "GET /a") == [429]
    assert statuses(api, *["GET /b"] * 20) == [200] * 20


@pytest.mark.parametrize("zero", [{"rate": 0, "burst": 0}, {"rate": 100, "burst": 0}])
def test_a_burst_of_zero_lets_nothing_through(throttled, zero):
    assert statuses(throttled("GET /pets", default=limits(**zero)), "GET /pets") == [429]


def test_the_default_route_is_limited_by_its_key(throttled):
    api = throttled("$default", routes={"$default": limits(rate=0, burst=1)})
    assert statuses(api, "GET /a", "PUT /b") == [200, 429]


def test_throttling_comes_before_the_authorizer(throttled, secured, token):
    api = throttled("GET /pets", default=limits(rate=0, burst=1), **secured)
    assert statuses(api, "GET /pets") == [401]
    assert api.get("/pets", headers={"authorization": token()}).status_code == 429


def test_what_no_route_takes_and_preflights_are_not_counted(throttled):
    cors = {"x-amazon-apigateway-cors": {"allowOrigins": ["*"], "allowMethods": ["*"]}}
    api = throttled("GET /pets", default=limits(rate=0, burst=1), **cors)
    preflight = {"origin": "https://a.example", "access-control-request-method": "GET"}
    assert [api.request("OPTIONS", "/pets", headers=preflight).status_code for _ in range(3)] == [204] * 3
    assert statuses(api, "GET /other", "GET /pets", "GET /pets") == [404, 200, 429]
    assert api.get("/pets", headers=preflight).headers["access-control-allow-origin"] == "*"


def test_values_may_be_text_as_parameters_resolve_to(throttled):
    assert throttled("GET /pets", default=limits(rate="0.5", burst="7")).api.limits == {"GET /pets": Limits(0.5, 7)}


@pytest.mark.parametrize(
    ("default", "routes", "why"),
    [
        ({}, {"GET /birds": limits(rate=1)}, "GET /birds, which is not in the document"),
        (limits(rate="many"), {}, "not numbers"),
        (limits(rate=-1), {}, "from 0 to 10000"),
        (limits(rate=10_001), {}, "the account's limits"),
        (limits(burst=5001), {}, "the account's limits"),
    ],
)
def test_settings_that_aws_refuses_stop_the_gateway(throttled, default, routes, why):
    with pytest.raises(ConfigurationError, match=why) as raised:
        throttled("GET /pets", default=default, routes=routes)
    assert "TestApi" in str(raised.value)
