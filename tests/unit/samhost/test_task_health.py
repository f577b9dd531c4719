"""When a task is healthy, by the outcomes of its health check; and what of its definition is acted on."""

import pytest

from samhost.ecs.health import FIRST_INTERVAL_SECONDS, Health, HealthCheck, HealthRecord
from samhost.ecs.task_definition import TaskDefinition
from samhost.errors import CannotRunError

CHECK = HealthCheck(("check",), interval=10, timeout=5, retries=3, start_period=20)


def test_a_check_has_ecs_defaults_and_forms():
    assert HealthCheck.load({}) is None
    assert HealthCheck.load({"command": ["NONE"]}) is None
    assert HealthCheck.load({"command": ["CMD", "a", "b"]}) == HealthCheck(("a", "b"), 30, 5, 3, 0)
    assert HealthCheck.load({"command": ["CMD-SHELL", "a || b"]}).command == ("/bin/sh", "-c", "a || b")
    assert HealthCheck.load({"command": ["a"], "interval": "5", "startPeriod": 9, "retries": 1}) == HealthCheck(
        ("/bin/sh", "-c", "a"), 5, 5, 1, 9
    )


def test_the_first_check_that_passes_makes_a_task_healthy_and_those_before_it_come_quickly():
    record = HealthRecord(CHECK, started=0)
    record.failed(now=1)

    assert (record.status, record.pause) == (Health.UNKNOWN, FIRST_INTERVAL_SECONDS)
    record.passed()
    assert (record.status, record.pause) == (Health.HEALTHY, 10)


def test_a_task_that_never_was_healthy_has_its_start_period_and_all_retries():
    record = HealthRecord(CHECK, started=100)
    for now in range(101, 150):
        record.failed(now)
        assert record.status is Health.UNKNOWN
    record.failed(150)
    assert record.status is Health.UNHEALTHY


def test_failures_in_a_row_make_a_healthy_task_unhealthy_and_one_that_passes_begins_the_row_anew():
    record = HealthRecord(CHECK, started=0)
    record.passed()
    for _ in range(2):
        record.failed(1)
        record.failed(2)
        assert record.status is Health.HEALTHY
        record.passed()
    for now in range(3):
        record.failed(now)
    assert record.status is Health.UNHEALTHY


def definition(**container):
    return {"family": "f", "containerDefinitions": [{"name": "c", "image": "store:1"} | container]}


def test_what_a_container_says_is_taken():
    loaded = TaskDefinition.load(
        definition(
            command=["a"],
            environment=[{"name": "N", "value": 5}],
            portMappings=[{"containerPort": 8080}],
            stopTimeout=7,
            secrets=[],
        )
        | {"taskRoleArn": "arn:aws:iam::1:role/r", "volumes": []}
    )

    assert (loaded.image, loaded.command, loaded.port, loaded.stop_timeout) == ("store:1", ("a",), 8080, 7)
    assert loaded.environment == {"N": "5"}
    assert loaded.role == "arn:aws:iam::1:role/r"
    assert TaskDefinition.load(definition()).stop_timeout == 30


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"family": "f", "containerDefinitions": []}, "0 containers"),
        ({"family": "f", "containerDefinitions": [{}, {}]}, "2 containers"),
        (definition() | {"volumes": [{"name": "v"}]}, "volumes"),
        (definition(secrets=[{"name": "S", "valueFrom": "arn"}]), "secrets"),
        (definition(environmentFiles=[{"value": "arn"}]), "environment files"),
        (definition(mountPoints=[{"sourceVolume": "v"}]), "mount points"),
    ],
)
def test_what_is_not_acted_on_is_refused_by_name(given, reason):
    with pytest.raises(CannotRunError, match=reason):
        TaskDefinition.load(given)
