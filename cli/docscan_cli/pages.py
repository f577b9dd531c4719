"""Pages as people name them, by their number in the project or by id; their words; another image for one of them."""

import io
import json
from collections.abc import Sequence
from typing import TypedDict

from docscan_cli.api import Api
from docscan_cli.connection import Connection
from docscan_cli.errors import MissingPagesError, RefusedError
from docscan_cli.files import InputFile
from docscan_cli.progress import showing_progress
from docscan_cli.scan import PlaceOfPage, Scan
from docscan_cli.storage import download
from docscan_cli.wording import counted


class Word(TypedDict):
    """A word; its confidence is in per cent, its corners are ratios of the upright image's width and height."""

    text: str
    confidence: float
    polygon: list[tuple[float, float]]


class Line(TypedDict):
    """A line of words, in reading order."""

    text: str
    confidence: float
    words: list[Word]


class RecognisedText(TypedDict):
    """What was recognised of a page. Width and height are the upright image's, in pixels."""

    width: int
    height: int
    lines: list[Line]


async def page_ids(api: Api, project_id: str, names: Sequence[str]) -> list[str]:
    """The ids of the pages of these names, each once. Decimal names are numbers, from 1; all others are ids.

    Only numbers need the project's list, as far as the highest. Raises RefusedError (`not-found`) for too high a one.
    """
    highest = max((int(name) for name in names if name.isdecimal()), default=0)
    listed: list[str] = []
    if highest:
        async for page in api.pages(project_id):
            listed.append(page["pageId"])
            if len(listed) == highest:
                break
        else:
            has = f"the project has {counted(len(listed), 'page')}" if listed else "the project has no pages"
            raise RefusedError(f"There is no page {highest}: {has}.", "not-found")
    return list(dict.fromkeys(listed[int(name) - 1] if name.isdecimal() else name for name in names))


async def page_id(api: Api, project_id: str, name: str) -> str:
    """The id of the page of this name. Raises RefusedError (`not-found`)."""
    (found,) = await page_ids(api, project_id, [name])
    return found


async def recognised_text(connection: Connection, project_id: str, name: str) -> RecognisedText:
    """What was recognised of a page. Raises RefusedError (`pages-not-ready`) unless the page is ready."""
    api = connection.api
    words = await api.words(project_id, await page_id(api, project_id, name))
    with io.BytesIO() as file:
        await download(connection.client, words["url"], file)
        return json.loads(file.getvalue())


async def replace_image(connection: Connection, project_id: str, name: str, image: InputFile, patience: float) -> None:
    """Give a page another image, and wait until its text is recognised, showing progress.

    Raises MissingPagesError where the new image could not be uploaded or cannot be read.
    """
    destination = PlaceOfPage(connection.api, project_id, await page_id(connection.api, project_id, name))
    with showing_progress() as show:
        scan = Scan(connection, destination, [image], show, jobs=1, patience=patience)
        await scan.run()
    for failed in scan.failed:
        lost = "" if failed.arrived else "\nThe page has no image now. Replace it again."
        raise MissingPagesError(f"{failed.label}: {failed.reason}{lost}")
