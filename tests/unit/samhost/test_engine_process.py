"""What the engine's process adds to the engine."""

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
