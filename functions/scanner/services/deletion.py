"""Deleting a project with all that belongs to it (pages, images, words, thumbnails, documents), one page of it, or the
image of a page that has a new one.
"""

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
    whose |= {"pageId": deletion.page_id}
    if deletion.image_id is not None:
        return whose | _delete_image(deletion.project_id, deletion.page_id, deletion.image_id, out_of_time)
    with suppress(NotFoundError):  # without its project a page goes by the project's own message
        pages_table.delete(deletion.owner, deletion.project_id, deletion.page_id)
    return whose | {"objects": bucket.delete_page(deletion.project_id, deletion.page_id, out_of_time)}


def _delete_project(owner: str, project_id: str, out_of_time: Callable[[], bool]) -> dict[str, int]:
    projects_table.delete(owner, project_id)
    pages = pages_table.delete_all(project_id, out_of_time)
    return {"pages": pages, "objects": bucket.delete_project(project_id, out_of_time)}


def _delete_image(
    project_id: str, page_id: str, image_id: str, out_of_time: Callable[[], bool]
) -> dict[str, str | int]:
    page = pages_table.get(project_id, page_id)
    if page and page.image_id == image_id:
        return {"outcome": "kept"}  # the message came first, and then the image was not replaced after all
    return {"objects": bucket.delete_image(project_id, page_id, image_id, out_of_time)}
