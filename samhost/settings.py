"""What `samhost` is told: which template, where its data lives, which ports."""

import platform
from dataclasses import dataclass, field
from pathlib import Path

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
HOST = "127.0.0.1"
# The engine's root credentials; everything it deploys runs with its own role's.
ROOT_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


@dataclass(frozen=True)
class Settings:
    """Everything a run depends on; paths are absolute."""

    template: Path
    data_dir: Path
    api_port: int = 3000
    engine_port: int = 4566
    textract_port: int = 4567
    parameters: dict[str, str] = field(default_factory=dict)
    container_address: str | None = None  # where containers reach this machine; None: they need not
    sam_local_variables: dict[str, str] = field(default_factory=dict)
    max_tasks: int | None = None  # of an ECS service; None: as many as it wants
    containers_dir: Path | None = None  # None: `containers` beside the template

    @property
    def stack_name(self) -> str:
        """The stack's name: that of the template's folder, as CloudFormation allows it."""
        name = "".join(c if c.isalnum() else "-" for c in self.template.parent.name).strip("-")
        return name if name[:1].isalpha() else f"stack-{name}"

    @property
    def engine_url(self) -> str:
        """Where the engine answers every AWS call."""
        return f"http://{HOST}:{self.engine_port}"

    @property
    def textract_url(self) -> str:
        """Where Textract calls go: the engine has no Textract."""
        return f"http://{HOST}:{self.textract_port}"

    @property
    def logs_dir(self) -> Path:
        """One log file a process."""
        return self.data_dir / "logs"

    @property
    def gateway_file(self) -> Path:
        """What the gateway serves."""
        return self.data_dir / "gateway.json"

    @property
    def containers(self) -> Path:
        """Where images' Dockerfiles are, each in a folder of its own; what that folder lies in is their context."""
        return self.containers_dir or self.template.parent / "containers"

    @property
    def services_file(self) -> Path:
        """What ECS services there are, and how their tasks are; there while they run."""
        return self.data_dir / "services.json"

    @property
    def load_balancers_file(self) -> Path:
        """Which listeners the load balancers serve."""
        return self.data_dir / "load-balancers.json"

    @property
    def addresses_file(self) -> Path:
        """What a client needs to know; there while the system is ready."""
        return self.data_dir / "addresses.json"

    def make_folders(self) -> None:
        """Make the folders that everything is written to; all that users keep is in there, so it is theirs alone."""
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.logs_dir.mkdir(exist_ok=True)

    def client_environment(self) -> dict[str, str]:
        """Environment variables by which an AWS SDK reaches the local system, as root."""
        return ROOT_CREDENTIALS | {
            "AWS_ENDPOINT_URL": self.engine_url,
            "AWS_ENDPOINT_URL_TEXTRACT": self.textract_url,
        }


def machine_architecture() -> str:
    """The machine's processor as Lambda names it: `arm64` or `x86_64`."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
