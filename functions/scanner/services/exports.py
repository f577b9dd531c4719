"""Exports: made by a workflow, one execution each, and looked up there and in what its tasks have noted."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from scanner.aws import bucket, executions, exports_table
from scanner.export import Attempt, Product, Volume
from scanner.ids import timestamp
from scanner.services import documents

REFUSALS = {
    "invalid-request",
    "not-found",
    "pages-not-ready",
    "nothing-to-export",
    "project-too-large",
    "page-failed",
}
"""What the workflow fails with when it was refused; any other error is a fault, whose cause is for the log."""

_INTERRUPTED = "States.ServiceRestart"
"""What local engines say of executions that were running when they were killed; Step Functions itself goes on."""


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
class Link:
    """A link to a document, and what it is called where it is saved."""

    volume: Volume
    url: str
    filename: str


@dataclass(frozen=True, slots=True)
class Export:
    """An export: one that is completed has a product and links to it, with their expiry, any other one a reason.

    `attempt` is how far it is, once something of it is planned.
    """

    export_id: str
    status: Status
    started_at: str
    stopped_at: str | None
    attempt: Attempt | None = None
    product: Product | None = None
    links: tuple[Link, ...] = ()
    links_expire_at: str | None = None
    reason: Reason | None = None


def get(owner: str, export_id: str) -> Export:
    """Return an export. Raises NotFoundError where this user has none of that id."""
    execution = executions.describe(owner, export_id)
    started_at = timestamp(execution.started_at)
    stopped_at = timestamp(execution.stopped_at) if execution.stopped_at else None
    if execution.status == "SUCCEEDED":
        product = Product.from_output(owner, export_id, json.loads(execution.output or "{}"))
        stored = bucket.sizes_below(bucket.export_prefix(product.project_id, export_id))
        if not all(volume.key in stored for volume in product.volumes):
            reason = Reason("expired", "The document is no longer kept. Start another export.")
            return Export(export_id, Status.EXPIRED, started_at, stopped_at, product=product, reason=reason)
        expiry = timestamp(datetime.now(UTC) + timedelta(seconds=bucket.LINK_SECONDS))
        return Export(
            export_id,
            Status.COMPLETED,
            started_at,
            stopped_at,
            product=product,
            links=_links(product),
            links_expire_at=expiry,
        )
    attempt = exports_table.get(owner, export_id)
    match execution.status:
        case "ABORTED":
            reason = Reason("stopped", "The export was stopped. Start another one if you need it.")
            return Export(export_id, Status.STOPPED, started_at, stopped_at, attempt, reason=reason)
        case "FAILED" | "TIMED_OUT":
            reason = _reason(execution.error, execution.cause)
            return Export(export_id, Status.FAILED, started_at, stopped_at, attempt, reason=reason)
    return Export(export_id, Status.RUNNING, started_at, None, attempt)


def _links(product: Product) -> tuple[Link, ...]:
    count, extension = len(product.volumes), product.format.extension
    links = []
    for number, volume in enumerate(product.volumes, 1):
        name = documents.filename(product.name, extension, f" ({number} of {count})" if count > 1 else "")
        links.append(Link(volume, bucket.link(volume.key, filename=name), name))
    return tuple(links)


def _reason(error: str | None, cause: str | None) -> Reason:
    if error in REFUSALS and cause:
        return Reason(error, cause)
    if error == _INTERRUPTED:
        message = "The export was interrupted. Start another one: it goes on from what is built."
    else:
        message = "The export could not be made, although it was tried several times. Start another."
    return Reason("export-failed", message)
