"""Deleting what belongs to a project: pages, images, words, thumbnails and documents."""

from collections.abc import Callable

from scanner.aws import bucket, pages_table, projects_table, queue


def delete(request: str, out_of_time: Callable[[], bool]) -> dict[str, str | int]:
    """Do what a deletion message asks for; return `{"sub", "projectId", "pages", "objects"}`, the last two as counts.

    The project's item goes first, because without it no page can be created and no result stored. It can be done again
    at any time, and goes on where it was left. Raises UnfinishedError when `out_of_time()` says so.
    """
    owner, project_id = queue.parse_deletion(request)
    projects_table.delete(owner, project_id)
    pages = pages_table.delete_all(project_id, out_of_time)
    objects = bucket.delete_project(project_id, out_of_time)
    return {"sub": owner, "projectId": project_id, "pages": pages, "objects": objects}
