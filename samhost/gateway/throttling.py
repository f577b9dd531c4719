"""Throttling: a token bucket for each route that the stage's settings limit.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html

The account's own limits (10,000 requests a second, bursts of 5,000) belong to all APIs of a region together. No single
machine comes near them, so they are not emulated: a route without settings is not throttled.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from samhost.gateway.errors import ConfigurationError, TooManyRequestsError

ACCOUNT_RATE, ACCOUNT_BURST = 10_000, 5_000  # what a setting that is left out comes to [inf]; no setting exceeds them
_RATE, _BURST = "ThrottlingRateLimit", "ThrottlingBurstLimit"


@dataclass(frozen=True)
class Limits:
    """How many requests a route takes: `rate` a second in the long run, and `burst` at once."""

    rate: float
    burst: int


def load_limits(
    default: Mapping[str, Any], by_route: Mapping[str, Mapping[str, Any]], route_keys: Iterable[str]
) -> dict[str, Limits]:
    """The limits of each route that has some, from a stage's DefaultRouteSettings and RouteSettings.

    A route's own settings stand in for the default ones, and each route has a bucket of its own [inf]. Raises
    ConfigurationError for settings that API Gateway refuses, those of a route that is not there among them [obs].
    """
    keys = list(route_keys)
    for key in by_route:
        if key not in keys:
            raise ConfigurationError(f"RouteSettings names the route {key}, which is not in the document")
    limits = {key: _limits(key, {**default, **by_route.get(key, {})}) for key in keys}
    return {key: value for key, value in limits.items() if value}


def _limits(key: str, settings: Mapping[str, Any]) -> Limits | None:
    if _RATE not in settings and _BURST not in settings:
        return None
    try:
        limits = Limits(float(settings.get(_RATE, ACCOUNT_RATE)), int(settings.get(_BURST, ACCOUNT_BURST)))
    except (TypeError, ValueError):
        raise ConfigurationError(f"The throttling settings of {key} are not numbers: {dict(settings)}") from None
    if not 0 <= limits.rate <= ACCOUNT_RATE or not 0 <= limits.burst <= ACCOUNT_BURST:
        raise ConfigurationError(
            f"{key}: {_RATE} is from 0 to {ACCOUNT_RATE} and {_BURST} from 0 to {ACCOUNT_BURST}, the account's limits"
        )
    return limits


class Throttle:
    """The buckets of an API's routes. A bucket holds `burst` tokens, gets `rate` a second, and a request takes one."""

    def __init__(self, limits: Mapping[str, Limits], clock: Callable[[], float] = time.monotonic):
        """Start with full buckets."""
        self._limits = limits
        self._clock = clock
        self._buckets = {key: (float(limit.burst), clock()) for key, limit in limits.items()}

    def take(self, route_key: str) -> None:
        """Count a request; raises TooManyRequestsError where the route's bucket is empty."""
        limits = self._limits.get(route_key)
        if limits is None:
            return
        tokens, filled = self._buckets[route_key]
        now = self._clock()
        tokens = min(limits.burst, tokens + (now - filled) * limits.rate)
        self._buckets[route_key] = (tokens - 1 if tokens >= 1 else tokens), now
        if tokens < 1:
            raise TooManyRequestsError(f"More than {limits.rate:g} requests a second (bursts of {limits.burst})")
