"""An environment of samconfig.toml: which stack, where, with which parameters; and how commands are run for it."""

import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).parents[1]
IMAGES_STACK = "docscan-images"
"""The stack of stacks/images.yaml, one for all environments in an account's region."""


class RefusedError(Exception):
    """What cannot be done; its text says why, and what to do."""


@dataclass(frozen=True)
class Environment:
    """What samconfig.toml says about one, and what was given besides."""

    name: str
    stack: str
    region: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def architecture(self) -> str:
        """The processor that the stack runs on, as AWS calls it."""
        return self.parameters.get("Architecture", "arm64")  # the template's default


def load_environment(name: str, given: Mapping[str, str], config: Path = ROOT / "samconfig.toml") -> Environment:
    """Return an environment, parameters that are given taking the place of its own. Raises RefusedError."""
    environments = {key: value for key, value in tomllib.loads(config.read_text()).items() if isinstance(value, dict)}
    if name not in environments:
        raise RefusedError(f"{config.name} has no environment {name}. It has: {', '.join(environments)}.")
    settings = environments[name]
    everywhere, deploy = (settings.get(verb, {}).get("parameters", {}) for verb in ("global", "deploy"))
    overrides = deploy.get("parameter_overrides", [])
    listed = shlex.split(overrides) if isinstance(overrides, str) else overrides
    return Environment(
        name,
        # `sam deploy --guided` writes them into the section of the command.
        deploy.get("stack_name") or everywhere["stack_name"],
        deploy.get("region") or everywhere["region"],
        {**parse_parameters(listed), **given},
    )


def parse_parameters(given: list[str]) -> dict[str, str]:
    """Return parameters by name, from Key=Value each. Raises RefusedError."""
    if wrong := [text for text in given if not text.partition("=")[1]]:
        raise RefusedError(f"{wrong[0]} is no parameter. Write each as Key=Value.")
    return {key: value for key, _, value in (text.partition("=") for text in given)}


def sam(*arguments: str, parameters: Mapping[str, str] | None = None) -> None:
    """Run a command of the SAM CLI's, from the repository. Raises CalledProcessError."""
    folder = ROOT / ".venv-sam" / "bin"
    values = {key: value.replace('"', '\\"') for key, value in (parameters or {}).items()}
    overrides = [f'ParameterKey={key},ParameterValue="{value}"' for key, value in values.items()]
    # First on PATH, for `sam build` takes the Python that it finds there.
    path = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    run(
        str(folder / "sam"), *arguments, *(["--parameter-overrides", *overrides] if overrides else []),
        environment=path,
    )  # fmt: skip


def run(*command: str, stdin: str | None = None, environment: Mapping[str, str] | None = None) -> None:
    """Run a command from the repository, its output where ours goes. Raises CalledProcessError."""
    sys.stdout.flush()
    subprocess.run(command, cwd=ROOT, env=os.environ | (environment or {}), input=stdin, text=True, check=True)


def run_script(main: Callable[[], None]) -> None:
    """Run a script, the outermost edge around it: what goes wrong ends in a message and exit code 1."""
    try:
        main()
    except (RefusedError, ClientError, BotoCoreError) as error:
        sys.exit(f"Error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"Error: {Path(error.cmd[0]).name} {error.cmd[1]} has failed.")
    except FileNotFoundError as error:
        sys.exit(f"Error: {error.filename} is needed, and not installed.")
    except (EOFError, KeyboardInterrupt):
        sys.exit("Stopped.")
