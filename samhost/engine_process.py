"""The engine's process: MiniStack, its state in snapshots, and what it would lose on the way made good.

Kinesis is delivered to functions by `engine_streams`; their logs are taken by `engine_logs`; nested stacks are updated
with the help of `engine_stacks`; load balancers are as the template says by `engine_load_balancers`; samhost assumes
roles in place of services by `engine_trust`.

MiniStack writes its state when it stops in order, and only then. Here it is written every few seconds in which
something has changed. For that, private names of MiniStack's are used, each of them asserted at start.

A snapshot shows one instant of everything but the objects in S3, which are on disk before they are acknowledged. So
after a `kill -9` there may be objects that are newer than the snapshot: their notifications are sent again. S3 delivers
those at least once anyway. Messages that were being handled by a function are delivered again at once, for that
function's process has ended with the engine.
"""

import asyncio
import contextlib
import logging
import os
import pkgutil
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from samhost import engine_streams, engine_trust
from samhost.engine_guard import guarded
from samhost.snapshots import SnapshotError, Snapshots

SNAPSHOT_PATH = "/_samhost/snapshot"
# A header of requests that change nothing, such as those that are sent every second: no snapshot is taken after them.
READS_ONLY = "x-samhost-reads-only"
SNAPSHOTS_FOLDER = "SAMHOST_SNAPSHOTS"  # the environment variable that names it
PAUSE_SECONDS = 2.0  # between two snapshots
BUSY_SHARE = 0.25  # of the time, at most, is spent on writing them
IDLE_SECONDS = 60.0  # what no request causes (schedules, expiry) is looked for this often
# Notifications are sent by a thread of their own: one for an object this much older than the snapshot may not be in it.
NOTIFICATION_SECONDS = 2

LOGGER = logging.getLogger("samhost.engine")

# What is used of MiniStack that it does not promise to keep.
PRIVATE_NAMES = {
    "app": ["main", "app", "save_all", "load_state", "_build_persistence_save_dict"],
    "core.arn": ["parse_arn"],
    "core.concurrency": ["spawn_background"],
    "core.iam_evaluator": ["evaluate_trust_policy"],
    "core.lambda_runtime": [
        "Worker._spawn",
        "Worker._read_stderr",
        "Worker._drain_stderr",
        "Worker._drain_stderr_bounded",
    ],
    "core.persistence": ["STATE_DIR", "save_all", "load_state"],
    "services.alb": [
        "_ACTION_MAP",
        "_action_xml",
        "_condition_xml",
        "_empty",
        "_error",
        "_p",
        "_parse_targets_param",
        "_targets",
        "_tg_xml",
        "_tgs",
    ],
    "services.cloudformation": ["_stacks"],
    "services.cloudformation.engine": ["_resolve_dynamic_references"],
    "services.cloudformation.provisioners": [
        "_RESOURCE_HANDLERS",
        "_elbv2_listener_actions",
        "_flatten_listener_rule_conditions",
        "_provision_resource",
        "_update_resource",
    ],
    "services.kinesis": ["_streams"],
    "services.lambda_svc": [
        "CODE_BLOB_DIR",
        "_apply_filter_criteria",
        "_esm_wake",
        "_iter_all_esms",
        "_kinesis_positions",
        "_poll_kinesis",
        "_request_account_id",
        "_request_region",
    ],
    "services.s3": ["_buckets", "_object_versions", "_fire_s3_event_async"],
}


class EngineChangedError(Exception):
    """MiniStack is not the version that this was written for."""

    def __init__(self, missing: list[str]):
        super().__init__(
            f"This version of MiniStack has no {', '.join(missing)}, which samhost needs to keep its state. "
            "Install the one that pyproject.toml pins."
        )


def main() -> None:
    """Run the engine until SIGTERM."""
    from ministack.core import persistence

    snapshots = Snapshots(Path(os.environ[SNAPSHOTS_FOLDER]), _save)
    newest = snapshots.newest()
    if newest:
        persistence.STATE_DIR = str(newest)  # before the modules are imported that copy it
    try:
        _assert_private_names()
    except EngineChangedError as error:
        sys.exit(str(error))
    from ministack import app

    from samhost import engine_load_balancers, engine_logs, engine_stacks

    engine_streams.install()
    engine_trust.install()
    engine_logs.install()
    engine_stacks.install()
    engine_load_balancers.install()
    app.load_state = _load_state
    app.save_all = lambda _states: snapshots.take_now()
    app.app = guarded(with_snapshots(app.app, snapshots, _instant(newest)))
    app.main()


def _assert_private_names() -> None:
    missing = [
        f"ministack.{module}.{name}"
        for module, names in PRIVATE_NAMES.items()
        for name in names
        if not _exists(f"ministack.{module}:{name}")
    ]
    if missing:
        raise EngineChangedError(missing)


