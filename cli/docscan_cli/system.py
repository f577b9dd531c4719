"""The local system's own commands: samhost, started as a process."""

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from docscan_cli.errors import RefusedError, UnreachableError

VERBS = {
    "up": "Start the local system: all of it, on this machine.",
    "down": "Stop the local system.",
    "status": "Say what of the local system is running, and where.",
    "logs": "Show the local system's logs.",
    "reset": "Delete the local system's data and start from nothing.",
}
"""What samhost can be asked for. Each takes samhost's own options, and `up` one more: `--services`."""

SERVICES = "--services"
"""With it, `up` also runs the services in containers, which are off in the template: on AWS they cost money."""

_WITH_SERVICES = ("--parameter-overrides", "ServicesStack=yes", "CatalogStack=yes", "SitesStack=public-alb")

DEVELOPMENT_USER = "DOCSCAN_DEVELOPMENT_USER"
"""The variable that tells functions under `sam local`, which verifies no token, who calls."""


def _data_folder(verb: str) -> str:
    if folder := os.environ.get("DOCSCAN_DATA_DIR"):
        return folder
    here = Path.cwd()
    above = () if verb == "up" else (folder / ".docscan" for folder in (here, *here.parents))
    return next((str(folder) for folder in above if folder.is_dir()), ".docscan")


def run_samhost(verb: str, arguments: Sequence[str]) -> int:
    """Become `samhost VERB ARGUMENTS…`, with the data folder that the other commands look in.

    `up` makes one in the current folder; the others find the nearest one above.

    Signals and the exit code are then its own. Where the operating system cannot replace a process, its exit code is
    returned. Raises UnreachableError when what samhost needs is not installed.
    """
    own: list[str] = []
    if verb == "up":
        own = ["--sam-local-variable", f"{DEVELOPMENT_USER}=developer"]
        if SERVICES in arguments:
            arguments = [argument for argument in arguments if argument != SERVICES]
            own += _WITH_SERVICES
    command = _samhost(verb, _data_folder(verb), *own, *arguments)
    if os.name == "posix":
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, command)  # noqa: S606 - a fixed program; the user's own arguments
    import subprocess

    return subprocess.run(command, check=False).returncode


def ask_samhost(verb: str, folder: Path, arguments: Sequence[str]) -> tuple[bytes, str]:
    """What `samhost VERB ARGUMENTS…` answers of the system of a data folder: its output, and what it says besides.

    Raises RefusedError with what it says where it fails, UnreachableError when what it needs is not installed.
    """
    import subprocess

    command = _samhost(verb, str(folder), *arguments)
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    said = run.stderr.decode(errors="replace").strip()
    if run.returncode:
        raise RefusedError(said.removeprefix("samhost: "))
    return run.stdout, said


def _samhost(verb: str, folder: str, *arguments: str) -> list[str]:
    # The package comes with this command; what it needs is the extra `local`, which the engine stands for here.
    if not (importlib.util.find_spec("samhost") and importlib.util.find_spec("ministack")):
        raise UnreachableError(
            "The local system is not installed here. Install it with `pip install 'docscan[local]'`, or run `make run` "
            "in the project's folder."
        )
    # -P: what lies in the current folder is data, not code. An option given later goes before one given here.
    return [sys.executable, "-P", "-m", "samhost", verb, "--data-dir", folder, *arguments]
