"""Events that we publish. Their schemas are in events/schemas/."""

import json
from typing import Any

from scanner.aws import clients
from scanner.export import Product
from scanner.page import Page
from scanner.settings import SETTINGS


class PublishingError(RuntimeError):
    """The bus did not take an event; `code` is EventBridge's."""

    def __init__(self, code: str) -> None:
        super().__init__(f"The event bus did not take the event ({code}).")
        self.code = code


def page_recognised(page: Page) -> dict[str, Any]:
    """Return the event that says a page is ready, as an entry for PutEvents."""
    detail = {
        "projectId": page.project_id,
        "pageId": page.page_id,
        "imageId": page.image_id,
        "owner": page.owner,
        "confidence": page.confidence,
        "wordCount": page.word_count,
        "recognisedAt": page.updated_at,
    }
    return {"Source": "docscan.recognition", "DetailType": "PageRecognised", "Detail": json.dumps(detail)}


def export_completed(product: Product) -> dict[str, Any]:
    """Return the event that says an export's document can be had, as an entry for PutEvents."""
    detail = {
        "exportId": product.export_id,
        "projectId": product.project_id,
        "owner": product.owner,
        "format": product.format,
        "pageCount": product.page_count,
        "leftOutCount": product.left_out_count,
        "completedAt": product.completed_at,
    }
    return {"Source": "docscan.exports", "DetailType": "ExportCompleted", "Detail": json.dumps(detail)}


def publish(event: dict[str, Any]) -> None:
    """Put an event on the bus. Raises PublishingError where the bus does not take it."""
    answer = clients.events().put_events(Entries=[event | {"EventBusName": SETTINGS.event_bus}])
    if answer["FailedEntryCount"]:
        raise PublishingError(answer["Entries"][0]["ErrorCode"])