def _exists(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except AttributeError:
        return False
    return True


def _instant(snapshot: Path | None) -> datetime | None:
    return datetime.fromtimestamp(int(snapshot.name) / 1e9, UTC) if snapshot else None


def _save(folder: Path) -> None:
    """Write every service's state. One that cannot be written keeps what the last snapshot has of it, and is logged."""
    from ministack import app
    from ministack.core import persistence
    from ministack.services import lambda_svc

    logging.getLogger("persistence").setLevel(logging.WARNING)
    persistence.STATE_DIR = str(folder)
    lambda_svc.CODE_BLOB_DIR = str(folder / "lambda-blobs")
    persistence.save_all(app._build_persistence_save_dict())  # noqa: SLF001


def _load_state(service: str) -> dict | None:
    """A service's state in the snapshot, with the deliveries ended that ended with the functions' processes."""
    from ministack.core.persistence import load_state

    state = load_state(service)
    if service == "sqs" and state:
        end_deliveries(state, load_state("lambda") or {})
    return state


def end_deliveries(sqs: dict, functions: dict) -> None:
    """Make the messages visible that functions had received, in the states of SQS and of Lambda."""
    mappings = functions["esms"].all_items() if functions else ()
    sources = {mapping["EventSourceArn"] for _, mapping in mappings}
    for _, queue in sqs["queues"].all_items():
        if queue["attributes"]["QueueArn"] in sources:
            for message in queue["messages"]:
                if message.get("receipt_handle"):
                    message["visible_at"] = min(message["visible_at"], time.time())


def with_snapshots(engine: Callable, snapshots: Snapshots, restored: datetime | None) -> Callable:
    """The engine's ASGI application, with snapshots taken while it runs; a POST of SNAPSHOT_PATH asks for one.

    Requests with READS_ONLY cause none.
    """
    touched = asyncio.Event()
    tasks = set()

    async def application(scope: dict, receive: Callable, send: Callable) -> None:
        if scope["type"] == "lifespan":

            async def send_and_begin(message: dict) -> None:
                await send(message)
                if message["type"] == "lifespan.startup.complete":
                    if restored:
                        _notify_again(restored - timedelta(seconds=NOTIFICATION_SECONDS))
                    tasks.add(asyncio.create_task(_keep_taking(snapshots, touched)))

            await engine(scope, receive, send_and_begin)
        elif scope["type"] == "http" and (scope["method"], scope["path"]) == ("POST", SNAPSHOT_PATH):
            await _answer(send, await _try(snapshots))
        else:
            try:
                await engine(scope, receive, send)
            finally:
                if all(name != READS_ONLY.encode() for name, _ in scope.get("headers", ())):
                    touched.set()

    return application


async def _keep_taking(snapshots: Snapshots, touched: asyncio.Event) -> None:
    """Take snapshots after requests, and as long as each differs from the one before."""
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(touched.wait(), IDLE_SECONDS)
        touched.clear()
        started = time.monotonic()
        if await _try(snapshots):
            touched.set()
        spent = time.monotonic() - started
        await asyncio.sleep(max(PAUSE_SECONDS, spent * (1 / BUSY_SHARE - 1)))


async def _try(snapshots: Snapshots) -> bool | None:
    """Whether anything had changed; None where no snapshot could be written, which is logged."""
    try:
        return await snapshots.take()
    except (SnapshotError, OSError) as error:
        LOGGER.error("The state is not saved: %s", error)  # noqa: TRY400 - the writer has logged the traceback
        return None


async def _answer(send: Callable, taken: bool | None) -> None:
    await send({"type": "http.response.start", "status": 500 if taken is None else 204, "headers": []})
    await send({"type": "http.response.body"})


def _notify_again(since: datetime) -> None:
    """Send the notifications of all objects that were created since then."""
    from ministack.services import s3

    for bucket, key, version in list(_versions()):
        if not version.get("is_delete_marker") and datetime.fromisoformat(version["last_modified"]) > since:
            s3._fire_s3_event_async(  # noqa: SLF001
                bucket, key, "s3:ObjectCreated:Put",
                size=version["size"], etag=version["etag"], version_id=version.get("version_id"),
            )  # fmt: skip


def _versions() -> Iterator[tuple[str, str, dict]]:
    """Bucket, key and record of every object: all versions of it where its bucket keeps them."""
    from ministack.services import s3

    versioned = set()
    for bucket, key in s3._object_versions:  # noqa: SLF001
        versioned.add((bucket, key))
        for version in s3._object_versions[bucket, key]:  # noqa: SLF001
            yield bucket, key, version
    for bucket in s3._buckets:  # noqa: SLF001
        for key, record in s3._buckets[bucket]["objects"].items():  # noqa: SLF001
            if (bucket, key) not in versioned:
                yield bucket, key, record


if __name__ == "__main__":
    main()
