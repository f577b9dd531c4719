"""Projects as people name them: by id, or by name."""

import re

from docscan_cli.api import Api, Project
from docscan_cli.errors import InvalidInputError, RefusedError
from docscan_cli.wording import printable

ID = re.compile(r"[A-Za-z0-9-]{1,36}")


async def find_project(api: Api, name: str) -> Project:
    """The project of this id, or else of exactly this name.

    Raises RefusedError (`not-found`) where there is none, InvalidInputError where several have the name.
    """
    if ID.fullmatch(name):
        try:
            return await api.project(name)
        except RefusedError as error:
            if error.code != "not-found":
                raise
    found = [project async for project in api.projects() if project["name"] == name]
    if len(found) > 1:
        ids = "\n".join(f"  {project['projectId']}  {project['createdAt'][:16].replace('T', ' ')}" for project in found)
        raise InvalidInputError(f"Several projects are called “{printable(name)}”. Name the one by its id:\n{ids}")
    if not found:
        raise RefusedError(
            f"There is no project “{printable(name)}”, neither by id nor by name. `docscan projects` lists them.",
            "not-found",
        )
    return found[0]
