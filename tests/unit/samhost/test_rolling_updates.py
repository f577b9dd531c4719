"""Which tasks start and stop: as a function of what is there, for all that can be there."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samhost.ecs.health import Health
from samhost.ecs.rolling import Candidate, Goal, decide

KINDS = [Candidate(is_current, health) for is_current in (True, False) for health in Health]
PERCENTAGES = [(100, 200), (50, 100), (0, 100), (50, 150), (100, 100)]
NEW, STARTING, OLD = (
    Candidate(True, Health.HEALTHY),
    Candidate(True, Health.UNKNOWN),
    Candidate(False, Health.HEALTHY),
)
UNHEALTHY = Candidate(True, Health.UNHEALTHY)


def healthy(tasks):
    return sum(task.health is Health.HEALTHY for task in tasks)


def apply(goal, tasks):
    started, stopped = decide(goal, tasks)
    return [task for index, task in enumerate(tasks) if index not in stopped] + [STARTING] * started


@pytest.mark.parametrize("percentages", PERCENTAGES)
def test_neither_bound_is_ever_crossed(percentages):
    for count, size in itertools.product(range(4), range(6)):
        goal = Goal(count, *percentages)
        for tasks in itertools.combinations_with_replacement(KINDS, size):
            started, stopped = decide(goal, tasks)
            left = apply(goal, tasks)

            assert healthy(left) >= min(healthy(tasks), goal.least_healthy), (goal, tasks)
            assert not started or len(left) <= goal.most, (goal, tasks)
            assert len(set(stopped)) == len(stopped)


@given(
    st.integers(0, 6),
    st.sampled_from([percentages for percentages in PERCENTAGES if percentages != (100, 100)]),
    st.lists(st.sampled_from(KINDS), max_size=8),
)
@settings(deadline=None)
def test_any_service_gets_where_it_shall_be_when_its_tasks_become_healthy(count, percentages, tasks):
    goal = Goal(count, *percentages)
    for _ in range(40):
        tasks = [NEW if task == STARTING else task for task in apply(goal, tasks)]

    if goal.most >= count and goal.most > 1:  # otherwise there is no room to replace the last one
        assert tasks == [NEW] * count
    assert healthy(tasks) >= goal.least_healthy


def test_a_new_deployment_starts_beside_the_old_one_and_replaces_it_task_by_task():
    goal = Goal(3)

    assert decide(goal, [OLD] * 3) == (3, [])
    assert decide(goal, [OLD, OLD, OLD, STARTING, STARTING, STARTING]) == (0, [])
    assert decide(goal, [OLD, OLD, OLD, NEW, STARTING, STARTING]) == (0, [0])
    assert decide(goal, [OLD, OLD, NEW, NEW, NEW]) == (0, [0, 1])


def test_where_fewer_may_be_healthy_old_tasks_make_room_first():
    assert decide(Goal(4, 50, 100), [OLD] * 4) == (2, [0, 1])


def test_an_unhealthy_task_is_stopped_at_once_and_replaced():
    assert decide(Goal(3), [NEW, UNHEALTHY, NEW]) == (1, [1])


def test_fewer_tasks_are_wanted_the_newest_go_first_and_those_that_start_before_them():
    assert decide(Goal(1), [NEW, NEW, STARTING]) == (0, [1, 2])
    assert decide(Goal(0), [NEW, STARTING]) == (0, [0, 1])


def test_one_wanted_task_may_run_even_where_the_maximum_rounds_to_none():
    assert decide(Goal(1, 0, 50), []) == (1, [])
