"""The bucket: everything that is too large for a table, by key, with links for clients.

Keys begin with what the object is, the project and the page, `images/{projectId}/{pageId}/…`, so that the objects of a
project or a page share prefixes that no other's id can be the beginning of: each ends with a slash.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import IO, Any
from urllib.parse import quote

from scanner.audit import AuditEntry
from scanner.aws import clients
from scanner.errors import UnfinishedError
from scanner.ids import is_id, timestamp
from scanner.page import MAX_IMAGE_BYTES, Page
from scanner.settings import SETTINGS

_LINK_SECONDS = 15 * 60
_KINDS_OF_PAGES = ("images", "words", "thumbnails")
_KINDS = (*_KINDS_OF_PAGES, "documents", "exports")


def image_key(page: Page) -> str:
    """Return the key under which the page's expected image is uploaded."""
    return f"images/{page.project_id}/{page.page_id}/{page.image_id}"


def words_key(page: Page) -> str:
    """Return the key of the page's words object."""
    return f"words/{page.project_id}/{page.page_id}/{page.image_id}.json"


def thumbnail_key(page: Page) -> str:
    """Return the key of the page's thumbnail."""
    return f"thumbnails/{page.project_id}/{page.page_id}/{page.image_id}.jpg"


def document_key(project_id: str, digest: str) -> str:
    """Return the key of a PDF."""
    return f"documents/{project_id}/{digest}.pdf"


def export_key(project_id: str, export_id: str) -> str:
    """Return the key of an export's document."""
    return f"exports/{project_id}/{export_id}/document.pdf"


def audit_key(entry: AuditEntry) -> str:
    """Return the key of the detail of an entry of the audit log."""
    return f"audit/{entry.day}/{entry.event_id}.json"


def parse_image_key(key: str) -> tuple[str, str, str] | None:
    """Return project, page and image id of an upload's key, or None for a key that we never gave."""
    kind, *ids = key.split("/")
    if kind != "images" or len(ids) != 3 or not all(is_id(part) for part in ids):
        return None
    project_id, page_id, image_id = ids
    return project_id, page_id, image_id


def upload_form(page: Page) -> dict[str, Any]:
    """Return `{"url", "fields"}` of a form that uploads the page's image: that key, type and size, for 15 minutes."""
    return clients.s3().generate_presigned_post(
        SETTINGS.bucket,
        image_key(page),
        Fields={"Content-Type": page.content_type},
        Conditions=[{"Content-Type": page.content_type}, ["content-length-range", 1, MAX_IMAGE_BYTES]],
        ExpiresIn=_LINK_SECONDS,
    )


def link(key: str, version: str | None = None, filename: str | None = None) -> str:
    """Return a link that reads an object for 15 minutes; with a `filename`, browsers save it under that name."""
    parameters = {"Bucket": SETTINGS.bucket, "Key": key}
    if version:
        parameters["VersionId"] = version
    if filename:
        parameters["ResponseContentDisposition"] = content_disposition(filename)
    return clients.s3().generate_presigned_url("get_object", Params=parameters, ExpiresIn=_LINK_SECONDS)


def link_expiry() -> str:
    """Return until when, as a timestamp, any link holds that is made from now on."""
    return timestamp(datetime.now(UTC) + timedelta(seconds=_LINK_SECONDS))


def content_disposition(filename: str) -> str:
    """Return the header that makes browsers save a file as `filename`, which may hold anything (RFC 6266, RFC 8187)."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " .-_()") else "_" for c in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def read(key: str, version: str | None = None) -> bytes:
    """Return an object's bytes, of that version or the current one."""
    parameters = {"VersionId": version} if version else {}
    return clients.s3().get_object(Bucket=SETTINGS.bucket, Key=key, **parameters)["Body"].read()


def write(key: str, data: bytes | IO[bytes], content_type: str) -> str:
    """Store an object, and return its version."""
    answer = clients.s3().put_object(Bucket=SETTINGS.bucket, Key=key, Body=data, ContentType=content_type)
    return answer["VersionId"]


def exists(key: str) -> bool:
    """Tell whether there is such an object.

    It is looked for in the list: of one that is missing, HeadObject says 403 to whoever may list only some prefixes.
    """
    answer = clients.s3().list_objects_v2(Bucket=SETTINGS.bucket, Prefix=key, MaxKeys=1)
    return any(found["Key"] == key for found in answer.get("Contents", []))


def delete_version(key: str, version: str) -> None:
    """Delete one version of an object for good; deleting it twice is the same."""
    clients.s3().delete_object(Bucket=SETTINGS.bucket, Key=key, VersionId=version)


def delete_project(project_id: str, out_of_time: Callable[[], bool]) -> int:
    """Delete every version of every object of a project; return how many. Raises UnfinishedError when time is up."""
    return sum(_delete_below(f"{kind}/{project_id}/", out_of_time) for kind in _KINDS)


def delete_page(project_id: str, page_id: str, out_of_time: Callable[[], bool]) -> int:
    """Delete every version of every object of a page; return how many. Raises UnfinishedError when time is up."""
    return sum(_delete_below(f"{kind}/{project_id}/{page_id}/", out_of_time) for kind in _KINDS_OF_PAGES)


def delete_image(project_id: str, page_id: str, image_id: str, out_of_time: Callable[[], bool]) -> int:
    """Delete every version of an image and of what was made of it; return how many. Raises UnfinishedError."""
    # Image ids are UUIDs, so that none is the beginning of another.
    return sum(_delete_below(f"{kind}/{project_id}/{page_id}/{image_id}", out_of_time) for kind in _KINDS_OF_PAGES)


def _delete_below(prefix: str, out_of_time: Callable[[], bool]) -> int:
    client, deleted = clients.s3(), 0
    while objects := _some_versions(prefix):
        if out_of_time():
            raise UnfinishedError(f"{deleted} objects were deleted before time was up.")
        outcome = client.delete_objects(Bucket=SETTINGS.bucket, Delete={"Objects": objects, "Quiet": True})
        if errors := outcome.get("Errors"):
            raise UnfinishedError(f"S3 did not delete {len(errors)} objects ({errors[0]['Code']}).")
        deleted += len(objects)
    return deleted


def _some_versions(prefix: str) -> list[dict[str, str]]:
    """Return up to 1,000 versions and delete markers. Those before are deleted, so there is no marker to go on from."""
    answer = clients.s3().list_object_versions(Bucket=SETTINGS.bucket, Prefix=prefix)
    versions = answer.get("Versions", []) + answer.get("DeleteMarkers", [])
    return [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
