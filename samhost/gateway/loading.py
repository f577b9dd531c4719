"""Loads an API of whichever type from an entry of the configuration."""

from collections.abc import Iterable, Mapping
from typing import Any

from samhost.gateway import document, rest_document
from samhost.gateway.api_types.http_api import HTTP_API
from samhost.gateway.api_types.rest_api import REST_API
from samhost.gateway.document import Api

_LOADERS = {HTTP_API.name: document.load, REST_API.name: rest_document.load_rest}


def load(
    definition: Mapping[str, Any], region: str, account_id: str, load_balancers: Iterable[Mapping[str, Any]] = ()
) -> Api:
    """Load one entry of the configuration's `apis`, by its `type`, which is HTTP where there is none.

    `load_balancers` are the configuration's, too.

    Raises ConfigurationError where API Gateway would not import the document as a whole.
    """
    return _LOADERS[definition.get("type", HTTP_API.name)](definition, region, account_id, load_balancers)
