"""`docscan projects` and `docscan pages`: what there is."""

import sys
from collections.abc import AsyncIterator
from typing import Annotated

import typer

from docscan_cli.commands.options import Json, Profile, ProjectId, check_id, say, write_json, write_table
from docscan_cli.errors import InvalidInputError, StoppedError
from docscan_cli.wording import counted, printable

projects = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@projects.callback()
def list_projects(context: typer.Context, profile: Profile = None, json: Json = False) -> None:
    """List, create, show or delete projects.

    Without a command: the list of your projects, newest first.
    """
    if context.invoked_subcommand is not None:
        return
    from docscan_cli.connection import ask

    found = ask(profile, lambda connection: _all(connection.api.projects()))
    if json:
        write_json(found)
    elif found:
        write_table(
            ("PROJECT", "CREATED", "PAGES", "READY", "FAILED", "NAME"),
            [
                (
                    project["projectId"],
                    project["createdAt"][:16].replace("T", " "),
                    str(project["pageCount"]),
                    str(project["pagesByStatus"]["ready"]),
                    str(project["pagesByStatus"]["failed"]),
                    printable(project["name"]),
                )
                for project in found
            ],
        )
    else:
        say("There are no projects yet. Make one with: docscan scan FILE... -o out.pdf")


@projects.command()
def create(
    name: Annotated[str, typer.Argument(help="Anything you type, up to 200 characters.")],
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Create a project without pages, and write its id."""
    from docscan_cli.connection import ask

    project = ask(profile, lambda connection: connection.api.create_project(name))
    if json:
        write_json(project)
    else:
        typer.echo(project["projectId"])


@projects.command()
def show(project: ProjectId, profile: Profile = None, json: Json = False) -> None:
    """Show one project."""
    check_id(project)
    from docscan_cli.connection import ask

    found = ask(profile, lambda connection: connection.api.project(project))
    if json:
        write_json(found)
        return
    states = ", ".join(f"{number} {status}" for status, number in found["pagesByStatus"].items() if number)
    typer.echo(f"Name     {printable(found['name'])}")
    typer.echo(f"Project  {found['projectId']}")
    typer.echo(f"Created  {found['createdAt']}")
    typer.echo(f"Pages    {found['pageCount']}{f' ({states})' if states else ''}")


@projects.command()
def delete(
    project: ProjectId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    profile: Profile = None,
) -> None:
    """Delete a project with its pages and images, for good."""
    check_id(project)
    if not yes and not sys.stdin.isatty():
        raise InvalidInputError("Nobody is there to be asked. Delete it without a question with --yes.")
    from docscan_cli.connection import ask

    if not yes:
        found = ask(profile, lambda connection: connection.api.project(project))
        question = f"Delete “{printable(found['name'])}” with {counted(found['pageCount'], 'page')} for good?"
        if not typer.confirm(question, err=True):
            raise StoppedError("Nothing was deleted.")
    ask(profile, lambda connection: connection.api.delete_project(project))
    say(f"Project {project} is deleted.")


def pages(project: ProjectId, profile: Profile = None, json: Json = False) -> None:
    """List a project's pages.

    In page order, with their status, their confidence, and why one failed.
    """
    check_id(project)
    from docscan_cli.connection import ask

    found = ask(profile, lambda connection: _all(connection.api.pages(project)))
    if json:
        # A presigned link lets in whoever reads it, and is of no use a little later.
        write_json([{key: value for key, value in page.items() if key != "thumbnailUrl"} for page in found])
    elif found:
        write_table(
            ("PAGE", "STATUS", "CONFIDENCE", "WORDS", "ID", "REASON"),
            [
                (
                    str(number),
                    page["status"],
                    f"{page['confidence']:.0f} %" if "confidence" in page else "",
                    str(page.get("wordCount", "")),
                    page["pageId"],
                    printable(page["reason"]["message"]) if "reason" in page else "",
                )
                for number, page in enumerate(found, 1)
            ],
        )
    else:
        say(f"The project has no pages yet. Add some with: docscan scan FILE... --project {project} -o out.pdf")


async def _all[Item](items: AsyncIterator[Item]) -> list[Item]:
    return [item async for item in items]
