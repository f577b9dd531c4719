"""Exports: made by a workflow, one execution each, and looked up there."""

import json
from dataclasses import dataclass
from enum import StrEnum

from scanner.aws import bucket, bus, executions, projects_table
from scanner.errors import NotFoundError, ProjectTooLargeError
from scanner.export import Format, Order, Product
from scanner.ids import timestamp
from scanner.services import documents

_LAYOUTS = {Format.PDF: documents.Layout.SCAN, Format.TEXT_PDF: documents.Layout.TEXT}
REFUSALS = {"invalid-request", "not-found", "pages-not-ready", "nothing-to-export", "project-too-large"}
"""What the workflow fails with when it was refused; any other error is a fault, whose cause is for the log."""


class Status(StrEnum):
    """Where an export stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no document: `code` for programs, `message` for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Export:
    """An export: one that is completed has a product and a link to it, with its expiry, any other one a reason."""

    export_id: str
    status: Status
    started_at: str
    stopped_at: str | None
    product: Product | None = None
    url: str | None = None
    url_expires_at: str | None = None
    reason: Reason | None = None


def build(owner: str, export_id: str, body: object) -> Product:
    """Make the document that was asked for, and tell the event bus; doing it again makes no second document.

    Raises InvalidRequestError, NotFoundError, PagesNotReadyError, NothingToExportError, ProjectTooLargeError; and
    ContendedError, PublishingError, after which it is to be tried again.
    """
    order = Order.parse(body)
    key = bucket.export_key(order.project_id, export_id)
    try:
        contents = documents.contents(owner, order.project_id, documents.EXPORTED)
        version = documents.store(contents, _LAYOUTS[order.format], key)
    except ProjectTooLargeError as error:
        message = f"This project is too large for one document ({error.message}). Split it into smaller ones."
        raise ProjectTooLargeError(message) from error
    _delete_if_orphaned(owner, order.project_id, key, version)
    product = Product(
        export_id=export_id,
        project_id=order.project_id,
        owner=owner,
        format=order.format,
        name=contents.project.name,
        key=key,
        page_count=len(contents.ready),
        left_out_count=len(contents.left_out),
        completed_at=timestamp(),
    )
    bus.publish(bus.export_completed(product))
    return product


def get(owner: str, export_id: str) -> Export:
    """Return an export. Raises NotFoundError where this user has none of that id."""
    execution = executions.describe(owner, export_id)
    started_at = timestamp(execution.started_at)
    stopped_at = timestamp(execution.stopped_at) if execution.stopped_at else None
    match execution.status:
        case "SUCCEEDED":
            product = Product.from_output(owner, export_id, json.loads(execution.output or "{}"))
            if not bucket.exists(product.key):
                reason = Reason("expired", "The document is no longer kept. Start another export.")
                return Export(export_id, Status.EXPIRED, started_at, stopped_at, product, reason=reason)
            url_expires_at = bucket.link_expiry()
            url = bucket.link(product.key, filename=documents.filename(product.name))
            return Export(export_id, Status.COMPLETED, started_at, stopped_at, product, url, url_expires_at)
        case "ABORTED":
            reason = Reason("stopped", "The export was stopped. Start another one if you need it.")
            return Export(export_id, Status.STOPPED, started_at, stopped_at, reason=reason)
        case "FAILED" | "TIMED_OUT":
            reason = _reason(execution.error, execution.cause)
            return Export(export_id, Status.FAILED, started_at, stopped_at, reason=reason)
    return Export(export_id, Status.RUNNING, started_at, None)


def _reason(error: str | None, cause: str | None) -> Reason:
    if error in REFUSALS and cause:
        return Reason(error, cause)
    return Reason("export-failed", "The export could not be made, although it was tried several times. Start another.")


def _delete_if_orphaned(owner: str, project_id: str, key: str, version: str | None) -> None:
    """Delete what was written if its project was deleted meanwhile, and may not have found it. Raises NotFoundError."""
    try:
        projects_table.get(owner, project_id)
    except NotFoundError:
        if version:
            bucket.delete_version(key, version)
        raise
