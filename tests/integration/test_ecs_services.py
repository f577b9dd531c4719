"""ECS services as processes: `tests/projects/tasks` as samhost runs it, three tasks of one service."""

import json
import os
import signal
import subprocess
import sys
import threading

import boto3
import httpx
import psutil
import pytest
from botocore.config import Config
from local_system import ROOT, eventually, family, hosted_template, kill, processes, restarted

TEMPLATE = ROOT / "tests" / "projects" / "tasks" / "template.yaml"
SERVICE = "teller"


class Tellers:
    """The service as others see it: in ECS, in Cloud Map, in its target group, and by its tasks' answers."""

    def __init__(self, system):
        self.system = system
        self.cluster = system.output("Cluster")
        self.ecs, self.balancing = system.client("ecs"), system.client("elbv2")
        self.cloud_map = boto3.client(
            "servicediscovery",
            endpoint_url=system.addresses["engine"],
            region_name=system.addresses["region"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(inject_host_prefix=False),  # it would be data-127.0.0.1
        )

    def ports(self):
        """The ports of the instances that Cloud Map says are healthy."""
        found = self.cloud_map.discover_instances(
            NamespaceName="internal", ServiceName=SERVICE, HealthStatus="HEALTHY"
        )["Instances"]
        assert {instance["Attributes"]["AWS_INSTANCE_IPV4"] for instance in found} <= {"127.0.0.1"}
        return {int(instance["Attributes"]["AWS_INSTANCE_PORT"]) for instance in found}

    def targets(self):
        described = self.balancing.describe_target_health(TargetGroupArn=self.system.output("TargetGroup"))
        return {item["Target"]["Port"] for item in described["TargetHealthDescriptions"]}

    def ask(self, port, path="/"):
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=30).json()

    def settled(self, count=3):
        """The ports once there are so many, the same in Cloud Map and in the target group."""

        def ports():
            found = self.ports()
            return found if len(found) == count and found == self.targets() else None

        return eventually(ports)

    def update(self, **changes):
        self.ecs.update_service(cluster=self.cluster, service=SERVICE, **changes)


@pytest.fixture(scope="module")
def tellers(tmp_path_factory):
    with hosted_template(TEMPLATE, tmp_path_factory.mktemp("tasks")) as system:
        yield Tellers(system)
        tasks = [psutil.Process(Tellers(system).ask(port)["pid"]) for port in Tellers(system).ports()]
    assert tasks
    assert not [task for task in tasks if task.is_running()]


