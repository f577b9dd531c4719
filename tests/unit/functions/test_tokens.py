"""Scopes of access tokens."""

import pytest

import tokens


def event(groups=None):
    return {
        "version": "2",
        "triggerSource": "TokenGeneration_Authentication",
        "request": {
            "userAttributes": {"sub": "alice"},
            "groupConfiguration": {"groupsToOverride": groups},
            "scopes": [],
        },
        "response": {"claimsAndScopeOverrideDetails": None},
    }


def scopes(groups):
    answer = tokens.handler(event(groups), None)
    return answer["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"]["scopesToAdd"]


@pytest.mark.parametrize("groups", [None, [], ["readers"], ["Operators"], ["operators2"]])
def test_everybody_may_use_docscan_and_nothing_more(groups):
    assert scopes(groups) == ["docscan/use"]


def test_operators_may_operate_it_too():
    assert scopes(["readers", "operators"]) == ["docscan/use", "docscan/operate"]


def test_nothing_else_of_the_event_is_changed():
    given = event()
    answer = tokens.handler(event(), None)
    assert {key: answer[key] for key in ("version", "triggerSource", "request")} == {
        key: given[key] for key in ("version", "triggerSource", "request")
    }


def test_a_user_without_groups_at_all_gets_a_token():
    given = event()
    del given["request"]["groupConfiguration"]
    assert tokens.handler(given, None)["response"]["claimsAndScopeOverrideDetails"]
