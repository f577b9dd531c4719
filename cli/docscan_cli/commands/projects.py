"""`docscan projects`: list, create, show, rename and delete them."""

from typing import TYPE_CHECKING, Annotated

import typer

from docscan_cli.commands.options import (
    Json,
    Profile,
    ProjectId,
    Yes,
    check_id,
    confirm,
    say,
    write_json,
    write_table,
)
from docscan_cli.wording import counted, printable

if TYPE_CHECKING:
    from docscan_cli.api import Project

Name = Annotated[str, typer.Argument(metavar="NAME", help="Anything you type, up to 200 characters.")]

projects = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@projects.callback()
def list_projects(context: typer.Context, profile: Profile = None, json: Json = False) -> None:
    """List, create, show, rename or delete projects.

    Without a command: the list of your projects, newest first.
    """
    if context.invoked_subcommand is not None:
        return
    from docscan_cli.connection import Connection, ask

    async def everything(connection: Connection) -> list["Project"]:
        return [project async for project in connection.api.projects()]

    found = ask(profile, everything)
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
    name: Name,
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
def rename(project: ProjectId, name: Name, profile: Profile = None, json: Json = False) -> None:
    """Give a project another name."""
    check_id(project)
    from docscan_cli.connection import ask

    renamed = ask(profile, lambda connection: connection.api.rename_project(project, name))
    if json:
        write_json(renamed)
    else:
        say(f"Project {project} is called “{printable(renamed['name'])}”.")


@projects.command()
def delete(project: ProjectId, yes: Yes = False, profile: Profile = None) -> None:
    """Delete a project with its pages and images, for good."""
    check_id(project)
    from docscan_cli.connection import ask

    def question() -> str:
        found = ask(profile, lambda connection: connection.api.project(project))
        return f"Delete “{printable(found['name'])}” with {counted(found['pageCount'], 'page')} for good?"

    confirm(question, yes=yes)
    ask(profile, lambda connection: connection.api.delete_project(project))
    say(f"Project {project} is deleted.")
