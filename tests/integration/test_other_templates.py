"""`samhost` hosts templates that are not ours: the small projects in tests/projects, each from nothing."""

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
import yaml
from local_system import ROOT, System, free_consecutive_ports, free_ports
from samtranslator.yaml_helper import yaml_parse

PROJECTS = ROOT / "tests" / "projects"


@dataclass(frozen=True)
class Hosted:
    """A running project, and what `up` said."""

    said: str
    system: System

    def api(self, name):
        return httpx.Client(base_url=self.system.addresses["apis"][name], timeout=30)


def samhost(*arguments):
    return subprocess.run(
        [sys.executable, "-P", "-m", "samhost", *map(str, arguments)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
    )  # fmt: skip


@contextmanager
def hosted(project, folder, *options):
    data_dir = folder / "data"
    (engine, textract), api = free_ports(2), free_consecutive_ports(2)
    ports = ["--api-port", api, "--engine-port", engine, "--textract-port", textract]
    up = samhost(
        "up", "--detach", "--template", PROJECTS / project / "template.yaml", "--data-dir", data_dir, *ports, *options
    )
    assert up.returncode == 0, up.stdout
    try:
        yield Hosted(up.stdout, System(data_dir, json.loads((data_dir / "addresses.json").read_text())))
    finally:
        assert samhost("down", "--data-dir", data_dir).returncode == 0


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    with hosted("events", tmp_path_factory.mktemp("events"), "--parameter-overrides", 'Greeting=good "day"') as running:
        yield running


def test_routes_of_events_are_served_by_their_functions(events):
    with events.api("ServerlessHttpApi") as api:
        hello, other = api.get("/hello").json(), api.post("/anything/else").json()

    assert hello == {
        "greeting": 'good "day"',
        "route": "GET /hello",
        "alias": "live",
        "python": [*sys.version_info[:2]],
    }
    assert other["route"] == "$default"


def test_a_node_function_is_served_in_the_payload_format_it_asks_for(events):
    with events.api("ServerlessHttpApi") as api:
        assert api.put("/items/7").json() == {"version": "1.0", "method": "PUT", "id": "7"}


def test_cors_of_the_globals_counts(events):
    with events.api("ServerlessHttpApi") as api:
        assert api.get("/hello", headers={"origin": "https://a"}).headers["access-control-allow-origin"] == "*"


def test_what_is_not_there_is_named_with_its_reason_and_its_routes_say_so(events):
    with events.api("ServerlessHttpApi") as api:
        report = api.post("/report")

    assert report.status_code == 501
    assert "java21" in report.json()["message"]
    for line in (
        "Left out: ReportFunction (AWS::Serverless::Function): java21 is not",
        "Left out: Something (AWS::Example::Something): the engine does not know this type",
        "Left out: ReportRole (output): it refers to what is left out",
        "Not served: ServerlessHttpApi POST /report: ReportFunction is left out",
        "HelloFunction (python3.12) runs on python3.13",
    ):
        assert line in events.said


def test_a_function_under_a_false_condition_has_no_route(events):
    with events.api("ServerlessHttpApi") as api:
        assert api.get("/administration").json()["route"] == "$default"


def test_outputs_that_name_what_sam_makes_have_values(events):
    assert events.system.output("HelloRole").startswith("arn:aws:iam::")
    assert "execute-api" in events.system.output("Url")


def test_an_inline_document_is_served_on_its_stage(tmp_path):
    overrides = ["--parameter-overrides", "Currency=EUR", "ParameterKey=StageName,ParameterValue=test"]
    with hosted("inline", tmp_path, *overrides) as running, running.api("OrdersApi") as api:
        order = api.get("/orders/9", headers={"origin": "https://two.example"})
        created = api.post("/orders").json()

    assert running.system.addresses["apis"]["OrdersApi"].endswith("/test")
    assert order.json() == {"route": "GET /orders/{orderId}", "path": "/test/orders/9", "order": "9", "currency": "EUR"}
    assert order.headers["access-control-allow-origin"] == "https://two.example"
    assert created["route"] == "POST /orders"


def test_an_exported_document_is_served_unchanged_as_a_template_s_own(tmp_path):
    project = shutil.copytree(PROJECTS / "inline", tmp_path / "inline")
    overrides = ["--parameter-overrides", "Currency=EUR"]

    def look(running):
        exported = samhost("export", "OrdersApi", "--data-dir", running.system.data_dir, "--format", "yaml")
        assert exported.returncode == 0, exported.stdout
        with running.api("OrdersApi") as api:
            asked = [
                api.get("/orders/9", headers={"origin": "https://two.example"}),
                api.get("/orders/9", headers={"origin": "https://three.example"}),
                api.options(
                    "/orders", headers={"origin": "https://one.example", "access-control-request-method": "GET"}
                ),
                api.post("/orders"),
                api.delete("/orders"),
            ]
        own = {"apigw-requestid", "date"}
        answers = [(a.status_code, a.text, {k: v for k, v in a.headers.items() if k not in own}) for a in asked]
        return yaml.safe_load(exported.stdout), answers

    with hosted(project, tmp_path, *overrides) as running:
        document, answers = look(running)
    template = yaml_parse((project / "template.yaml").read_text())
    api, function = (template["Resources"][name]["Properties"] for name in ("OrdersApi", "OrdersFunction"))
    del api["CorsConfiguration"], function["Events"]
    api["DefinitionBody"] = document
    everything = {"Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${OrdersApi}/*"}
    template["Resources"]["DocumentRoutesPermission"]["Properties"]["SourceArn"] = everything
    (project / "template.yaml").write_text(yaml.safe_dump(template))

    with hosted(project, tmp_path, *overrides) as running:
        assert look(running) == (document, answers)
    assert [status for status, *_ in answers] == [200, 200, 204, 200, 404]


def test_included_documents_are_served(tmp_path):
    with hosted("included", tmp_path) as running, running.api("PetsApi") as pets, running.api("HealthApi") as health:
        assert pets.get("/pets/3").json() == {"route": "GET /pets/{petId}", "parameters": {"petId": "3"}}
        assert pets.get("/elsewhere").status_code == 501
        assert health.get("/health").json()["route"] == "GET /health"
    assert "Not served: PetsApi GET /elsewhere: the integration type mock" in running.said


def test_a_document_that_asks_for_other_values_has_them_at_the_next_start(tmp_path):
    project = shutil.copytree(PROJECTS / "included", tmp_path / "included")
    with hosted(project, tmp_path) as running, running.api("PetsApi") as pets:
        assert pets.get("/pets/3").status_code == 200
    document = (project / "pets.yaml").read_text()
    (project / "pets.yaml").write_text(
        document.replace('"Fn::Sub": "${PetsFunction.Arn}/invocations"', "Fn::GetAtt: [PetsFunction, Arn]")
    )

    with hosted(project, tmp_path) as running, running.api("PetsApi") as pets, running.api("HealthApi") as health:
        assert pets.get("/pets/3").json()["route"] == "GET /pets/{petId}"
        assert health.get("/health").status_code == 200


def test_two_apis_are_served_side_by_side_one_of_them_to_users_only(tmp_path):
    with (
        hosted("twoapis", tmp_path) as running,
        running.api("PublicApi") as public,
        running.api("PrivateApi") as private,
    ):
        [user] = running.system.addresses["users"]
        token = running.system.client("cognito-idp").initiate_auth(
            ClientId=running.system.output("UserPoolClientId"),
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user["username"], "PASSWORD": user["password"]},
        )["AuthenticationResult"]["IdToken"]

        assert private.put("/notes/1", content="x").status_code == 401
        assert private.get("/rules").text == "be kind"
        headers = {"authorization": f"Bearer {token}", "content-type": "text/plain"}
        written = private.put("/notes/1", content="remember", headers=headers)
        assert written.status_code == 204
        assert public.get("/notes/1").text == "remember"
        assert public.get("/rules").status_code == 404


