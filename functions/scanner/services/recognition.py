"""Recognition: what happens to an image that has arrived, or is to be recognised again.

Deliveries come at least once, late, and in any order; each of them has one effect at most:
- the first version of a page's expected image that arrives is pinned, and recognised;
- any other object (of a deleted page, of a replaced image, a second upload of the same form) is deleted, and with it
  what an attempt that died may have written after the page went;
- a page that is ready is only announced again, one that failed stays so;
- a page that was imported with its text is left alone;
- of several recognitions of the same version only the newest that was asked for counts.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_plus

from scanner import image, text
from scanner.aws import bucket, bus, pages_table, queue, textract
from scanner.errors import ImageRefusedError, SupersededError
from scanner.page import RECOGNITION_FAILED, Failure, Page, Status, TextSource

FIRST_PAUSE_SECONDS = 5
LONGEST_PAUSE_SECONDS = 360


@dataclass(frozen=True, slots=True)
class Arrival:
    """A version of an object that was uploaded as the image of a page.

    `asked_again_at` is None for the upload, and the request's moment where it is to be recognised again.
    """

    project_id: str
    page_id: str
    image_id: str
    key: str
    version: str
    asked_again_at: int | None = None


def arrivals(message: str) -> Iterator[Arrival]:
    """Yield what is to be recognised: what a command asks for, or the uploads in an S3 event notification.

    S3's test events and other objects are left out.
    """
    document = json.loads(message)
    if "askedAgainAt" in document and (ids := bucket.parse_image_key(document["key"])):
        yield Arrival(*ids, document["key"], document["versionId"], document["askedAgainAt"])
    for record in document.get("Records", []):
        key = unquote_plus(record["s3"]["object"]["key"])
        ids = bucket.parse_image_key(key)
        if ids and record["eventName"].startswith("ObjectCreated:"):
            yield Arrival(*ids, key=key, version=record["s3"]["object"]["versionId"])


def recognise(arrival: Arrival) -> str:
    """Recognise an upload, and return what became of it: `ready`, `failed`, `stray` or `superseded`.

    Raises ThrottledError; faults are raised as they come, for the queue to deliver the message again.
    """
    page = _pinned(arrival)
    if page and page.text_source == TextSource.DOCUMENT:
        return page.status.value
    if page and page.status == Status.RECOGNISING and page.asked_again_at == arrival.asked_again_at:
        page = _recognised(arrival, page)
    if page is None:
        _delete_stray(arrival)
        return "stray"
    if page.asked_again_at != arrival.asked_again_at:
        return "superseded"
    if page.status == Status.READY:
        bus.publish(bus.page_recognised(page))
    return page.status.value


def postpone(message: str) -> None:
    """Have what is in a message recognised later, with all attempts before it."""
    queue.postpone_recognition(message)


def try_again(receipt_handle: str, receives: int) -> None:
    """Have the message of an upload delivered again: soon after its first delivery, then four times later each time."""
    queue.deliver_again(receipt_handle, min(FIRST_PAUSE_SECONDS * 4 ** (receives - 1), LONGEST_PAUSE_SECONDS))


def give_up(arrival: Arrival) -> None:
    """Mark the page of an upload as failed, if it still waits for that very version to be recognised."""
    page = _expecting(arrival)
    if page and page.status == Status.RECOGNISING and page.asked_again_at == arrival.asked_again_at:
        _settle(arrival, page, page.failed(RECOGNITION_FAILED))


def _expecting(arrival: Arrival) -> Page | None:
    """Return the page that expects this image and has pinned this version of it, or none yet."""
    page = pages_table.get(arrival.project_id, arrival.page_id)
    if page and page.image_id == arrival.image_id and page.image_version in {None, arrival.version}:
        return page
    return None


def _pinned(arrival: Arrival) -> Page | None:
    """Return the page with this version pinned, or None if the upload is of no use to any page."""
    page = _expecting(arrival)
    if page and page.status == Status.AWAITING_UPLOAD and page.text_source != TextSource.DOCUMENT:
        return _settle(arrival, page, page.arrived(arrival.version))
    return page


def _recognised(arrival: Arrival, page: Page) -> Page | None:
    """Recognise the pinned image and store the results: objects first, then the page, so that a ready page has them."""
    try:
        prepared = image.prepare(bucket.read(arrival.key, arrival.version))
        recognised = textract.recognise(prepared.recognisable, prepared.width, prepared.height)
    except ImageRefusedError as refusal:
        return _settle(arrival, page, page.failed(Failure(refusal.code, refusal.message)))
    results = [
        (bucket.words_key(page), text.to_json(recognised), "application/json"),
        (bucket.thumbnail_key(page), prepared.thumbnail, "image/jpeg"),
    ]
    written = [(key, bucket.write(key, data, content_type)) for key, data, content_type in results]
    ready = page.recognised(recognised)
    settled = _settle(arrival, page, ready)
    if settled is not ready:  # something else came first: the objects are to be those that it has written, if any
        for key, version in written:
            bucket.delete_version(key, version)
    return settled


def _delete_stray(arrival: Arrival) -> None:
    page = pages_table.get(arrival.project_id, arrival.page_id)
    if page and page.image_id == arrival.image_id:  # the form was used twice
        bucket.delete_version(arrival.key, arrival.version)
    else:
        bucket.delete_image(arrival.project_id, arrival.page_id, arrival.image_id, out_of_time=lambda: False)


def _settle(arrival: Arrival, before: Page, after: Page) -> Page | None:
    """Store a transition. Where something else came first, return the page as that left it, or None if it is gone."""
    try:
        pages_table.transition(before, after)
    except SupersededError:
        page = _expecting(arrival)
        as_before = page and (page.status, page.asked_again_at) == (before.status, before.asked_again_at)
        # If the page is as it was, what failed is the condition on its project: both are being deleted.
        return None if as_before else page
    return after
