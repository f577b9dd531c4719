"""Deleting a project with all that belongs to it (pages, images, words, thumbnails, documents), or one page of it."""

from collections.abc import Callable
from contextlib import suppress

from scanner.aws import bucket, pages_table, projects_table, queue
from scanner.errors import NotFoundError


def delete(request: str, out_of_time: Callable[[], bool]) -> dict[str, str | int]:
    """Do what a deletion message asks for; return what to log: whose, which, and how much was deleted.

    The item goes first, because without it no page can be created and no result stored. It can be done again at any
    time, and goes on where it was left. Raises UnfinishedError when `out_of_time()` says so.
    """
    deletion = queue.parse_deletion(request)
    whose = {"sub": deletion.owner, "projectId": deletion.project_id}
    if deletion.page_id is None:
        return whose | _delete_project(deletion.owner, deletion.project_id, out_of_time)
    with suppress(NotFoundError):  # without its project a page goes by the project's own message
        pages_table.delete(deletion.owner, deletion.project_id, deletion.page_id)
    objects = bucket.delete_page(deletion.project_id, deletion.page_id, out_of_time)
    return whose | {"pageId": deletion.page_id, "objects": objects}


def _delete_project(owner: str, project_id: str, out_of_time: Callable[[], bool]) -> dict[str, int]:
    projects_table.delete(owner, project_id)
    pages = pages_table.delete_all(project_id, out_of_time)
    return {"pages": pages, "objects": bucket.delete_project(project_id, out_of_time)}
