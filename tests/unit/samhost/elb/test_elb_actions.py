"""What rules do: forward by weight, answer, redirect; and what is refused."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samhost.elb.actions import FixedResponse, Forward, Redirect, load_action
from samhost.elb.answers import fixed, page, redirect
from samhost.elb.errors import UnsupportedError
from samhost.elb.rules import Facts

REQUEST = Facts("GET", "/old/a b", "c=d", [("host", "example.com:8080")], "")


def test_requests_are_shared_by_weight():
    forward = Forward((("one", 3), ("none", 0), ("two", 1)))

    shares = Counter(forward.group(index / 400) for index in range(400))

    assert shares == {"one": 300, "two": 100}


@given(st.lists(st.integers(0, 999), min_size=1, max_size=5), st.floats(0, 1, exclude_max=True, allow_subnormal=False))
def test_no_request_goes_to_a_group_without_weight(weights, share):
    forward = Forward(tuple((str(index), weight) for index, weight in enumerate(weights)))

    group = forward.group(share)

    assert (group is None) == (sum(weights) == 0)
    assert group is None or weights[int(group)] > 0


def test_a_forward_action_names_groups_in_either_form():
    one = load_action([{"Type": "forward", "TargetGroupArn": "one"}])
    both = load_action(
        [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "one", "Weight": "2"}]}}]
    )

    assert (one, both) == (Forward((("one", 1),)), Forward((("one", 2),)))


@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        ([], "no action"),
        ([{"Type": "authenticate-oidc"}, {"Type": "forward", "TargetGroupArn": "one"}], "authenticate-oidc, forward"),
        ([{"Type": "authenticate-cognito"}], "authenticate-cognito"),
        ([{"Type": "forward"}], "without target groups"),
        (
            [
                {
                    "Type": "forward",
                    "TargetGroupArn": "one",
                    "ForwardConfig": {"TargetGroupStickinessConfig": {"Enabled": "true"}},
                }
            ],
            "Stickiness",
        ),
    ],
)
def test_what_is_not_emulated_is_refused_by_name(actions, reason):
    with pytest.raises(UnsupportedError, match=reason):
        load_action(actions)


def test_a_fixed_response_is_what_the_rule_says():
    config = {"StatusCode": "404", "ContentType": "application/json", "MessageBody": '{"message": "Not found"}'}

    action = load_action([{"Type": "fixed-response", "FixedResponseConfig": config}])
    answer = fixed(action)

    assert action == FixedResponse(404, "application/json", '{"message": "Not found"}')
    assert (answer.status, dict(answer.headers)["content-type"]) == (404, "application/json; charset=utf-8")
    assert answer.body == b'{"message": "Not found"}'


@pytest.mark.parametrize(
    ("config", "location"),
    [
        ({"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443"}, "https://example.com:443/old/a b?c=d"),
        (
            {"StatusCode": "HTTP_302", "Host": "new.#{host}", "Path": "/new/#{path}", "Query": "#{query}&e=f"},
            "http://new.example.com:80/new/old/a b?c=d&e=f",
        ),
        ({"StatusCode": "HTTP_302", "Path": "/", "Query": ""}, "http://example.com:80/"),
        ({"StatusCode": "HTTP_302", "Path": "/#{unknown}"}, "http://example.com:80/#{unknown}?c=d"),
    ],
)
def test_a_redirect_keeps_what_it_does_not_name(config, location):
    action = load_action([{"Type": "redirect", "RedirectConfig": config}])

    answer = redirect(action, REQUEST, 80)

    assert isinstance(action, Redirect)
    assert answer.status == int(config["StatusCode"][-3:])
    assert dict(answer.headers)["location"] == location


def test_an_error_page_is_html_and_holds_no_markup_of_a_reason():
    answer = page(501, "<b>")

    assert dict(answer.headers) == {"server": "awselb/2.0", "content-type": "text/html"}
    assert b"<h1>501 Not Implemented</h1>" in answer.body
    assert b"&lt;b&gt;" in answer.body
