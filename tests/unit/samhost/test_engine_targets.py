"""Targets of a group in the engine: several on one address, told apart by their ports."""

from samhost.engine_targets import with_targets, without_targets

ONE, TWO, WITHOUT_PORT = {"Id": "127.0.0.1", "Port": 1}, {"Id": "127.0.0.1", "Port": 2}, {"Id": "127.0.0.1"}


def test_targets_of_one_address_are_several_and_none_is_there_twice():
    assert with_targets([ONE], [TWO, TWO, ONE], 80) == [ONE, TWO]
    assert with_targets([WITHOUT_PORT], [{"Id": "127.0.0.1", "Port": 80}], 80) == [WITHOUT_PORT]


def test_a_deregistration_takes_the_port_that_it_names_or_all_of_an_address():
    other = {"Id": "10.0.0.1", "Port": 1}

    assert without_targets([ONE, TWO, other], [ONE], 80) == [TWO, other]
    assert without_targets([ONE, TWO, other], [WITHOUT_PORT], 80) == [other]
    assert without_targets([WITHOUT_PORT], [{"Id": "127.0.0.1", "Port": 80}], 80) == []
