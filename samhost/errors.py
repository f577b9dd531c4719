"""What can stop `samhost`, each with a message that says what to do.

SamhostError
├── AlreadyRunningError   another samhost holds the data directory
├── NotRunningError       there is nothing to stop, show or ask
├── PortTakenError        another program listens where we must
├── ProcessFailedError    a child process ended before it was ready
├── NotSavedError         the engine cannot write its state
├── CommandFailedError    `sam` failed; carries the end of its output
│   └── UpdateFailedError what is deployed cannot be changed into what the template says now
├── TemplateError         the template cannot be hosted
└── CannotRunError        the tasks of an ECS service cannot run on this machine
"""


class SamhostError(Exception):
    """The base: `str(error)` is what the user reads."""


class AlreadyRunningError(SamhostError):
    """Another samhost holds the data directory."""

    def __init__(self, data_dir: object, pid: int | None):
        super().__init__(f"Already running on {data_dir} (process {pid or 'unknown'}). Stop it with `down`.")


class NotRunningError(SamhostError):
    """There is nothing to stop, show or ask."""

    def __init__(self, data_dir: object):
        super().__init__(f"Nothing is running on {data_dir}. Start it with `up`.")


class PortTakenError(SamhostError):
    """Another program listens where we must."""

    def __init__(self, name: str, port: int, option: str):
        super().__init__(
            f"Port {port} ({name}) is taken by another program. Stop that, or choose another: {option} PORT."
        )


class ProcessFailedError(SamhostError):
    """A child process ended, or said nothing, before it was ready."""

    def __init__(self, name: str, why: str, log: str, log_file: object):
        super().__init__(f"{name} {why}. Its log ({log_file}) ends with:\n{log}")


class EngineAwayError(SamhostError):
    """The engine went while it was asked something."""

    def __init__(self, error: Exception):
        super().__init__(f"The engine does not answer: {error}")


class NotSavedError(SamhostError):
    """The engine cannot write its state."""

    def __init__(self, log_file: object):
        super().__init__(f"The engine cannot write its data to the disk. Its log, {log_file}, says why.")


class CommandFailedError(SamhostError):
    """`sam` failed."""

    def __init__(self, command: str, output: str):
        super().__init__(f"`{command}` failed:\n{output}")
        self.output = output


class UpdateFailedError(CommandFailedError):
    """What is deployed cannot be changed into what the template says now."""

    def __init__(self, output: str):
        hint = "What the engine cannot change in place is made anew after `reset`, which deletes all local data."
        super().__init__("sam deploy", f"{output}\n{hint}")


class TemplateError(SamhostError):
    """The template cannot be hosted."""


class CannotRunError(SamhostError):
    """The tasks of an ECS service cannot run on this machine."""
