"""What the engine's process adds to the engine."""

import asyncio
import os
import subprocess
import sys
import time

import pytest

from samhost import engine_process

QUEUE = "arn:aws:sqs:us-east-1:000000000000:uploads"


class Regional(dict):
    """What the engine's regional stores offer."""

    def all_items(self):
        return list(self.items())


def queue(arn, *messages):
    return {"attributes": {"QueueArn": arn}, "messages": list(messages)}


def test_messages_that_functions_were_handling_are_visible_after_a_restart():
    later = time.time() + 300
    handled = {"receipt_handle": "1", "visible_at": later}
    delayed = {"receipt_handle": None, "visible_at": later}
    of_another_consumer = {"receipt_handle": "2", "visible_at": later}
    queues = Regional(a=queue(QUEUE, handled, delayed), b=queue(f"{QUEUE}-2", of_another_consumer))

    engine_process.end_deliveries({"queues": queues}, {"esms": Regional(m={"EventSourceArn": QUEUE})})

    assert handled["visible_at"] <= time.time()
    assert delayed["visible_at"] == of_another_consumer["visible_at"] == later


@pytest.mark.parametrize(("module", "name"), [("services.s3", "_gone"), ("core.lambda_runtime", "Worker._gone")])
def test_an_engine_without_a_name_that_is_needed_does_not_start(module, name, tmp_path):
    program = (
        "from samhost import engine_process\n"
        f"engine_process.PRIVATE_NAMES[{module!r}].append({name!r})\n"
        "engine_process.main()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"SAMHOST_SNAPSHOTS": str(tmp_path)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert run.returncode == 1
    assert f"This version of MiniStack has no ministack.{module}.{name}" in run.stderr
    assert "pyproject.toml" in run.stderr


def test_only_requests_that_may_have_changed_something_cause_a_snapshot(monkeypatch):
    monkeypatch.setattr(engine_process, "PAUSE_SECONDS", 0)
    taken = []

    class Snapshots:
        async def take(self):
            taken.append("snapshot")
            return False

    async def engine(scope, receive, send):
        await send({"type": "lifespan.startup.complete"})

    async def main():
        application = engine_process.with_snapshots(engine, Snapshots(), None)

        async def send(message):
            await asyncio.sleep(0)

        async def ask(scope):
            await application(scope, None, send)
            for _ in range(10):
                await asyncio.sleep(0)
            return len(taken)

        http = {"type": "http", "method": "POST", "path": "/"}
        await ask({"type": "lifespan"})
        return [
            await ask(http | {"headers": [(b"x-samhost-reads-only", b"true")]}),
            await ask(http | {"headers": [(b"content-type", b"text/xml")]}),
        ]

    assert asyncio.run(main()) == [0, 1]
