"""Which rule a request meets: conditions as AWS documents them, and priorities."""

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samhost.elb.actions import FixedResponse, Refused
from samhost.elb.description import LAST, Listener, load_rule
from samhost.elb.errors import UnsupportedError
from samhost.elb.rules import Condition, Facts, Rule


def facts(method="GET", path="/", query="", source_ip="127.0.0.1", **headers):
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Facts(method, path, query, named, source_ip)


def condition(field, *values, **config):
    return Condition.load({"Field": field, "Values": list(values)} | config)


@pytest.mark.parametrize(
    ("pattern", "met", "not_met"),
    [
        ("/api/books", ["/api/books"], ["/api/books/", "/api/booksfoo", "/API/books", "/x/api/books"]),
        ("/api/books/*", ["/api/books/", "/api/books/1", "/api/books/1/2"], ["/api/books", "/api/booksfoo/1"]),
        ("/img/?.png", ["/img/a.png"], ["/img/.png", "/img/ab.png", "/img/aXpng"]),
        ("*", ["/", "/anything"], []),
        ("/a[bc]+", ["/a[bc]+"], ["/ab", "/abb"]),
        ("/caf%C3%A9", ["/caf%C3%A9"], ["/caf\u00e9"]),
    ],
)
def test_a_path_pattern_is_about_the_whole_path_as_it_was_sent(pattern, met, not_met):
    about = condition("path-pattern", pattern)

    assert [path for path in met + not_met if about.is_met(facts(path=path))] == met


def test_a_condition_is_met_where_one_of_its_values_is():
    about = condition("path-pattern", "/a", "/b")

    assert [about.is_met(facts(path=path)) for path in ("/a", "/b", "/c")] == [True, True, False]


@pytest.mark.parametrize(
    ("host", "is_met"),
    [("api.example.com", True), ("API.Example.com:8080", True), ("example.com", False), ("", False)],
)
def test_a_host_is_compared_without_its_port_and_in_any_case(host, is_met):
    assert condition("host-header", "*.example.COM").is_met(facts(host=host)) is is_met


def test_a_method_is_compared_exactly():
    about = condition("http-request-method", "PUT")

    assert [about.is_met(facts(method=method)) for method in ("PUT", "put", "GET")] == [True, False, False]


@pytest.mark.parametrize(("value", "is_met"), [("Mozilla/5.0", True), ("mozilla/9", True), ("curl/8", False)])
def test_a_header_is_compared_in_any_case(value, is_met):
    about = condition(
        "http-header", HttpHeaderConfig={"HttpHeaderName": "User-Agent", "Values": ["*Mozilla*", "nothing"]}
    )

    assert about.is_met(facts(user_agent=value)) is is_met
    assert not about.is_met(facts(x_agent=value))


@pytest.mark.parametrize(
    ("query", "is_met"),
    [
        ("version=v1", True),
        ("VERSION=V1", True),
        ("a=b&version=v1", True),
        ("version=v12", False),
        ("other=v1", False),
        ("any=example", True),
        ("any=%65xample", True),
        ("", False),
        ("version", False),
    ],
)
def test_a_query_string_needs_one_of_the_pairs_or_values(query, is_met):
    pairs = [{"Key": "version", "Value": "v1"}, {"Value": "ex*"}]

    assert condition("query-string", QueryStringConfig={"Values": pairs}).is_met(facts(query=query)) is is_met


@pytest.mark.parametrize(
    ("address", "is_met"), [("192.0.2.7", True), ("192.0.3.7", False), ("2001:db8::1", True), ("", False)]
)
def test_a_source_is_the_address_of_the_connection(address, is_met):
    about = condition("source-ip", "192.0.2.0/24", "2001:db8::/32")

    assert about.is_met(facts(source_ip=address, x_forwarded_for="192.0.2.7")) is is_met


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"Field": "cookie", "Values": ["a"]}, "a condition about cookie"),
        ({"Field": "path-pattern", "Values": []}, "without values"),
        ({"Field": "path-pattern", "RegexValues": ["a+"]}, "RegexValues"),
        ({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "a", "RegexValues": ["a"]}}, "RegexValues"),
        ({"Field": "source-ip", "Values": ["here"]}, "here"),
    ],
)
def test_what_is_not_emulated_is_refused_by_name(told, reason):
    with pytest.raises(UnsupportedError, match=re.escape(reason)):
        Condition.load(told)


def test_a_rule_with_a_condition_that_is_not_emulated_refuses_what_meets_the_others():
    rule = load_rule(
        {
            "Priority": "7",
            "Conditions": [{"Field": "path-pattern", "Values": ["/a"]}, {"Field": "cookie", "Values": ["b"]}],
            "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
        }
    )

    assert rule.action == Refused("not emulated: a condition about cookie")
    assert [rule.is_met(facts(path=path)) for path in ("/a", "/b")] == [True, False]


def test_a_rule_with_transforms_is_refused():
    told = {
        "Priority": "7",
        "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
        "Transforms": [{"Type": "url-rewrite"}],
    }

    assert load_rule(told).action == Refused("not emulated: transforms")


def listener(rules):
    ordered = tuple(sorted(rules, key=lambda rule: rule.priority))
    return Listener("arn", "balancer", "dns", "HTTP", 80, ordered)


PATTERNS = st.text(alphabet="/ab*?", max_size=6)
RULES = st.dictionaries(st.integers(1, 50_000), st.lists(PATTERNS.filter(bool), min_size=1, max_size=3), max_size=6)


@given(RULES, st.text(alphabet="/ab", max_size=5))
def test_exactly_one_rule_decides_and_none_of_a_lower_priority_is_met(patterns, path):
    rules = [
        Rule(priority, (Condition("path-pattern", tuple(values)),), FixedResponse(200, "text/plain", str(priority)))
        for priority, values in patterns.items()
    ]
    default = Rule(LAST, (), FixedResponse(404, "text/plain", "default"))

    action = listener([default, *rules]).action(facts(path=path))

    met = [
        priority
        for priority, values in sorted(patterns.items())
        if any(fnmatch.fnmatchcase(path, value) for value in values)
    ]
    assert action.body == (str(met[0]) if met else "default")
