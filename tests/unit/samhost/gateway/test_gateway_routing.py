"""Which route takes a request: section "Routing" of the developer guide, `http-api-develop-routes`."""

import pytest

from samhost.gateway.errors import ConfigurationError


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        # The example of the developer guide.
        ("GET", "/pets/dog/1", "GET /pets/dog/1"),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}"),
        ("POST", "/test/5", "ANY /{proxy+}"),
        ("GET", "/", "$default"),
        # Where no method of the most specific path fits, a less specific path does.
        ("POST", "/pets/dog/1", "ANY /{proxy+}"),
    ],
)
def test_the_most_specific_route_takes_the_request(serve, method, path, route):
    api = serve(
        "GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"
    )  # fmt: skip
    assert api.request(method, path).status_code == 200
    assert api.event["routeKey"] == route


def test_a_full_match_comes_before_a_greedy_one_with_more_literals(serve):
    api = serve("GET /pets/{proxy+}", "GET /{kind}/{id}")
    api.get("/pets/1")
    assert api.event["routeKey"] == "GET /{kind}/{id}"


def test_segments_count_from_left_to_right(serve):
    api = serve("GET /{kind}/toys", "GET /dogs/{thing}")
    api.get("/dogs/toys")
    assert api.event["routeKey"] == "GET /dogs/{thing}"


def test_an_exact_method_comes_before_any(serve):
    api = serve("ANY /pets", "GET /pets")
    api.get("/pets")
    assert api.event["routeKey"] == "GET /pets"
    api.request("PUT", "/pets")
    assert api.event["routeKey"] == "ANY /pets"


@pytest.mark.parametrize(("method", "path"), [("POST", "/pets"), ("GET", "/pets/"), ("GET", "/other"), ("GET", "/pet")])
def test_no_match_is_404_and_never_405(serve, method, path):
    api = serve("GET /pets")
    answer = api.request(method, path)
    assert answer.status_code == 404
    assert answer.json() == {"message": "Not Found"}
    assert api.request("HEAD", "/pets").status_code == 404


@pytest.mark.parametrize("path", ["/pets", "/pets/"])
def test_a_greedy_variable_takes_at_least_one_segment(serve, path):
    assert serve("GET /pets/{proxy+}").get(path).status_code == 404


def test_a_variable_takes_at_least_one_character(serve):
    assert serve("GET /pets/{id}/toys").get("/pets//toys").status_code == 404


def test_path_parameters_are_decoded(serve):
    api = serve("GET /pets/{name}/toys/{rest+}")
    api.get("/pets/Sm%C3%B8rf%20I/toys/a/b%20c")
    assert api.event["pathParameters"] == {"name": "Smørf I", "rest": "a/b c"}


def test_the_path_is_decoded_before_it_is_routed(serve):
    # Observed at AWS: an encoded slash separates segments.
    api = serve("GET /pets/{id}", "GET /pets/{id}/toys")
    api.get("/pets/1%2Ftoys")
    assert api.event["routeKey"] == "GET /pets/{id}/toys"


def test_a_named_stage_is_in_the_path_and_no_other_stage_answers(serve):
    api = serve("GET /pets", "GET /", stage="dev")
    assert api.get("/dev/pets").status_code == 200
    assert api.event["rawPath"] == "/dev/pets"
    assert api.event["requestContext"]["stage"] == "dev"
    assert api.get("/dev").status_code == 200
    assert api.get("/pets").status_code == 404
    assert api.get("/devil/pets").status_code == 404


def test_routes_that_take_the_same_requests_are_refused_when_the_api_is_loaded(serve):
    with pytest.raises(ConfigurationError, match=r"GET /pets/\{id\} and GET /pets/\{name\}"):
        serve("GET /pets/{id}", "GET /pets/{name}")


def test_a_greedy_variable_must_stand_last(serve):
    with pytest.raises(ConfigurationError, match="greedy"):
        serve("GET /{proxy+}/pets")
