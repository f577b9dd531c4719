"""How services are called: as an integration's role, in a region."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from samhost.gateway.engine import Engine, Reply
from samhost.gateway.errors import BadRequestError
from samhost.gateway.signing import Credentials

type Parameters = Mapping[str, str]
type Operation = Callable[[Parameters, "RoleClient"], Awaitable[Reply]]

FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class RoleClient:
    """Calls services as the role of an integration; `engine` calls them as the gateway."""

    engine: Engine
    role: str
    credentials: Credentials
    region: str
    account_id: str

    async def query(self, service: str, parameters: Sequence[tuple[str, str]]) -> Reply:
        """Call by the query protocol, which answers XML."""
        return await self._post(service, urlencode(parameters).encode(), FORM)

    async def json(self, service: str, target: str, version: str, parameters: Mapping[str, Any]) -> Reply:
        """Call by the JSON protocol; `target` is the value of `X-Amz-Target`."""
        headers = {"content-type": f"application/x-amz-json-{version}", "x-amz-target": target}
        return await self._post(service, json.dumps(parameters, separators=(",", ":")).encode(), headers)

    async def _post(self, service: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        return await self.engine.call(
            service, "POST", "/", body, headers=headers, credentials=self.credentials, region=self.region
        )


def text_list(name: str, value: str) -> list[str]:
    """A parameter that is a list: JSON, or items with commas between, as several values of a query parameter arrive.

    How API Gateway reads lists is not documented [inf]. Raises BadRequestError.
    """
    if not value.lstrip().startswith("["):
        return [item.strip() for item in value.split(",") if item.strip()]
    items = json_value(name, value)
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise BadRequestError(f"{name} is not a list of text")
    return items


def json_value(name: str, value: str) -> Any:
    """A parameter that is JSON; raises BadRequestError."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise BadRequestError(f"{name} is not JSON") from None
