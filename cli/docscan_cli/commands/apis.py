"""`docscan api`: the definitions of the system's APIs."""

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import typer

from docscan_cli.commands.options import Force, Profile, say
from docscan_cli.errors import InvalidInputError
from docscan_cli.output import STDOUT, check_output, replacing
from docscan_cli.wording import printable

YAML_SUFFIXES = {".yaml", ".yml"}

api = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@api.callback()
def apis() -> None:
    """Export the definitions of the system's APIs."""


@api.command("export")
def export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="scanner, services, catalog, sites: what there is.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write it here: as YAML if the name ends so, else as JSON."
        ),
    ] = STDOUT,
    stage: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="On AWS: as it is deployed there. Locally all stages serve the same."),
    ] = None,
    stack: Annotated[
        str, typer.Option(metavar="NAME", envvar="DOCSCAN_STACK", help="On AWS: the stack that the APIs belong to.")
    ] = "docscan",
    force: Force = False,
    profile: Profile = None,
) -> None:
    """Write an API's definition: one OpenAPI document, which can be imported again.

    Of a system on AWS (--profile) API Gateway exports it, which takes AWS credentials as the AWS CLI does.
    """
    from docscan_cli.connection import LocalSystem, find_system
    from docscan_cli.definitions import Format, of_local_system, of_stack

    if output != STDOUT:
        check_output(output, force=force)
    format_ = Format.YAML if output.suffix.lower() in YAML_SUFFIXES else Format.JSON
    system = find_system(profile)
    if isinstance(system, LocalSystem):
        if stage is not None:
            raise InvalidInputError("--stage is for systems on AWS: locally all stages of an API serve the same.")
        document, remarks = of_local_system(system, name, format_)
    else:
        if importlib.util.find_spec("boto3") is None:
            raise InvalidInputError("This takes the AWS SDK. Install it with `pip install 'docscan[local]'`.")
        import boto3

        document, remarks = of_stack(boto3.Session(region_name=system.region), stack, name, stage, format_), ""
    if remarks:
        say("\n".join(map(printable, remarks.splitlines())))
    if output == STDOUT:
        sys.stdout.buffer.write(document)
        sys.stdout.buffer.flush()
        return
    with replacing(output) as file:
        file.write(document)
