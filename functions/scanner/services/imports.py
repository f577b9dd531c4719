"""Imports: files of many pages, taken apart by a workflow as soon as they are uploaded."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scanner.aws import bucket, executions, imports_table, projects_table, usage_table
from scanner.errors import NotFoundError
from scanner.imports import INTERRUPTED, Import, Order, Status


def create(owner: str, project_id: str, body: Mapping[str, object]) -> tuple[Import, dict[str, Any]]:
    """Begin an import into a project; return it with the `{"url", "fields"}` of the form that uploads its file.

    Raises InvalidRequestError, NotFoundError; QuotaExceededError where the day's quota allows no page more.
    """
    order = Order.parse(body)
    projects_table.get(owner, project_id)
    if not usage_table.left(owner):
        raise usage_table.exceeded()
    imported = Import.create(owner, project_id, order)
    imports_table.put(imported)
    return imported, bucket.import_form(imported)


def get(owner: str, import_id: str) -> Import:
    """Return an import. Raises NotFoundError where this user has none of that id.

    One that nobody works at any more has failed: no code runs where an execution is stopped, runs out of time, or ends
    with the engine that it ran in.
    """
    imported = imports_table.get(import_id)
    if imported is None or imported.owner != owner:
        raise NotFoundError("There is no such import.")
    if imported.status == Status.RUNNING and imported.execution and not executions.is_running(imported.execution):
        imported = imports_table.get(import_id) or imported  # it may have ended in between
        if imported.status == Status.RUNNING:
            return replace(imported, status=Status.FAILED, failure=INTERRUPTED)
    return imported
