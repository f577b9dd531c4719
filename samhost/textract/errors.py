"""What Textract answers when it cannot do what was asked.

    TextractError
    ├── BadDocumentError            BadDocumentException                400
    ├── DocumentTooLargeError       DocumentTooLargeException           400
    ├── InternalServerError         InternalServerError                 500
    ├── InvalidParameterError       InvalidParameterException           400
    ├── InvalidS3ObjectError        InvalidS3ObjectException            400
    ├── MissingAuthenticationError  MissingAuthenticationTokenException 400
    ├── SerializationError          SerializationException              400
    ├── ThrottlingError             ThrottlingException                 500
    ├── UnknownOperationError       UnknownOperationException           400
    └── UnsupportedDocumentError    UnsupportedDocumentException        400

Names and statuses: https://docs.aws.amazon.com/textract/latest/dg/API_DetectDocumentText.html and CommonErrors.html.
SerializationException and UnknownOperationException are what services of the AWS JSON 1.1 protocol answer.
"""

from typing import ClassVar


class TextractError(Exception):
    """An error of Textract's; its message is for people, and holds nothing of the document."""

    code: ClassVar[str]
    status: ClassVar[int] = 400


class BadDocumentError(TextractError):
    """The document is of a supported format, but cannot be read, or is beyond the limits of one."""

    code = "BadDocumentException"


class DocumentTooLargeError(TextractError):
    """The document has too many bytes."""

    code = "DocumentTooLargeException"


class InternalServerError(TextractError):
    """A fault of this service."""

    code = "InternalServerError"
    status = 500


class InvalidParameterError(TextractError):
    """The request is well formed and asks for something that makes no sense."""

    code = "InvalidParameterException"


class InvalidS3ObjectError(TextractError):
    """The object in S3 cannot be read."""

    code = "InvalidS3ObjectException"


class MissingAuthenticationError(TextractError):
    """The request is not signed."""

    code = "MissingAuthenticationTokenException"


class SerializationError(TextractError):
    """The request is not what the protocol prescribes."""

    code = "SerializationException"


class ThrottlingError(TextractError):
    """Too much is being asked at once; worth trying again."""

    code = "ThrottlingException"
    status = 500


class UnknownOperationError(TextractError):
    """Textract has no such operation, or it is not offered here."""

    code = "UnknownOperationException"


class UnsupportedDocumentError(TextractError):
    """The document is of a format that is not read."""

    code = "UnsupportedDocumentException"
