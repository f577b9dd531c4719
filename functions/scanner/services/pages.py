"""Pages: create, list, read, change and delete, always as the project's owner."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from scanner import text
from scanner.aws import bucket, pages_table, projects_table, queue
from scanner.edit import Edit
from scanner.errors import NotFoundError, PagesNotReadyError
from scanner.page import Page, Status, content_type
from scanner.project import Project


def create(owner: str, project_id: str, image_type: object) -> tuple[Page, dict[str, Any]]:
    """Add a page at the end of a project; return it with the `{"url", "fields"}` of the form that uploads its image.

    Raises InvalidRequestError, NotFoundError, QuotaExceededError, ContendedError.
    """
    page = pages_table.create(owner, project_id, content_type(image_type))
    return page, bucket.upload_form(page)


def listing(owner: str, project_id: str, limit: int, after: tuple[Decimal, str] | None) -> tuple[list[Page], bool]:
    """Return up to `limit` pages in page order that follow `(position, page_id)`, and whether there are more."""
    projects_table.get(owner, project_id)
    return pages_table.listing(project_id, limit, after)


def count(owner: str, project_id: str) -> int:
    """Return how many pages a project has; the number is kept, not counted."""
    return projects_table.get(owner, project_id).page_count


def get(owner: str, project_id: str, page_id: str) -> Page:
    """Return a page. Raises NotFoundError, also while the project is being deleted."""
    projects_table.get(owner, project_id)
    page = pages_table.get(project_id, page_id)
    if page is None:
        raise NotFoundError("There is no such page.")
    return page


def edit(owner: str, project_id: str, page_id: str, body: Mapping[str, object]) -> Page:
    """Correct a page's text, move it, turn it; return it as it then is.

    Raises InvalidRequestError, NotFoundError, PagesNotReadyError, NoRoomError, ContendedError.
    """
    wanted = Edit.parse(page_id, body)

    def edited(page: Page, project: Project) -> Page:
        return page.edited(wanted, pages_table.place(page, project, wanted.after) if wanted.moves else page.position)

    return pages_table.change(owner, project_id, page_id, edited)


def replace_image(owner: str, project_id: str, page_id: str, image_type: object) -> tuple[Page, dict[str, Any]]:
    """Let a page start again with a new image; return it with the form that uploads it. The old image goes, durably.

    The message goes first here, too; but it is of no effect on an image that the page still expects.
    Raises InvalidRequestError, NotFoundError, QuotaExceededError, ContendedError.
    """
    wanted = content_type(image_type)

    def replaced(page: Page, _: Project) -> Page:
        queue.send_deletion(queue.Deletion(owner, project_id, page_id, page.image_id))
        return page.replaced(wanted)

    page = pages_table.change(owner, project_id, page_id, replaced)
    return page, bucket.upload_form(page)


def delete(owner: str, project_id: str, page_id: str) -> None:
    """Delete a page; its objects follow, durably. Raises NotFoundError, ContendedError.

    The message goes first: whoever takes it deletes the page's item too, so that nothing is lost between the two.
    """
    get(owner, project_id, page_id)
    queue.send_deletion(queue.Deletion(owner, project_id, page_id))
    pages_table.delete(owner, project_id, page_id)


def text_of(page: Page) -> str:
    """Return the text of a ready page, from the words object where it was too large for the table."""
    return page.text if page.text is not None else text.from_json(bucket.read(bucket.words_key(page))).text


def words_link(owner: str, project_id: str, page_id: str) -> tuple[str, str]:
    """Return a link to a page's words object, and when it expires. Raises NotFoundError, PagesNotReadyError."""
    page = get(owner, project_id, page_id)
    if page.status != Status.READY:
        raise PagesNotReadyError(f"This page is {page.status}: only a page that is ready has words.")
    expires_at = bucket.link_expiry()
    return bucket.link(bucket.words_key(page)), expires_at


def thumbnail_link(page: Page) -> str:
    """Return a link to a ready page's thumbnail."""
    return bucket.link(bucket.thumbnail_key(page))


def image_link(page: Page) -> str:
    """Return a link to a ready page's image, as it was uploaded."""
    return bucket.link(bucket.image_key(page), page.image_version)
