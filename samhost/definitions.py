"""The definition of an API that is served: one OpenAPI document, which can be imported again as it is."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from samhost.errors import SamhostError
from samhost.gateway.document import NOT_SERVED


def _to_json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _to_yaml(document: Mapping[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


FORMATS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {"json": _to_json, "yaml": _to_yaml}


def read_definition(gateway_file: Path, name: str) -> dict[str, Any]:
    """Return the document of an API by its name, from what the gateway was told to serve.

    It is the template's own, with what it includes and what SAM adds to it, and the values of the running stack in the
    place of intrinsic functions. Raises SamhostError where no API of that name is served.
    """
    documents = {api["name"]: api["document"] for api in json.loads(gateway_file.read_text())["apis"]}
    if name not in documents:
        raise SamhostError(f"There is no API {name}. There are: {', '.join(documents) or 'none'}.")
    return documents[name]


def missing_parts(document: Mapping[str, Any]) -> Iterator[str]:
    """Say of each integration and authorizer that is not in a document, because it cannot be there locally, why."""
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            if isinstance(operation, dict) and (reason := _reason(operation.get("x-amazon-apigateway-integration"))):
                yield f"{method.upper().removeprefix('X-AMAZON-APIGATEWAY-').removesuffix('-METHOD')} {path}: {reason}"
    for name, scheme in document.get("components", {}).get("securitySchemes", {}).items():
        if reason := _reason(scheme.get("x-amazon-apigateway-authorizer")):
            yield f"authorizer {name}: {reason}"


def _reason(part: Any) -> str | None:
    return part.get(NOT_SERVED) if isinstance(part, dict) else None