def samhost(tellers, *arguments):
    command = [sys.executable, "-m", "samhost", *arguments, "--data-dir", tellers.system.data_dir]
    environment = os.environ | {"PATH": f"{ROOT / '.venv-sam' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def test_as_many_tasks_run_as_the_scalable_target_says_each_on_a_port_of_its_own(tellers):
    tasks = [tellers.ask(port) for port in tellers.settled()]

    assert len({task["pid"] for task in tasks}) == 3
    assert len(processes(tellers.system, "samhost.ecs.orphans")) == 1
    assert {task["GREETING"] for task in tasks} == {"from the image"}
    assert all(task["TABLE"].startswith("tasks-Table") and "AWS_ACCESS_KEY_ID" not in task for task in tasks)


def test_people_are_told_how_the_services_are_and_why_one_does_not_run(tellers):
    said = samhost(tellers, "status").stdout

    assert "Teller         3 of 3 tasks healthy" in said
    assert "Absent         not run" in said
    assert (
        "Not run: Absent: its image nginx:latest would be"
        in (tellers.system.data_dir / "logs" / "samhost.log").read_text()
    )
    assert "asked for /health" in samhost(tellers, "logs", "Teller").stdout


def test_a_task_has_the_rights_of_its_role_and_no_more(tellers):
    port = tellers.settled().pop()

    assert ":assumed-role/tasks-TaskRole" in tellers.ask(port, "/identity")["arn"]
    assert tellers.ask(port, "/read") == {"items": 0}
    assert tellers.ask(port, "/other") == {"refused": "AccessDeniedException"}


def test_a_task_gets_no_credentials_without_its_own_token(tellers):
    one, other, *_ = (tellers.ask(port) for port in tellers.settled())
    url = one["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    tokens = {task["AWS_CONTAINER_AUTHORIZATION_TOKEN"] for task in (one, other)}

    assert len(tokens) == 2
    assert {httpx.get(url, headers={"authorization": token}).status_code for token in tokens} == {200}
    assert httpx.get(url).status_code == httpx.get(url, headers={"authorization": "guessed"}).status_code == 403


def test_a_task_that_is_killed_is_found_no_more_at_once_and_replaced(tellers):
    before = tellers.settled()
    victim = before.copy().pop()

    os.kill(tellers.ask(victim)["pid"], signal.SIGKILL)

    eventually(lambda: victim not in tellers.ports() | tellers.targets(), seconds=5)
    after = tellers.settled()
    assert len(after & before) == 2


def test_a_task_whose_health_check_fails_is_taken_out_and_replaced(tellers):
    before = tellers.settled()
    victim = before.copy().pop()

    tellers.ask(victim, "/fail")

    eventually(lambda: victim not in tellers.ports() | tellers.targets())
    assert len(tellers.settled() & before) == 2


def test_a_new_deployment_replaces_all_tasks_and_nobody_is_sent_to_one_that_is_gone(tellers):
    before, done, answers = tellers.settled(), threading.Event(), []

    def keep_asking():
        while not done.is_set():
            ports = tellers.ports()
            answers.append((len(ports), {httpx.get(f"http://127.0.0.1:{port}/health").status_code for port in ports}))

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        tellers.update(forceNewDeployment=True)
        eventually(lambda: not tellers.ports() & before)
        after = tellers.settled()
    finally:
        done.set()
        asking.join()

    assert not after & before
    assert min(count for count, _ in answers) >= 3
    assert [statuses for _, statuses in answers if statuses != {200}] == []
    assert len(answers) > 3


def test_the_desired_count_is_followed(tellers):
    before = tellers.settled()

    tellers.update(desiredCount=1)
    assert tellers.settled(1) < before
    tellers.update(desiredCount=3)
    assert tellers.settled() > tellers.settled().intersection(before)


def test_instances_that_others_have_registered_stay(tellers):
    tellers.cloud_map.register_instance(
        ServiceId=tellers.system.output("RegistryId"),
        InstanceId="by-hand",
        Attributes={"AWS_INSTANCE_IPV4": "127.0.0.1", "AWS_INSTANCE_PORT": "1"},
    )
    tellers.update(desiredCount=2)
    eventually(lambda: len(tellers.targets()) == 2)

    assert 1 in tellers.ports()
    tellers.cloud_map.deregister_instance(ServiceId=tellers.system.output("RegistryId"), InstanceId="by-hand")
    tellers.update(desiredCount=3)
    tellers.settled()


def test_tasks_outlive_the_engine_and_are_registered_as_they_were(tellers):
    before = {port: tellers.ask(port)["pid"] for port in tellers.settled()}

    engine = tellers.system.addresses["engine"]
    httpx.post(f"{engine}/_samhost/snapshot", timeout=60).raise_for_status()  # or the count may be an older one again
    kill(tellers.system, "samhost.engine_process")
    restarted(tellers.system)

    assert {port: tellers.ask(port)["pid"] for port in tellers.settled()} == before
    assert tellers.ask(tellers.settled().pop(), "/read") == {"items": 0}


def test_a_killed_samhost_leaves_no_task_and_the_next_one_no_trace_of_them(tellers):
    system = tellers.system
    before = tellers.settled()
    tasks = [psutil.Process(tellers.ask(port)["pid"]) for port in before]

    members = family(system.addresses)
    os.kill(system.addresses["pid"], signal.SIGKILL)
    _, alive = psutil.wait_procs([*tasks, *members], timeout=30)
    assert not alive
    engine = system.addresses["engine"].rsplit(":", 1)[1]
    again = samhost(tellers, "up", "--detach", "--template", TEMPLATE, "--engine-port", engine, "--max-tasks", "2")

    assert again.returncode == 0, again.stdout
    assert "Teller        2 of 2 tasks healthy" in again.stdout
    assert not tellers.settled(2) & before
    assert json.loads((system.data_dir / "services.json").read_text())["Teller"]["healthy"] == 2
