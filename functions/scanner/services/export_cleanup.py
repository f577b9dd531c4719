"""What an export that came to nothing leaves behind: documents and, where its owner has stopped it, parts."""

from collections.abc import Callable, Iterable

from scanner.aws import bucket, exports_table
from scanner.export import Attempt, Part


def clean_up(owner: str, export_id: str, stopped: bool, out_of_time: Callable[[], bool]) -> dict[str, str | int]:
    """Delete what an attempt that has ended without a result has left; return what to log. Twice is the same.

    Its record says from then on that it has ended, so that a task that is still at work keeps nothing either. The parts
    of an attempt that failed stay for the next one, until the bucket's lifecycle deletes them. Raises UnfinishedError.
    """
    attempt = exports_table.end(owner, export_id)
    if attempt is None:
        return {"outcome": "nothing was planned"}
    objects = bucket.delete_export(attempt.project_id, export_id, out_of_time)
    if stopped:
        objects += discard(attempt, attempt.parts.values(), out_of_time)
    return {"projectId": attempt.project_id, "objects": objects}


def discard(attempt: Attempt, parts: Iterable[Part], out_of_time: Callable[[], bool] = lambda: False) -> int:
    """Delete parts of an attempt that has ended, but for those that another one, which is running, counts on.

    Return how many objects that were. One that is deleted in the moment in which another attempt finds it is built
    again by that one, when it is missed. Raises UnfinishedError.
    """
    running = exports_table.running(attempt.owner, attempt.project_id)
    kept = {part.digest for other in running for part in other.parts.values()}
    return sum(
        bucket.delete_part(bucket.part_key(attempt.project_id, part.digest, attempt.format.extension), out_of_time)
        for part in parts
        if part.digest and part.digest not in kept
    )
