"""The `docscan` command: its commands, put together, and the one place where errors become exit codes."""

import traceback
from typing import Annotated, Any, override

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from docscan_cli.commands import account, apis, documents, exports, imports, pages, projects
from docscan_cli.errors import EXIT_CODES, DefectError, DocscanError, StoppedError
from docscan_cli.system import VERBS, run_samhost


class Commands(TyperGroup):
    """All commands, with the outermost edge around them: every error ends in a message and its exit code."""

    @override
    def invoke(self, ctx: Any) -> Any:
        """Run the command. Usage errors, which Typer shows itself, pass."""
        try:
            return super().invoke(ctx)
        except DocscanError as error:
            _report(error)
            raise typer.Exit(error.exit_code) from error
        except (KeyboardInterrupt, typer.Abort) as error:
            _report(StoppedError("Stopped."))
            raise typer.Exit(StoppedError.exit_code) from error
        except (typer.Exit, TyperException, BrokenPipeError):
            raise
        except Exception as error:
            # Without local variables: they may hold tokens.
            traceback.print_exc()
            _report(DefectError("This is a defect of docscan. Please report it with the lines above."))
            raise typer.Exit(DefectError.exit_code) from error


class PassedOn(TyperCommand):
    """A command that takes its arguments as they are, `--help` included."""

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Leave all arguments for the program that understands them."""
        ctx.args = list(args)
        return []


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,  # its help takes three times as long to appear
    pretty_exceptions_enable=False,
    # \b keeps the lines that follow as they are
    epilog="\n".join(["\b", "Exit codes:", *(f"{code:>5}  {meaning}" for code, meaning in EXIT_CODES.items())]),
)


def _version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        typer.echo(f"docscan {importlib.metadata.version('docscan')}")
        raise typer.Exit


@app.callback()
def docscan(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Turn photographed and scanned pages into text and searchable PDFs.

    Start a system on this machine with `docscan up`, or sign in to one on AWS with `docscan login`. Then:
    docscan scan page-1.jpg page-2.jpg -o letter.pdf

    Documents of many pages come in with `docscan import book.pdf`, and out with `docscan export PROJECT -o book.pdf`.
    """


def _run_verb(context: typer.Context) -> None:
    raise typer.Exit(run_samhost(context.info_name or "", context.args))


app.command()(documents.scan)
app.command()(documents.pdf)
app.command()(documents.text)
app.command("import")(imports.import_documents)
app.command()(exports.export)
app.add_typer(projects.projects, name="projects")
app.add_typer(pages.pages, name="pages")
app.add_typer(apis.api, name="api")
app.command()(account.login)
app.command()(account.logout)
app.command()(account.whoami)
app.command()(account.usage)
for verb, meaning in VERBS.items():
    app.command(verb, cls=PassedOn, help=meaning, add_help_option=False)(_run_verb)


def _report(error: DocscanError) -> None:
    typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
    for note in getattr(error, "__notes__", ()):
        if note:
            typer.echo(note, err=True)


def main() -> None:
    """Run the command."""
    app(prog_name="docscan")
