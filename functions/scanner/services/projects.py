"""Projects: create, list, read, rename and delete. Every function takes the owner, and sees nobody else's projects."""

from scanner.aws import projects_table, queue
from scanner.project import Project, project_name


def create(owner: str, name: object) -> Project:
    """Create a project. Raises InvalidRequestError for a name that is none."""
    project = Project.create(owner, name)
    projects_table.put(project)
    return project


def get(owner: str, project_id: str) -> Project:
    """Return a project. Raises NotFoundError."""
    return projects_table.get(owner, project_id)


def listing(owner: str, limit: int, after: str | None) -> tuple[list[Project], bool]:
    """Return up to `limit` projects, newest first, that follow the id `after`; and whether there are more."""
    return projects_table.listing(owner, limit, after)


def rename(owner: str, project_id: str, name: object) -> Project:
    """Give a project another name. Raises InvalidRequestError for a name that is none, NotFoundError."""
    return projects_table.rename(owner, project_id, project_name(name))


def delete(owner: str, project_id: str) -> None:
    """Delete a project; its pages and objects follow, durably. Raises NotFoundError.

    The message goes first: whoever takes it deletes the project's item too, so that nothing is lost between the two.
    """
    projects_table.get(owner, project_id)
    queue.send_deletion(queue.Deletion(owner, project_id))
    projects_table.delete(owner, project_id)
