"""What a system allows and offers, asked before anything is sent to it."""

from dataclasses import dataclass
from typing import Any, Self

from docscan_cli.api import Api
from docscan_cli.errors import RefusedError, ServerError
from docscan_cli.files import MAX_DOCUMENT_BYTES, MAX_IMAGE_BYTES


@dataclass(frozen=True)
class Configuration:
    """The part of a system's configuration that matters here; the defaults are for what it does not say."""

    image_bytes: int = MAX_IMAGE_BYTES
    import_bytes: int = MAX_DOCUMENT_BYTES
    parallel_uploads: int = 32
    typeset_pdf: bool = True

    @classmethod
    async def of(cls, api: Api) -> Self:
        """Ask for the configuration.

        It is advice, for the system enforces its limits itself: one that cannot tell stops nobody.
        Raises UnreachableError or SignInError.
        """
        try:
            found = await api.configuration()
        except (RefusedError, ServerError):
            return cls()
        return cls(
            _number(found["limits"], "imageBytes", cls.image_bytes),
            _number(found["limits"], "importBytes", cls.import_bytes),
            _number(found["limits"], "parallelUploads", cls.parallel_uploads),
            found["features"].get("typesetPdf") is not False,
        )


def _number(limits: dict[str, Any], name: str, default: int) -> int:
    value = limits.get(name)
    return value if type(value) is int and value > 0 else default
