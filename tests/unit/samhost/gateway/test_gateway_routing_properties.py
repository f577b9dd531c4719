"""Routing against a brute-force oracle of the documented priorities: developer guide, `http-api-develop-routes`.

The oracle looks at every route by a regular expression and picks the best; it shares nothing with the router.
"""

import itertools
import re
from urllib.parse import quote

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from samhost.gateway.errors import ConfigurationError
from samhost.gateway.routing import Route, Router
from samhost.gateway.targets import NotEmulatedTarget

WORDS = ["pets", "é (.*)"]
METHODS = ["GET", "POST"]
# Few templates, and all of them short, so that many take the same path.
STARTS = [parts for length in range(3) for parts in itertools.product([*WORDS, "{id}"], repeat=length)]
TEMPLATES = ["/" + "/".join(parts) for parts in [*STARTS, *((*parts, "{proxy+}") for parts in STARTS)]]

paths = st.sampled_from(TEMPLATES)
routes = st.tuples(st.sampled_from([*METHODS, "ANY"]), paths)
route_lists = st.lists(routes, max_size=30, unique=True)
asked = st.lists(st.sampled_from([*WORDS, "other", "{id}", ""]), max_size=4).map(lambda parts: "/" + "/".join(parts))


def expression(path):
    """What a path template matches: a variable at least one character, a greedy one whatever is left."""
    pieces = [
        "(.+)" if part.endswith("+}") else "([^/]+)" if part.startswith("{") else re.escape(part)
        for part in path.split("/")[1:]
    ]
    return re.compile("".join(f"/{piece}" for piece in pieces), re.DOTALL)


def rank(method, path):
    """Smaller is better: full before greedy, then literal, variable, greedy from left to right, then exact methods."""
    kinds = tuple(2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in path.split("/")[1:])
    return 2 in kinds, kinds, method == "ANY"


def oracle(keys, method, path):
    fitting = [(m, p) for m, p in keys if m in (method, "ANY") and expression(p).fullmatch(path)]
    return min(fitting, key=lambda key: rank(*key)) if fitting else None


def router(keys, default):
    made = [Route(method=method, path=path, target=NotEmulatedTarget("")) for method, path in keys]
    made += [Route(method="ANY", path="$default", target=NotEmulatedTarget(""))] if default else []
    return Router(made)


@settings(max_examples=500, deadline=None)
@given(route_lists, st.booleans(), st.sampled_from(METHODS), asked)
def test_the_route_taken_is_the_one_of_the_highest_documented_priority(keys, default, method, path):
    match, best = router(keys, default).match(method, path), oracle(keys, method, path)
    if best is None:
        assert (match.route.key if match else None) == ("$default" if default else None)
    else:
        assert match
        assert (match.route.method, match.route.path) == best


@settings(max_examples=300, deadline=None)
@given(route_lists, st.randoms(), st.sampled_from(METHODS), asked)
def test_the_order_of_the_routes_means_nothing(keys, random, method, path):
    shuffled = random.sample(keys, len(keys))
    assert router(keys, False).match(method, path) == router(shuffled, False).match(method, path)


@settings(max_examples=300, deadline=None)
@given(paths, st.data())
def test_a_path_made_from_a_template_matches_it_and_gives_back_the_values(template, data):
    value = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=8)
    asked_for = [(part, data.draw(value) if part.startswith("{") else part) for part in template.split("/")[1:]]
    match = router([("ANY", template)], False).match("GET", "/" + "/".join(text for _, text in asked_for))
    assert match
    assert match.parameters == {part.strip("{+}"): text for part, text in asked_for if part.startswith("{")}


@settings(max_examples=200, deadline=None)
@given(routes, st.data())
def test_two_routes_that_no_request_can_tell_apart_are_refused(key, data):
    method, path = key
    other = method, path.replace("{id}", "{other}").replace("{proxy+}", "{rest+}")
    try:
        router([key, other], False)
    except ConfigurationError:
        return
    raise AssertionError(f"{key} and {other} were taken")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=20))
def test_any_text_survives_the_way_through_a_path(serve, text):
    assume(text not in {".", ".."})  # which clients resolve themselves
    api = serve("GET /pets/{id}")
    assert api.get(f"/pets/{quote(text, safe='')}").status_code == 200
    assert api.event["pathParameters"] == {"id": text}