def test_an_api_that_is_written_resource_by_resource_is_served(tmp_path):
    with hosted("resources", tmp_path) as running, running.api("QuotesApi") as api:
        quote = api.get("/quotes/5", headers={"origin": "https://quotes.example"})
        prices = api.get("/prices")

    assert quote.json() == {"route": "GET /quotes/{quoteId}", "quote": "5"}
    assert quote.headers["access-control-allow-origin"] == "https://quotes.example"
    assert prices.status_code == 501
    assert "the listener of no load balancer that runs here" in prices.json()["message"]
    assert "Left out: Link (AWS::ApiGatewayV2::VpcLink)" in running.said


def test_the_api_of_a_nested_stack_is_served(tmp_path):
    with hosted("nested", tmp_path, "--parameter-overrides", "Team=two") as running:
        with running.api("Tasks/ServerlessHttpApi") as api:
            assert api.get("/tasks").json() == {"OWNER": "team-two", "RETRIES": "3", "LIMIT": "10"}
        assert "TasksFunction" in running.system.addresses["outputs"]
    for line in (
        "Tasks/Function (python3.11) runs on python3.13",
        "Left out: Tasks/Alarm (AWS::CloudWatch::CompositeAlarm): the engine has no composite alarms",
        "Left out: TasksAlarm, Tasks/Alarm (output): it refers to what is left out",
    ):
        assert line in running.said


def test_a_parameter_that_is_no_longer_given_has_its_default_again(tmp_path):
    for given, owner in (["--parameter-overrides", "Team=two"], "team-two"), ([], "team-one"):
        with hosted("nested", tmp_path, *given) as running, running.api("Tasks/ServerlessHttpApi") as api:
            assert api.get("/tasks").json()["OWNER"] == owner


def test_a_nested_stack_can_be_deployed_anew_with_resources_that_stay(tmp_path):
    queues = []
    for team in ("one", "two"):
        with hosted("nested", tmp_path, "--parameter-overrides", f"Team={team}") as running:
            queues.append(running.system.addresses["outputs"]["TasksQueue"])
            with running.api("Tasks/ServerlessHttpApi") as api:
                assert api.get("/tasks").json()["OWNER"] == f"team-{team}"

    assert queues[0] == queues[1]
    assert queues[0].startswith("arn:aws:sqs:")


def test_a_missing_parameter_is_asked_for_before_anything_is_built(tmp_path):
    (engine,) = free_ports(1)
    up = samhost(
        "up", "--template", PROJECTS / "inline" / "template.yaml", "--data-dir", tmp_path, "--engine-port", engine
    )

    assert up.returncode == 1
    assert "Parameters without a default need a value: --parameter-overrides Currency=…" in up.stdout
