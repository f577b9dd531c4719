"""The document that a DetectDocumentText request is about: its bytes, as sent or from S3."""

import base64
import binascii
import json
import threading
from typing import Any

from samhost.textract.errors import (
    DocumentTooLargeError,
    InvalidParameterError,
    InvalidS3ObjectError,
    SerializationError,
)
from samhost.textract.image import MAX_BYTES

_clients = threading.local()


def read_document(body: bytes) -> bytes:
    """Return the bytes of the document in a request's body, fetched from S3 where it names an object.

    S3 is reached as boto3 finds it (AWS_ENDPOINT_URL), with this process's credentials: it cannot know the caller's.
    Blocks. Raises SerializationError, InvalidParameterError, InvalidS3ObjectError or DocumentTooLargeError.
    """
    try:
        request = json.loads(body)
    except ValueError as error:
        raise SerializationError("The body is not JSON.") from error
    document = _member(_typed(request, dict, "The body"), "Document", dict)
    if document is None:
        raise InvalidParameterError("Request has invalid parameters: Document is missing.")
    encoded, s3_object = _member(document, "Bytes", str), _member(document, "S3Object", dict)
    if encoded is not None and s3_object is None:
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise SerializationError("Document.Bytes is not base64.") from error
    if s3_object is not None and encoded is None:
        return _fetch(s3_object)
    raise InvalidParameterError("Request has invalid parameters: give either Document.Bytes or Document.S3Object.")


def _typed[T](value: object, kind: type[T], what: str) -> T:
    if not isinstance(value, kind):
        raise SerializationError(f"{what} is not {'an object' if kind is dict else 'a string'}.")
    return value


def _member[T](structure: dict[str, Any], name: str, kind: type[T]) -> T | None:
    value = structure.get(name)
    return None if value is None else _typed(value, kind, name)


def _fetch(s3_object: dict[str, Any]) -> bytes:
    bucket, name = _member(s3_object, "Bucket", str), _member(s3_object, "Name", str)
    if not bucket or not name:
        raise InvalidParameterError("Request has invalid parameters: S3Object needs Bucket and Name.")
    version = _member(s3_object, "Version", str)

    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = _s3().get_object(Bucket=bucket, Key=name, **({"VersionId": version} if version else {}))
        with answer["Body"] as stream:
            content = stream.read(MAX_BYTES + 1)
    except (BotoCoreError, ClientError) as error:
        raise InvalidS3ObjectError(
            "Unable to get object metadata from S3. Check object key, region and/or access permissions."
        ) from error
    if len(content) > MAX_BYTES:
        raise DocumentTooLargeError(f"The object is larger than {MAX_BYTES:,} bytes.")
    return content


def _s3():
    """Return this thread's S3 client, made when first asked for: sessions, which make clients, are not thread-safe."""
    if not hasattr(_clients, "s3"):
        import boto3
        from botocore.config import Config

        config = Config(signature_version="s3v4", connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3})
        _clients.s3 = boto3.Session().client("s3", config=config)
    return _clients.s3
