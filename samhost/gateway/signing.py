"""AWS Signature Version 4 for calls to the engine, with the signing keys kept: each is good for a day.

botocore derives the key anew for every request, which costs more than all the rest of a signature.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote


class Credentials(NamedTuple):
    """An access key; `token` belongs to those of a session."""

    access_key: str
    secret_key: str
    token: str | None = None


class Scope(NamedTuple):
    """What a signature is good for: a service by its signing name, in a region."""

    service: str
    region: str


def signed_headers(
    credentials: Credentials, scope: Scope, method: str, host: str, target: str, headers: Mapping[str, str], body: bytes
) -> dict[str, str]:
    """The headers of a request with its signature; `target` is the percent-encoded path and query.

    The names of `headers` are lower case, and their values have neither spaces at their ends nor several in a row. The
    parameters of the query are encoded as AWS asks (RFC 3986), and have values. Not for S3, which encodes paths once.
    """
    timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    date = timestamp[:8]
    signed = {**headers, "host": host, "x-amz-date": timestamp}
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    names = sorted(signed)
    path, _, query = target.partition("?")
    canonical = "\n".join(
        (
            method,
            _canonical_path(path),
            "&".join(sorted(query.split("&"))),
            *(f"{name}:{signed[name]}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        )
    )
    credential = f"{date}/{scope.region}/{scope.service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{timestamp}\n{credential}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = _signing_key(credentials.secret_key, date, scope)
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{credential}, "
        f"SignedHeaders={';'.join(names)}, Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"
    )
    return signed


@lru_cache(maxsize=1024)
def _canonical_path(path: str) -> str:
    return quote(path, safe="/~")


@lru_cache(maxsize=256)
def _signing_key(secret_key: str, date: str, scope: Scope) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (date, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
