"""What a template says about a stage, up to the running gateway: throttling, logs, variables, Lambda authorizers."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from local_system import ROOT, hosted_template


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    template = ROOT / "tests" / "stage_settings" / "template.yaml"
    with hosted_template(template, tmp_path_factory.mktemp("stage")) as system:
        yield system


@pytest.fixture(scope="module")
def api(stage):
    with httpx.Client(base_url=stage.addresses["apis"]["Api"], timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def logged(stage):
    """The line of the access log about an answer."""

    def find(answer):
        log = (stage.data_dir / "logs" / "gateway.log").read_text()
        lines = [json.loads(line) for line in log.splitlines() if line.startswith('{"requestId"')]
        [found] = [line for line in lines if line["requestId"] == answer.headers["apigw-requestid"]]
        return found

    return find


def test_a_stage_variable_names_the_function(api):
    event = api.get("/open/caf%C3%A9").json()
    assert event["pathParameters"] == {"name": "café"}
    assert event["rawPath"] == "/dev/open/café"
    assert event["requestContext"]["stage"] == "dev"
    assert list(event["stageVariables"]) == ["answering"]


def test_a_path_without_the_stage_is_not_found(stage):
    address = httpx.URL(stage.addresses["apis"]["Api"])
    assert address.path == "/dev"
    assert httpx.get(address.copy_with(path="/open/a")).status_code == 404


def test_a_concurrent_flood_gets_no_more_through_than_the_routes_burst(api):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: api.get("/throttled"), range(60)))
    assert Counter(answer.status_code for answer in answers) == {200: 5, 429: 55}
    assert answers[-1].json() == {"message": "Too Many Requests"}
    assert api.get("/open/a").status_code == 200


def test_the_access_log_is_in_the_templates_format(api, logged):
    answer = api.get("/open/a", headers={"user-agent": 'a "quoted" agent'})
    assert logged(answer) == {
        "requestId": answer.headers["apigw-requestid"],
        "route": "GET /open/{name}",
        "status": "200",
        "key": "-",
        "agent": 'a "quoted" agent',
        "user": "-",
    }


@pytest.mark.parametrize(("user", "status"), [("anna", 200), ("ben", 403), ("broken", 500), ("", 401)])
def test_a_function_says_who_may_call(api, logged, user, status):
    answer = api.get("/guarded/a", headers={"authorization": user})
    assert answer.status_code == status
    assert logged(answer)["key"] == ("of anna" if status == 200 else "-")
    if status == 200:
        assert answer.json()["requestContext"]["authorizer"] == {"lambda": {"key": "of anna"}}


@pytest.mark.parametrize(("path", "status"), [("/by-role", 200), ("/by-powerless-role", 500)])
def test_an_authorizers_role_must_be_allowed_to_invoke_it(api, path, status):
    assert api.get(path, headers={"authorization": "anyone"}).status_code == status
