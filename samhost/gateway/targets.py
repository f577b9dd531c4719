"""What a route leads to, as its document says: the settings of each kind of integration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samhost.gateway.errors import UnsupportedError

PAYLOAD_FORMATS = ("2.0", "1.0")
_URI = re.compile(
    r"(?:arn:[\w-]+:apigateway:[\w-]+:lambda:path/2015-03-31/functions/)?"
    r"(?P<function>arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?)"
    r"(?:/invocations)?"
)


@dataclass(frozen=True)
class LambdaTarget:
    """The function behind a route, the format of its payloads, and how many seconds it may take."""

    function: str  # an ARN, with a version or alias where the document names one
    payload_format: str
    timeout: float
    type = "aws_proxy"

    @classmethod
    def load(cls, definition: Mapping[str, Any], timeout: float) -> "LambdaTarget":
        """Read an integration; raises UnsupportedError."""
        if "integrationSubtype" in definition:
            raise UnsupportedError(f"the service integration {definition['integrationSubtype']}")
        payload_format = str(definition.get("payloadFormatVersion"))
        if payload_format not in PAYLOAD_FORMATS:
            raise UnsupportedError(
                f"payloadFormatVersion {payload_format} (one of {', '.join(PAYLOAD_FORMATS)} is required)"
            )
        uri = _URI.fullmatch(str(definition.get("uri")))
        if uri is None:
            raise UnsupportedError(f"an integration uri that is not a Lambda function's: {definition.get('uri')}")
        return cls(uri["function"], payload_format, timeout)


@dataclass(frozen=True)
class NotEmulatedTarget:
    """Why a route is refused."""

    reason: str
    type = "not_emulated"
