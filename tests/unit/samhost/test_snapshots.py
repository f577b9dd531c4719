"""Snapshots: whole, of one instant, and cheap where nothing has changed."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from samhost.snapshots import SnapshotError, Snapshots


def snapshots_of(folder, files):
    """Snapshots of a dictionary: file name to content."""

    def save(target):
        for name, content in files.items():
            (target / f"{name}.new").write_text(content)
            (target / f"{name}.new").replace(target / name)

    return Snapshots(folder, save)


def read(snapshot):
    return {path.name: path.read_text() for path in snapshot.iterdir()}


def test_there_is_none_at_first(tmp_path):
    assert snapshots_of(tmp_path / "snapshots", {}).newest() is None


def test_the_newest_holds_the_state_and_replaces_the_one_before(tmp_path):
    state = {"queue": "one", "table": "same"}
    snapshots = snapshots_of(tmp_path, state)
    assert asyncio.run(snapshots.take())
    first = snapshots.newest()
    state["queue"] = "two"
    assert asyncio.run(snapshots.take())

    assert read(snapshots.newest()) == {"queue": "two", "table": "same"}
    assert int(snapshots.newest().name) > int(first.name)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [snapshots.newest().name]


def test_what_has_not_changed_is_not_written(tmp_path):
    snapshots = snapshots_of(tmp_path, {"table": "rows"})
    asyncio.run(snapshots.take())
    before = snapshots.newest()

    assert not asyncio.run(snapshots.take())
    assert not snapshots.take_now()
    assert snapshots.newest() == before


def test_a_snapshot_shows_the_instant_at_which_it_was_asked_for(tmp_path):
    state = {"table": "before"}
    gate = tmp_path / "gate"

    def save(target):
        while not gate.exists():
            time.sleep(0.01)
        (target / "table").write_text(state["table"])

    snapshots = Snapshots(tmp_path / "snapshots", save)

    async def change_meanwhile():
        taking = asyncio.create_task(snapshots.take())
        await asyncio.sleep(0)
        state["table"] = "after"
        gate.touch()
        await taking

    asyncio.run(change_meanwhile())

    assert read(snapshots.newest()) == {"table": "before"}


def test_a_writer_that_fails_leaves_the_last_snapshot(tmp_path, capfd):
    state = {"table": "good"}
    snapshots = snapshots_of(tmp_path, state)
    asyncio.run(snapshots.take())
    state["table"] = None

    with pytest.raises(SnapshotError, match="status 1"):
        asyncio.run(snapshots.take())

    assert read(snapshots.newest()) == {"table": "good"}
    assert "TypeError" in capfd.readouterr().err


def test_a_writer_killed_half_way_leaves_the_last_snapshot(tmp_path):
    state = {"queue": "good", "table": "good"}
    snapshots = snapshots_of(tmp_path, state)
    asyncio.run(snapshots.take())

    def killed(target):
        (target / "queue").unlink()
        (target / "queue").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(SnapshotError, match="-9"):
        asyncio.run(Snapshots(tmp_path, killed).take())

    assert read(snapshots.newest()) == {"queue": "good", "table": "good"}
    state["queue"] = "better"
    assert asyncio.run(snapshots.take())
    assert read(snapshots.newest()) == {"queue": "better", "table": "good"}


def test_a_snapshot_begun_before_a_kill_is_waited_for(tmp_path):
    """The process is killed while its writer writes; the next process reads what it wrote."""
    program = f"""
import asyncio, os, pathlib, signal, time
from samhost.snapshots import Snapshots
def save(target):
    os.kill(os.getppid(), signal.SIGKILL)
    pathlib.Path({str(tmp_path / "begun")!r}).touch()
    time.sleep(0.5)
    (target / "table").write_text("complete")
asyncio.run(Snapshots(pathlib.Path({str(tmp_path / "snapshots")!r}), save).take())
"""
    killed = subprocess.run([sys.executable, "-c", program], check=False, timeout=30)
    assert killed.returncode == -signal.SIGKILL
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)

    assert read(snapshots_of(tmp_path / "snapshots", {}).newest()) == {"table": "complete"}


def test_a_clock_that_was_set_back_does_not_bring_old_data_back(tmp_path, monkeypatch):
    state = {"table": "old"}
    snapshots = snapshots_of(tmp_path, state)
    snapshots.take_now()
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    state["table"] = "new"
    snapshots.take_now()

    assert read(snapshots.newest()) == {"table": "new"}
