"""Profiles: systems on AWS that a person has signed in to, one file each in their configuration folder.

A file holds tokens, so it is readable by its owner alone (mode 0600).
"""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from docscan_cli.errors import InvalidInputError
from docscan_cli.private_files import private_folder, write_private
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
    write_private(_path(profile.name), {key: value for key, value in asdict(profile).items() if key != "name"})


def profile_names() -> list[str]:
    """The names of all profiles, in order."""
    return sorted(path.stem for path in private_folder("profiles").glob("*.json"))


def _path(name: str) -> Path:
    if not NAME.fullmatch(name):
        raise InvalidInputError(
            f"{printable(name)!r} cannot be a profile's name: letters, digits, '.', '_' and '-' only."
        )
    return private_folder("profiles") / f"{name}.json"
