"""Profiles: systems on AWS that a person has signed in to, one file each in their configuration folder.

A file holds tokens, so it is readable by its owner alone (mode 0600).
"""

import json
import os
import re
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from docscan_cli.errors import InvalidInputError, OutputError
from docscan_cli.wording import printable

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Profile:
    """One system on AWS and, after `docscan login`, the tokens of a user there.

    `expires_at` is the access token's end, in seconds since the epoch. Signed out, the tokens are empty.
    """

    name: str
    endpoint: str
    region: str
    client_id: str
    username: str
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    expires_at: float = 0.0


def load_profile(name: str) -> Profile | None:
    """The profile of that name, None where there is none. Raises InvalidInputError where it cannot be read."""
    path = _path(name)
    try:
        return Profile(**{**json.loads(path.read_text("utf-8")), "name": name})
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInputError(f"{printable(str(path))} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError) as error:
        raise InvalidInputError(
            f"{printable(str(path))} is not a profile. Remove it, then: docscan login --profile {name}"
        ) from error


def save_profile(profile: Profile) -> None:
    """Write the profile, whole or not at all. Raises OutputError where the disk refuses."""
    path = _path(profile.name)
    content = {key: value for key, value in asdict(profile).items() if key != "name"}
    beside = path.with_name(f".{secrets.token_hex(6)}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump(content, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{printable(str(path))} could not be written: {error.strerror}.") from error


def profile_names() -> list[str]:
    """The names of all profiles, in order."""
    return sorted(path.stem for path in _folder().glob("*.json"))


def _folder() -> Path:
    import typer

    return Path(typer.get_app_dir("docscan")) / "profiles"


def _path(name: str) -> Path:
    if not NAME.fullmatch(name):
        raise InvalidInputError(
            f"{printable(name)!r} cannot be a profile's name: letters, digits, '.', '_' and '-' only."
        )
    return _folder() / f"{name}.json"
