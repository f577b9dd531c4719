"""One service's tasks: what is started of which deployment, and how long one that fails is waited for."""

import pytest

from samhost.ecs.declarations import ServiceKey
from samhost.ecs.health import Health
from samhost.ecs.rolling import Goal
from samhost.ecs.service import LONGEST_BACK_OFF_SECONDS, Service, back_off, service_rows
from samhost.ecs.wanted import WantedService

KEY = ServiceKey("main", "foods")


@pytest.fixture
def service(tmp_path):
    folder = tmp_path / "containers" / "store"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text('FROM python\nENV A=1\nCMD ["python3.13", "-m", "store"]')
    return Service(KEY, tmp_path / "containers", tmp_path / "tasks", tmp_path / "foods.log")


def wanted(deployment="ecs-svc/1", count=2, task_definition="foods:1"):
    return WantedService(KEY, deployment, task_definition, Goal(count), (), ())


def definition(arn, **container):
    return {"family": "foods", "containerDefinitions": [{"image": "local/store:latest"} | container]}


def test_tasks_are_started_from_the_image_that_the_task_definition_names(service):
    service.aim(wanted(), definition)

    begun, stopped = service.decide(now=0)

    assert (len(begun), stopped) == (2, [])
    assert begun[0].program.arguments[1:] == ["-m", "store"]
    assert begun[0].program.environment["A"] == "1"
    assert service.decide(now=0) == ([], [])


@pytest.mark.parametrize(
    ("container", "arguments"),
    [
        ({"command": ["-m", "other"], "entryPoint": ["python3.13"]}, ["-m", "other"]),
        ({"entryPoint": ["python3.13"]}, []),
        ({"command": ["python3.13", "-m", "other"]}, ["-m", "other"]),
    ],
)
def test_a_task_definition_may_say_what_is_run(service, container, arguments):
    service.aim(wanted(), lambda arn: definition(arn, **container))

    [task, _] = service.decide(now=0)[0]
    assert task.program.arguments[1:] == arguments


def test_a_deployment_whose_definition_cannot_be_asked_for_is_asked_for_again(service):
    service.aim(wanted(), definition)
    service.decide(now=0)

    def away(_):
        raise ConnectionError

    newer = wanted("ecs-svc/2", task_definition="foods:2")
    with pytest.raises(ConnectionError):
        service.aim(newer, away)
    assert service.decide(now=0)[0] == []  # nothing old is started in the name of the new one

    service.aim(newer, lambda arn: definition(arn, command=["python3.13", "-m", "newer"]))
    begun, _ = service.decide(now=0)
    assert {tuple(task.program.arguments[1:]) for task in begun} == {("-m", "newer")}


def test_a_deployment_that_cannot_run_leaves_the_one_before_and_says_why(service):
    service.aim(wanted(), definition)
    service.decide(now=0)

    service.aim(wanted("ecs-svc/2", task_definition="foods:2"), lambda arn: definition(arn, image="nginx"))

    assert "nginx" in (service.not_run or "")
    assert service.decide(now=0) == ([], [])
    assert len(service.present) == 2
    service.aim(wanted("ecs-svc/3"), definition)
    assert service.not_run is None


def test_a_new_deployment_is_started_beside_the_old_one(service):
    service.aim(wanted(), definition)
    for task in service.decide(now=0)[0]:
        task.health = Health.HEALTHY

    service.aim(wanted("ecs-svc/2"), definition)
    begun, stopped = service.decide(now=0)

    assert {task.deployment for task in begun} == {"ecs-svc/2"}
    assert (len(begun), stopped) == (2, [])


def test_the_first_task_that_ends_is_replaced_at_once_and_the_next_ones_later_and_later(service, monkeypatch):
    monkeypatch.setattr("samhost.ecs.service.time.monotonic", lambda: 100.0)
    service.aim(wanted(count=1), definition)
    [task] = service.decide(now=100)[0]

    service.ended(task, lasted=1)
    [task] = service.decide(now=100)[0]
    service.ended(task, lasted=1)
    assert service.decide(now=100) == ([], [])
    [task] = service.decide(now=101)[0]

    service.ended(task, lasted=3600)  # it had stayed up: this is the first failure again
    assert len(service.decide(now=100)[0]) == 1


def test_a_task_that_is_unhealthy_leaves_and_counts_as_a_failure(service):
    service.aim(wanted(count=1), definition)
    [task] = service.decide(now=0)[0]
    task.health = Health.UNHEALTHY

    [other], stopped = service.decide(now=0)

    assert (stopped, service.present) == ([task], [other])
    service.ended(task, lasted=1)
    service.ended(other, lasted=1)
    assert service.decide(now=0) == ([], []), "that were two failures in a row"


def test_a_service_that_is_gone_stops_all_its_tasks(service):
    service.aim(wanted(), definition)
    begun, _ = service.decide(now=0)

    service.leave()

    assert service.decide(now=0) == ([], begun)


def test_the_pause_grows_to_a_limit():
    assert [back_off(failures) for failures in range(5)] == [0, 0, 1, 2, 4]
    assert back_off(100) == LONGEST_BACK_OFF_SECONDS


def test_people_read_how_many_tasks_are_healthy(service):
    service.aim(wanted(), definition)
    service.decide(now=0)[0][0].health = Health.HEALTHY
    service.tasks[0].port = 40_000

    assert service.status() == {
        "cluster": "main",
        "service": "foods",
        "tasks": 2,
        "healthy": 1,
        "ports": [40_000],
        "notRun": None,
    }
    assert service_rows({"foods": service.status()}) == [("foods", "1 of 2 tasks healthy")]
    assert service_rows({"foods": {"notRun": "no image"}}) == [("foods", "not run")]
