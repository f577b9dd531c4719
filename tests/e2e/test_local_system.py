"""The local system as a whole: starting, stopping, surviving."""

import json
import os
import signal
import subprocess
import time

import httpx
import psutil
from local_system import DOCSCAN, ROOT, family


def test_nothing_runs_until_it_is_started(own):
    for verb in ("status", "down"):
        refused = own(verb)
        assert refused.returncode == 1
        assert "Nothing is running" in refused.stderr
        assert "`up`" in refused.stderr


def test_it_says_where_everything_is(own, running):
    status = own("status")

    assert status.returncode == 0
    for url in [*running["apis"].values(), running["engine"], running["textract"]]:
        assert url in status.stdout


def test_the_data_is_its_users_alone(own, running):
    assert own.data_dir.stat().st_mode & 0o077 == 0


def test_it_shows_what_processes_and_functions_said(own, running):
    httpx.get(f"{running['apis']['ScannerApi']}/projects")
    invoke_a_function(running)

    assert '"status": "401"' in own("logs", "gateway").stdout
    assert "tokens sub=" in own("logs", "functions").stdout
    unknown = own("logs", "nothing")
    assert unknown.returncode == 1
    assert "There are: functions, engine, gateway" in unknown.stderr


def invoke_a_function(running):
    """Sign in, which invokes the trigger that adds scopes to tokens."""
    (user,) = running["users"]
    answer = httpx.post(
        running["engine"],
        headers={
            "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
            "content-type": "application/x-amz-json-1.1",
        },
        json={
            "ClientId": running["outputs"]["CliClientId"],
            "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": user["username"], "PASSWORD": user["password"]},
        },
    )
    assert answer.status_code == 200, answer.text


def test_everything_listens_on_this_machine_only(running):
    listening = [c for p in family(running) for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN]

    assert len(listening) == 3
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}


def test_one_data_directory_has_one_system(own, running):
    second = own("up")

    assert second.returncode == 1
    assert f"Already running on {own.data_dir} (process {running['pid']})" in second.stdout + second.stderr


def test_a_taken_port_is_named(running, tmp_path):
    engine = running["engine"].rsplit(":", 1)[1]
    refused = subprocess.run(
        [DOCSCAN, "up", "--data-dir", tmp_path, "--engine-port", engine],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert refused.returncode == 1
    assert f"Port {engine} (engine) is taken" in refused.stderr


def test_a_killed_gateway_comes_back(running):
    gateway = next(p for p in family(running) if "samhost.gateway" in p.cmdline())
    gateway.kill()

    deadline = time.monotonic() + 30
    while True:
        try:
            assert httpx.get(f"{running['apis']['ScannerApi']}/projects").status_code == 401
            break
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_data_and_deployment_survive_a_restart(own, running):
    assert own("down").returncode == 0
    started = own("up")
    again = json.loads((own.data_dir / "addresses.json").read_text())

    assert started.returncode == 0, started.stdout + started.stderr
    assert started.stdout.count("nothing has changed") == 2
    assert again["outputs"] == running["outputs"]
    assert again["users"] == running["users"]


def test_nothing_is_left_behind_when_it_stops(own, running):
    processes = family(running)

    assert own("down").returncode == 0

    assert psutil.wait_procs(processes, timeout=5)[1] == []
    assert not (own.data_dir / "addresses.json").exists()


def test_nothing_is_left_behind_when_its_supervisor_is_killed(own, running):
    processes = family(running)

    os.kill(running["pid"], signal.SIGKILL)

    assert psutil.wait_procs(processes, timeout=20)[1] == []
    assert own("status").returncode == 1


def test_reset_deletes_nothing_that_is_not_its_own(own, tmp_path):
    (tmp_path / "thesis.odt").touch()
    refused = subprocess.run(
        [DOCSCAN, "reset", "--yes", "--data-dir", tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert refused.returncode == 1
    assert (tmp_path / "thesis.odt").exists()


def test_reset_deletes_everything(own):
    own("down")
    assert own("reset", "--yes").returncode == 0

    assert not own.data_dir.exists()
