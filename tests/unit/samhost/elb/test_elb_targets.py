"""The health of targets, and which of them gets a request."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samhost.elb.description import HealthCheck, Target, TargetGroup, load_group
from samhost.elb.network import Address, Network
from samhost.elb.targets import Pool, RegisteredTarget, State

CHECK = HealthCheck("HTTP", None, "/", 30, 5, healthy_threshold=3, unhealthy_threshold=2, statuses=(range(200, 201),))
INITIAL, HEALTHY, UNHEALTHY = State.INITIAL, State.HEALTHY, State.UNHEALTHY


def group(*ports):
    return TargetGroup("arn", "name", CHECK, 300, tuple(Target("127.0.0.1", port) for port in ports))


def pool(**states):
    made = Pool(group())
    made.update(group(*range(len(states))))
    for target, state in zip(made.targets.values(), states.values(), strict=True):
        target.state = state
    return made


@pytest.mark.parametrize(
    ("checks", "states"),
    [
        ("+", [HEALTHY]),
        ("-+", [INITIAL, HEALTHY]),
        ("--", [INITIAL, UNHEALTHY]),
        ("+-+--", [HEALTHY, HEALTHY, HEALTHY, HEALTHY, UNHEALTHY]),
        ("--+++", [INITIAL, UNHEALTHY, UNHEALTHY, UNHEALTHY, HEALTHY]),
        ("--++-+++", [INITIAL, *[UNHEALTHY] * 6, HEALTHY]),
    ],
)
def test_a_target_changes_its_state_after_as_many_checks_in_a_row_as_the_group_says(checks, states):
    target = RegisteredTarget(Target("127.0.0.1", 1))

    seen = []
    for check in checks:
        before = target.state
        assert target.record(check == "+", CHECK) == (target.state is not before)
        seen.append(target.state)

    assert seen == states


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 5), st.integers(1, 5))
def test_no_target_is_taken_out_or_back_before_its_threshold(checks, healthy, unhealthy):
    check = HealthCheck("HTTP", None, "/", 30, 5, healthy, unhealthy, ())
    target = RegisteredTarget(Target("127.0.0.1", 1))
    for index, passed in enumerate(checks):
        before = target.state
        if target.record(passed, check):
            needed = 1 if before is INITIAL and passed else healthy if passed else unhealthy
            assert checks[index - needed + 1 : index + 1] == [passed] * needed


def test_healthy_targets_take_turns_and_others_get_nothing():
    made = pool(a=HEALTHY, b=UNHEALTHY, c=HEALTHY, d=INITIAL, e=HEALTHY)

    ports = Counter(made.next().target.port for _ in range(30))

    assert ports == {0: 10, 2: 10, 4: 10}


def test_a_group_without_healthy_targets_fails_open_to_the_unhealthy_ones():
    made = pool(a=UNHEALTHY, b=INITIAL, c=UNHEALTHY)

    assert {made.next().target.port for _ in range(10)} == {0, 2}


@pytest.mark.parametrize("states", [{}, {"a": INITIAL}])
def test_there_is_no_target_where_none_is_registered_or_was_ever_checked(states):
    assert pool(**states).next() is None


def test_targets_come_and_go_and_those_that_stay_keep_their_health():
    made = pool(a=HEALTHY, b=HEALTHY)

    new, gone = made.update(group(1, 2))

    assert [each.target.port for each in new] == [2]
    assert [each.target.port for each in gone] == [0]
    assert {target.port: each.state for target, each in made.targets.items()} == {1: HEALTHY, 2: INITIAL}


def test_targets_that_are_replaced_all_at_once_go_on_until_a_new_one_is_healthy():
    made = pool(a=HEALTHY, b=UNHEALTHY)

    made.update(group(8, 9))
    before = {made.next().target.port for _ in range(4)}
    made.update(group(8, 9))
    still = {made.next().target.port for _ in range(4)}
    made.targets[Target("127.0.0.1", 9)].record(True, CHECK)
    after = {made.next().target.port for _ in range(4)}
    made.update(group(8, 9))
    made.update(group(7))

    assert (before, still, after) == ({0}, {0}, {9})
    assert {made.next().target.port for _ in range(4)} == {9}


def test_targets_that_are_deregistered_and_not_replaced_get_nothing():
    made = pool(a=HEALTHY)

    made.update(group())

    assert made.next() is None


def test_requests_under_way_at_a_deregistered_target_have_its_delay_and_no_more():
    async def main():
        target = RegisteredTarget(Target("127.0.0.1", 1))
        async with asyncio.timeout(None) as limit:
            target.under_way.add(limit)
            await asyncio.sleep(0)
            target.drain(5)
            return limit.when() - asyncio.get_running_loop().time()

    assert 4 < asyncio.run(main()) <= 5


def test_attributes_that_nothing_acts_on_are_named():
    told = {
        "TargetGroupArn": "arn",
        "TargetGroupName": "name",
        "TargetType": "lambda",
        "Protocol": "HTTP",
        "Matcher": {"HttpCode": "200,204-206"},
    }
    attributes = {
        "deregistration_delay.timeout_seconds": "7",
        "stickiness.enabled": "true",
        "slow_start.duration_seconds": "0",
    }

    loaded = load_group(told, [{"Id": "127.0.0.1", "Port": "80"}], attributes)

    assert loaded.not_acted_on == ("TargetType lambda", "stickiness.enabled true")
    assert loaded.deregistration_delay == 7
    assert loaded.check.statuses == (range(200, 201), range(204, 207))
    assert loaded.targets == (Target("127.0.0.1", 80),)


def test_a_target_is_an_address_or_a_load_balancer_that_listens_here():
    balancer = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/a/b"
    network = Network({(balancer, 80): Address.parse("127.0.0.1:5000")})

    assert network.address(Target("127.0.0.1", 8080)) == Address("127.0.0.1", 8080)
    assert network.address(Target(balancer, 80)) == Address("127.0.0.1", 5000)
    assert network.address(Target(balancer, 81)) is None
    assert network.address(Target("i-0123456789abcdef0", 80)) is None
