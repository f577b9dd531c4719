"""`docscan login`, `docscan logout`, `docscan whoami` and `docscan usage`."""

import dataclasses
import json as json_format
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from docscan_cli.commands import options
from docscan_cli.commands.options import say, write_json, write_table
from docscan_cli.errors import DocscanError, InvalidInputError, SignInError
from docscan_cli.profiles import Profile, load_profile, save_profile
from docscan_cli.wording import printable

if TYPE_CHECKING:
    from docscan_cli.sign_in import UserPool

ProfileName = Annotated[
    str, typer.Option(metavar="NAME", envvar="DOCSCAN_PROFILE", help="What you call this system with --profile.")
]


def login(
    profile: ProfileName = "default",
    endpoint: Annotated[
        str, typer.Option(envvar="DOCSCAN_ENDPOINT", metavar="URL", help="The API's address (output ScannerApiUrl).")
    ] = "",
    region: Annotated[
        str, typer.Option(envvar="DOCSCAN_REGION", metavar="REGION", help="The stack's AWS region (output Region).")
    ] = "",
    client_id: Annotated[
        str, typer.Option(envvar="DOCSCAN_CLIENT_ID", metavar="ID", help="The app client (output CliClientId).")
    ] = "",
    stack_outputs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Take all three from the JSON that `sam list stack-outputs --output json` or "
            "`aws cloudformation describe-stacks` wrote.",
        ),
    ] = None,
    username: Annotated[str, typer.Option(metavar="EMAIL", help="Asked for if not given.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin instead of asking.")
    ] = False,
) -> None:
    """Sign in to a system on AWS.

    The sign-in is kept as a profile, and so are the three addresses: they are needed once. The local system needs no
    sign-in.
    """
    known = load_profile(profile) or Profile(profile, "", "", "", "")
    outputs = _read_outputs(stack_outputs) if stack_outputs else {}
    target = Profile(
        name=profile,
        endpoint=(endpoint or outputs.get("ScannerApiUrl") or known.endpoint).rstrip("/"),
        region=region or outputs.get("Region") or known.region,
        client_id=client_id or outputs.get("CliClientId") or known.client_id,
        username=username or known.username,
    )
    _check(target)
    if not target.username:
        target = dataclasses.replace(target, username=typer.prompt("E-mail", err=True))
    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else typer.prompt(f"Password of {printable(target.username)}", hide_input=True, err=True)
    )

    from docscan_cli.sign_in import NewPasswordRequired

    answer = _ask_pool(target, lambda pool: pool.sign_in(target.username, password))
    if isinstance(answer, NewPasswordRequired):
        if password_stdin:
            raise SignInError("The password is a temporary one. Sign in without --password-stdin to choose your own.")
        say("The password is a temporary one: choose your own.")
        challenge, chosen = answer, typer.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
        answer = _ask_pool(target, lambda pool: pool.set_password(challenge, chosen))
    save_profile(dataclasses.replace(target, **dataclasses.asdict(answer)))
    say(
        f"Signed in as {printable(target.username)}. Use it with --profile {profile}, or set DOCSCAN_PROFILE={profile}."
    )


def logout(profile: ProfileName = "default") -> None:
    """Sign out: the sign-in ends at the system too. The profile keeps its addresses."""
    known = load_profile(profile)
    if known is None:
        raise InvalidInputError(f"There is no profile {printable(profile)}.")
    if not known.refresh_token:
        say(f"Profile {profile} is signed out already.")
        return
    save_profile(dataclasses.replace(known, access_token="", refresh_token="", expires_at=0.0))
    try:
        _ask_pool(known, lambda pool: pool.revoke(known.refresh_token))
    except DocscanError as error:
        error.add_note("This machine has forgotten the sign-in; the system could not be told to end it.")
        raise
    say(f"Profile {profile} is signed out.")


def whoami(profile: options.Profile = None, json: options.Json = False) -> None:
    """Say which system is used here, and as whom.

    The system is asked whether the sign-in is valid.
    """
    from docscan_cli.connection import Connection, ask

    async def identity(connection: Connection) -> dict[str, str]:
        await anext(connection.api.projects(), None)
        return {"username": connection.username, "system": connection.name, "endpoint": connection.endpoint}

    found = ask(profile, identity)
    if json:
        write_json(found)
    else:
        typer.echo(f"{printable(found['username'])} on {found['system']} ({found['endpoint']})")


def usage(profile: options.Profile = None, json: options.Json = False) -> None:
    """Say how many pages you may upload in a day, and have used of late.

    Days are UTC's. A replaced image counts as uploaded again.
    """
    from docscan_cli.connection import ask

    found = ask(profile, lambda connection: connection.api.usage())
    if json:
        write_json(found)
        return
    quota, today = found["quota"]["pagesPerDay"], found["days"][0]
    typer.echo(f"You may upload {quota:,} pages a day; {max(0, quota - today['uploaded']):,} are left today.")
    typer.echo()
    days = [(day["day"], str(day["uploaded"]), str(day["recognised"])) for day in found["days"]]
    write_table(("DAY", "UPLOADED", "RECOGNISED"), days)


def _ask_pool[Answer](profile: Profile, ask: Callable[["UserPool"], Awaitable[Answer]]) -> Answer:
    import asyncio

    from docscan_cli.connection import http_client, user_pool_url
    from docscan_cli.sign_in import UserPool

    async def connected() -> Answer:
        async with http_client(local=False) as client:
            return await ask(UserPool(client, user_pool_url(profile.region), profile.client_id))

    return asyncio.run(connected())


def _check(profile: Profile) -> None:
    """Raise InvalidInputError unless the addresses are there and can be right: tokens go to them."""
    needed = {"--endpoint": profile.endpoint, "--region": profile.region, "--client-id": profile.client_id}
    if missing := [option for option, value in needed.items() if not value]:
        raise InvalidInputError(
            f"{', '.join(missing)} missing: give them once, as options, as DOCSCAN_ENDPOINT, DOCSCAN_REGION and "
            "DOCSCAN_CLIENT_ID, or all with --stack-outputs FILE."
        )
    url = urlsplit(profile.endpoint)
    if url.scheme != "https" or not url.hostname or url.username or url.query or url.fragment:
        raise InvalidInputError(f"{printable(profile.endpoint)!r} is not the address of an API: https://…")
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d+", profile.region):
        raise InvalidInputError(f"{printable(profile.region)!r} is not an AWS region, like eu-central-1.")


def _read_outputs(path: Path) -> dict[str, str]:
    """A stack's outputs by name. Raises InvalidInputError unless the file has them in one of the two forms."""
    try:
        content = json_format.loads(path.read_text("utf-8"))
        outputs = content if isinstance(content, list) else content["Stacks"][0]["Outputs"]
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}
    except OSError as error:
        raise InvalidInputError(f"{printable(str(path))} cannot be read: {error.strerror}.") from error
    except (ValueError, LookupError, TypeError) as error:
        raise InvalidInputError(
            f"{printable(str(path))} does not hold a stack's outputs. Write them with: "
            "sam list stack-outputs --stack-name NAME --output json"
        ) from error
