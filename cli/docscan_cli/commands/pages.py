"""`docscan pages`: list, show, correct, turn, move, replace and delete the pages of a project."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from docscan_cli.commands.options import (
    PATIENCE,
    Json,
    Patience,
    Profile,
    ProjectId,
    Yes,
    check_id,
    check_page,
    confirm,
    say,
    write_json,
    write_table,
)
from docscan_cli.errors import DocscanError, InvalidInputError, RefusedError
from docscan_cli.files import check_images
from docscan_cli.wording import printable

if TYPE_CHECKING:
    from docscan_cli.api import Page
    from docscan_cli.connection import Connection

STDIN = Path("-")
"""The name that stands for the standard input."""

PageName = Annotated[
    str,
    typer.Argument(metavar="PAGE", help="A page's number in the project, from 1, or its id; see `pages list`."),
]

pages = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@pages.callback()
def about() -> None:
    """List a project's pages, or show, correct, turn, move, replace or delete one."""


@pages.command("list")
def list_pages(project: ProjectId, profile: Profile = None, json: Json = False) -> None:
    """List a project's pages.

    In page order, with their status, their confidence, and why one failed.
    """
    check_id(project)
    from docscan_cli.connection import ask

    async def everything(connection: "Connection") -> list["Page"]:
        return [page async for page in connection.api.pages(project)]

    found = ask(profile, everything)
    if json:
        write_json([_without_links(page) for page in found])
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


