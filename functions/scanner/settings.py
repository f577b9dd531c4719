"""What the environment says, read once and on first use, so that each function needs only the variables it uses."""

import os
from functools import cached_property


class MissingSettingError(RuntimeError):
    """An environment variable that the function needs is not set."""

    def __init__(self, variable: str) -> None:
        super().__init__(f"The environment variable {variable} is not set; template.yaml sets it for every function.")
        self.variable = variable


class Settings:
    """The environment, typed."""

    @cached_property
    def projects_table(self) -> str:
        """The table of projects."""
        return _required("PROJECTS_TABLE")

    @cached_property
    def pages_table(self) -> str:
        """The table of pages."""
        return _required("PAGES_TABLE")

    @cached_property
    def usage_table(self) -> str:
        """The table of usage."""
        return _required("USAGE_TABLE")

    @cached_property
    def pages_per_day(self) -> int:
        """How many images a user may upload in a day."""
        return int(_required("PAGES_PER_DAY"))

    @cached_property
    def imports_table(self) -> str:
        """The table of imports."""
        return _required("IMPORTS_TABLE")

    @cached_property
    def audit_table(self) -> str:
        """The table of the audit log."""
        return _required("AUDIT_TABLE")

    @cached_property
    def telemetry_table(self) -> str:
        """The table of what clients have measured."""
        return _required("TELEMETRY_TABLE")

    @cached_property
    def exports_table(self) -> str:
        """The table of exports."""
        return _required("EXPORTS_TABLE")

    @cached_property
    def volume_bytes(self) -> int:
        """How many bytes of parts are joined to one volume of an export, at most, unless one part has more."""
        return int(_required("VOLUME_BYTES"))

    @cached_property
    def bucket(self) -> str:
        """The bucket of everything that is too large for a table."""
        return _required("BUCKET")

    @cached_property
    def event_bus(self) -> str:
        """The name of the event bus."""
        return _required("EVENT_BUS")

    @cached_property
    def exports_state_machine(self) -> str:
        """The ARN of the export workflow."""
        return _required("EXPORTS_STATE_MACHINE")

    @cached_property
    def deletion_queue_url(self) -> str:
        """The queue of what is to be deleted."""
        return _required("DELETION_QUEUE_URL")

    @cached_property
    def recognition_queue_url(self) -> str:
        """The queue of uploads to recognise."""
        return _required("RECOGNITION_QUEUE_URL")

    @cached_property
    def dead_letter_queue_url(self) -> str:
        """The queue of what other queues have given up on."""
        return _required("DEAD_LETTER_QUEUE_URL")

    @cached_property
    def source_queues(self) -> dict[str, str]:
        """The URL by the ARN of each queue that gives up to the dead letters: `arn=url`, with blanks in between."""
        return dict(pair.split("=", 1) for pair in _required("SOURCE_QUEUES").split())

    @cached_property
    def max_attempts(self) -> int:
        """How often recognition is tried; the queue delivers a message once more."""
        return int(_required("MAX_ATTEMPTS"))

    @cached_property
    def development_user(self) -> str | None:
        """Who calls where nobody verifies tokens: set by hand, and heard only under `sam local`."""
        return os.environ.get("DOCSCAN_DEVELOPMENT_USER") or None if os.environ.get("AWS_SAM_LOCAL") else None


SETTINGS = Settings()


def _required(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise MissingSettingError(variable)
    return value
