"""AppConfig-GetConfiguration: what the deprecated call answers, carried by the APIs that have taken its place."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from samhost.gateway.engine import Reply

PARAMETERS = {"Application": "app", "Environment": "live", "Configuration": "limits", "ClientId": "me"}
SINCE = PARAMETERS | {"ClientConfigurationVersion": "$request.querystring.version"}
ARN = "arn:aws:appconfig:us-east-1:000000000000:application/a1"


class AppConfig:
    """The engine's AppConfig: an application with one environment and two profiles, one of them deployed."""

    def __init__(self):
        self.state, self.denied, self.calls, self.status, self.garbage = "COMPLETE", set(), [], 200, None
        self.lists = {
            "/applications": [{"Id": "a0", "Name": "a1"}, {"Id": "a1", "Name": "app"}],
            "/applications/a1/environments": [{"Id": "e1", "Name": "live"}],
            "/applications/a1/configurationprofiles": [{"Id": "p1", "Name": "limits"}, {"Id": "p2", "Name": "flags"}],
        }

    async def __call__(self, service, method, target, body=b"", *, headers=None, credentials=None, region=None):
        path = urlsplit(target).path
        self.calls.append((service, method, path))
        if service == "iam":
            asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            assert asked["ActionNames.member.1"] == "appconfig:GetConfiguration"
            allowed = asked["ResourceArns.member.1"] not in self.denied
            return Reply(200, {}, f"<EvalDecision>{'allowed' if allowed else 'implicitDeny'}</EvalDecision>".encode())
        if self.status != 200:
            return Reply(self.status, {"content-type": "text/plain"}, b"why")
        if path == "/configurationsessions":
            assert json.loads(body) == {
                "ApplicationIdentifier": "a1", "EnvironmentIdentifier": "e1", "ConfigurationProfileIdentifier": "p1",
            }  # fmt: skip
            return Reply(201, {}, b'{"InitialConfigurationToken": "t/1"}')
        if path == "/configuration":
            assert target.endswith("configuration_token=t%2F1")
            return Reply(200, {"content-type": "application/json", "version-label": "x"}, b'{"limit": 5}')
        if path.endswith("/deployments"):
            rows = [(1, "limits", "1", "COMPLETE"), (2, "limits", "2", self.state), (3, "flags", "9", "COMPLETE")]
            names = ("DeploymentNumber", "ConfigurationName", "ConfigurationVersion", "State")
            return Reply(200, {}, json.dumps({"Items": [dict(zip(names, row, strict=True)) for row in rows]}).encode())
        return Reply(200, {}, self.garbage or json.dumps({"Items": self.lists[path]}).encode())


@pytest.fixture
def app_config(engine):
    fake, assume = AppConfig(), engine.call

    async def call(service, method, target, body=b"", **options):
        if service == "sts" or b"Action=GetRole" in body:
            return await assume(service, method, target, body, **options)
        return await fake(service, method, target, body, **options)

    engine.call = call
    return fake


@pytest.fixture
def get(service, app_config):
    return lambda parameters=PARAMETERS, query="": service("AppConfig-GetConfiguration", parameters, "GET /config").get(
        f"/config{query}"
    )


def test_the_answer_is_the_configuration_with_its_type_and_version(get):
    answer = get()
    assert (answer.status_code, answer.content) == (200, b'{"limit": 5}')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["configuration-version"] == "2"
    assert "version-label" not in answer.headers


@pytest.mark.parametrize(
    "given", [{"Application": "a1"}, {"Environment": "e1"}, {"Configuration": "p1"}, {"Region": "us-east-1"}]
)
def test_application_environment_and_configuration_go_by_id_or_by_name(get, given):
    # Another application has the id of this one for its name: ids come first.
    assert get(PARAMETERS | given).content == b'{"limit": 5}'


def test_a_client_that_has_the_version_gets_204_and_no_content(get):
    answer = get(SINCE, "?version=2")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["configuration-version"] == "2"


def test_a_client_that_has_another_version_gets_this_one(get):
    assert get(SINCE, "?version=1").content == b'{"limit": 5}'


def test_while_a_version_is_rolled_out_the_one_before_is_told(get, app_config):
    app_config.state = "DEPLOYING"
    assert get().headers["configuration-version"] == "1"


def test_what_was_never_deployed_is_404(get, app_config):
    app_config.lists["/applications/a1/configurationprofiles"][0]["Name"] = "other"
    answer = get(PARAMETERS | {"Configuration": "other"})
    assert (answer.status_code, answer.json()) == (404, {"Message": "No version of other is deployed"})


@pytest.mark.parametrize("parameter", ["Application", "Environment", "Configuration"])
def test_what_is_not_there_is_404_by_name(get, parameter):
    answer = get(PARAMETERS | {parameter: "none"})
    assert (answer.status_code, answer.json()) == (404, {"Message": f"{parameter} none could not be found"})


@pytest.mark.parametrize("resource", [ARN, f"{ARN}/environment/e1", f"{ARN}/configurationprofile/p1"])
def test_the_role_needs_the_permission_of_the_deprecated_call_on_all_three(get, app_config, resource):
    app_config.denied = {resource}
    answer = get()
    assert answer.status_code == 403
    assert "role/caller is not authorized to perform: appconfig:GetConfiguration" in answer.json()["Message"]
    assert resource in answer.json()["Message"]
    assert not [call for call in app_config.calls if call[0] == "appconfigdata"]


def test_a_role_that_does_not_trust_api_gateway_asks_nothing(get, app_config, engine):
    engine.trusted = "lambda.amazonaws.com"
    assert get().status_code == 500
    assert app_config.calls == []


@pytest.mark.parametrize("status", [400, 429, 500])
def test_what_the_engine_answers_instead_reaches_the_client(get, app_config, status):
    app_config.status = status
    assert (get().status_code, get().content) == (status, b"why")


@pytest.mark.parametrize("garbage", [b"<html>", b"[]", b"{}"])
def test_an_answer_that_is_no_list_is_500(get, app_config, garbage, caplog):
    app_config.garbage = garbage
    assert get().status_code == 500
    assert not caplog.records  # it is no defect of the gateway