@pages.command()
def show(
    project: ProjectId,
    page: PageName,
    text: Annotated[bool, typer.Option("--text", help="Write the page's text, and nothing else.")] = False,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Show one page: what is known of it, and its text."""
    if text and json:
        raise InvalidInputError("--text is for the text alone, --json for everything. Leave one of them out.")
    found = _read(project, page, profile)
    if json:
        write_json(_without_links(found))
        return
    if text:
        typer.echo(_text_of(page, found))
        return
    corrected = ", corrected" if found.get("corrected") else ""
    typer.echo(f"Page      {found['pageId']}")
    typer.echo(f"Status    {found['status']}{corrected}")
    typer.echo(f"Created   {found['createdAt']}")
    typer.echo(f"Changed   {found['updatedAt']}")
    typer.echo(f"Image     {found['contentType']}, shown turned by {found['rotation']}°")
    if "reason" in found:
        typer.echo(f"Reason    {printable(found['reason']['message'])}")
    if "text" in found:
        typer.echo(f"Words     {found.get('wordCount', 0)}, confidence {found.get('confidence', 0):.0f} %")
        typer.echo()
        typer.echo("\n".join(printable(line) for line in found["text"].splitlines()))


@pages.command()
def words(project: ProjectId, page: PageName, profile: Profile = None, json: Json = False) -> None:
    """List the words that were recognised on a page, and where.

    Places are pixels of the upright image, from its top left corner. A correction of the page's text changes nothing
    here.
    """
    check_id(project)
    check_page(page)
    from docscan_cli.connection import ask
    from docscan_cli.pages import recognised_text

    found = ask(profile, lambda connection: recognised_text(connection, project, page))
    if json:
        write_json(found)
        return
    rows = []
    for number, line in enumerate(found["lines"], 1):
        for word in line["words"]:
            across = [x * found["width"] for x, _ in word["polygon"]]
            down = [y * found["height"] for _, y in word["polygon"]]
            place = (min(across), min(down), max(across), max(down))
            rows.append(
                (str(number), f"{word['confidence']:.0f} %", *(f"{at:.0f}" for at in place), printable(word["text"]))
            )
    write_table(("LINE", "CONFIDENCE", "LEFT", "TOP", "RIGHT", "BOTTOM", "WORD"), rows)


@pages.command()
def correct(
    project: ProjectId,
    page: PageName,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="What the page really says, in UTF-8; `-` is stdin.", show_default=False),
    ] = None,
    profile: Profile = None,
) -> None:
    """Correct a page's text.

    Without FILE, the text opens in your editor (VISUAL or EDITOR). PDFs and texts have the corrected text from then on.
    """
    check_id(project)
    check_page(page)
    from docscan_cli.editor import decoded, edited, text_in

    if file is not None:
        given = decoded(sys.stdin.buffer.read(), "What came from stdin") if file == STDIN else text_in(file)
        _correct(project, page, given, profile)
        say(f"Page {page} is corrected.")
        return
    if not sys.stdin.isatty():
        raise InvalidInputError("Give the text in a FILE, or as `-` on stdin: an editor opens at a terminal only.")
    found = _read(project, page, profile)
    before = _text_of(page, found).rstrip("\n")
    with edited(before, f"page-{page}.txt") as after:
        if after == before:
            say("Nothing was changed.")
        else:
            # By its id: pages may have been moved while the editor was open.
            _correct(project, found["pageId"], after, profile)
            say(f"Page {page} is corrected.")


@pages.command()
def rotate(
    project: ProjectId,
    page: PageName,
    degrees: Annotated[
        Literal["0", "90", "180", "270"],
        typer.Argument(metavar="DEGREES", help="0, 90, 180 or 270, clockwise from the upright image."),
    ],
    profile: Profile = None,
) -> None:
    """Show a page turned, in PDFs too. Doing it again changes nothing more; 0 is as it was."""
    check_id(project)
    check_page(page)
    from docscan_cli.connection import ask
    from docscan_cli.pages import page_id

    async def turn(connection: "Connection") -> None:
        await connection.api.rotate_page(project, await page_id(connection.api, project, page), int(degrees))

    ask(profile, turn)
    say(f"Page {page} is shown turned by {degrees}°.")


@pages.command()
def move(
    project: ProjectId,
    page: PageName,
    after: Annotated[str | None, typer.Option(metavar="PAGE", help="The page that it is to come right after.")] = None,
    first: Annotated[bool, typer.Option("--first", help="Move it to the front.")] = False,
    profile: Profile = None,
) -> None:
    """Move a page to another place in its project."""
    check_id(project)
    names = [check_page(name) for name in (page, after) if name is not None]
    if (after is None) is not first:
        raise InvalidInputError("Say where the page goes: --after PAGE, or --first.")
    from docscan_cli.connection import ask
    from docscan_cli.pages import page_ids

    async def put(connection: "Connection") -> None:
        ids = await page_ids(connection.api, project, names)
        await connection.api.move_page(project, ids[0], None if first else ids[-1])

    ask(profile, put)
    say(f"Page {page} is now {'the first' if first else f'after page {after}'}.")


@pages.command()
def replace(
    project: ProjectId,
    page: PageName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A JPEG, PNG or TIFF image.")],
    yes: Yes = False,
    profile: Profile = None,
    timeout: Patience = PATIENCE,
) -> None:
    """Give a page another image, and wait until its text is recognised.

    The page keeps its place. Its old image goes for good, with its text, corrections and rotation.
    """
    check_id(project)
    check_page(page)
    (image,) = check_images([file])
    confirm(lambda: f"Replace the image of page {page}, with its text and corrections, for good?", yes=yes)
    from docscan_cli.connection import ask
    from docscan_cli.pages import replace_image

    ask(profile, lambda connection: replace_image(connection, project, page, image, timeout))


@pages.command()
def delete(
    project: ProjectId,
    page: Annotated[list[str], typer.Argument(metavar="PAGE", help="Numbers in the project, from 1, or ids.")],
    yes: Yes = False,
    profile: Profile = None,
) -> None:
    """Delete pages with their images, for good.

    Numbers are those from before: `delete PROJECT 2 3` deletes two pages that follow each other.
    """
    check_id(project)
    names = [check_page(name) for name in page]
    what = f"page{'s' if len(names) > 1 else ''} {', '.join(names)}"
    from docscan_cli.connection import ask
    from docscan_cli.pages import page_ids

    def question() -> str:
        found = ask(profile, lambda connection: connection.api.project(project))
        return f"Delete {what} of “{printable(found['name'])}” for good?"

    ids = ask(profile, lambda connection: page_ids(connection.api, project, names))
    confirm(question, yes=yes)

    async def delete_all(connection: "Connection") -> None:
        for number, page_id in enumerate(ids):
            try:
                await connection.api.delete_page(project, page_id)
            except DocscanError as error:
                if number:
                    error.add_note(f"Deleted before that: {', '.join(ids[:number])}")
                raise

    ask(profile, delete_all)
    say(f"Deleted {what}.")


def _read(project: str, page: str, profile: str | None) -> "Page":
    """Read a page with its text."""
    check_id(project)
    check_page(page)
    from docscan_cli.connection import ask
    from docscan_cli.pages import page_id

    async def read(connection: "Connection") -> "Page":
        return await connection.api.page(project, await page_id(connection.api, project, page))

    return ask(profile, read)


def _correct(project: str, page: str, text: str, profile: str | None) -> None:
    from docscan_cli.connection import ask
    from docscan_cli.pages import page_id

    async def send(connection: "Connection") -> None:
        await connection.api.correct_page(project, await page_id(connection.api, project, page), text)

    ask(profile, send)


def _text_of(name: str, page: "Page") -> str:
    """The text of a page. Raises RefusedError (`pages-not-ready`) where there is none."""
    if "text" not in page:
        raise RefusedError(f"Page {name} is {page['status']}: only a page that is ready has a text.", "pages-not-ready")
    return page["text"]


def _without_links(page: "Page") -> dict[str, object]:
    """A page for programs. A presigned link lets in whoever reads it, and is of no use a little later."""
    return {key: value for key, value in page.items() if key not in {"thumbnailUrl", "imageUrl"}}
