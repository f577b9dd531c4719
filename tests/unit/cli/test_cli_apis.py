"""`docscan api export`: from the local system by samhost itself, from AWS by API Gateway as botocore knows it."""

import io
import json

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from docscan_cli.definitions import chosen
from docscan_cli.errors import RefusedError
from docscan_cli.profiles import Profile, save_profile

SCANNER = {"openapi": "3.0.3", "info": {"title": "Scanner", "version": "1"}, "paths": {}}
PETS = SCANNER | {"paths": {"/pets": {"get": {"x-amazon-apigateway-integration": {"x-samhost-not-served": "no link"}}}}}
SITES = SCANNER | {"info": {"title": "Sites", "version": "1"}}


# ---------------------------------------------------------------- Which one
@pytest.mark.parametrize(
    ("name", "full"),
    [("ScannerApi", "ScannerApi"), ("scanner", "ScannerApi"), ("CATALOG", "Catalog/CatalogApi")],
)
def test_an_api_is_named_in_full_or_in_short(name, full):
    assert chosen(["ScannerApi", "Catalog/CatalogApi"], name) == full


@pytest.mark.parametrize(
    ("apis", "message"),
    [
        (["ScannerApi", "Sites/SitesApi"], r"There is no API pets\. There are: scanner, sites\."),
        (["A/PetsApi", "B/PetsApi"], r"There is more than one API pets\. There are: A/PetsApi, B/PetsApi\."),
        ([], r"There is no API pets\. There are: none\."),
    ],
)
def test_what_is_not_one_api_is_refused_by_the_names_of_those_that_are(apis, message):
    with pytest.raises(RefusedError, match=message):
        chosen(apis, "pets")


# ---------------------------------------------------------------- The local system
@pytest.fixture
def local(folder, addresses):
    """A local system with two APIs, as far as its files say so."""
    apis = {"ScannerApi": "http://127.0.0.1:3000", "Services/PetsApi": "http://127.0.0.1:3001"}
    apis |= {f"Sites/SitesApi/{stage}": f"http://127.0.0.1:3002/{stage}" for stage in ("dev", "prod")}
    addresses(folder / ".docscan", apis=apis)
    served = [{"name": "ScannerApi", "document": SCANNER}, {"name": "Services/PetsApi", "document": PETS}]
    served += [{"name": "Sites/SitesApi", "document": SITES}] * 2  # once for each stage
    (folder / ".docscan" / "gateway.json").write_text(json.dumps({"apis": served}))
    return folder


def test_an_api_that_is_there_once_for_each_stage_is_one_api(local, run):
    assert run("api", "export", "sites", "-o", "sites.json").exit_code == 0

    assert json.loads((local / "sites.json").read_text()) == SITES


@pytest.mark.parametrize(
    ("target", "beginning"), [("api.json", "{"), ("api.YAML", "openapi:"), ("api.yml", "openapi:"), ("api", "{")]
)
def test_the_file_s_name_says_what_it_is_written_in(local, run, target, beginning):
    assert run("api", "export", "scanner", "-o", target).exit_code == 0

    assert (local / target).read_text().startswith(beginning)


def test_without_a_file_it_is_json_on_the_standard_output(local, run):
    result = run("api", "export", "pets")

    assert json.loads(result.stdout) == PETS
    assert "Not served here, and not in the document: GET /pets: no link" in result.stderr


def test_a_file_that_exists_is_replaced_only_by_force(local, run):
    (local / "api.json").write_text("mine")

    assert run("api", "export", "scanner", "-o", "api.json").exit_code == 2
    assert (local / "api.json").read_text() == "mine"
    assert run("api", "export", "scanner", "-o", "api.json", "--force").exit_code == 0
    assert json.loads((local / "api.json").read_text()) == SCANNER


def test_what_samhost_refuses_is_said_in_its_words(local, run):
    (local / ".docscan" / "gateway.json").write_text('{"apis": []}')

    result = run("api", "export", "scanner", "-o", "api.json")

    assert (result.exit_code, result.stderr) == (6, "Error: There is no API ScannerApi. There are: none.\n")
    assert not (local / "api.json").exists()


def test_the_system_is_the_one_that_the_other_commands_find(local, run, monkeypatch):
    (local / "below" / ".docscan").mkdir(parents=True)  # nothing runs here
    monkeypatch.chdir(local / "below")

    assert json.loads(run("api", "export", "scanner").stdout) == SCANNER


def test_a_stage_is_nothing_to_choose_locally(local, run):
    assert run("api", "export", "scanner", "--stage", "prod").exit_code == 2


# ---------------------------------------------------------------- AWS
class Aws:
    """AWS's own clients; each call that is expected has to come, with these parameters."""

    def __init__(self, **session):
        self.region = session["region_name"]
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        self.clients = {
            name: boto3.client(name, region_name=self.region, **keys)
            for name in ("cloudformation", "apigatewayv2", "apigateway")
        }
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def client(self, name):
        return self.clients[name]

    def stack(self, name, **resources):
        kinds = {"api": "AWS::ApiGatewayV2::Api", "rest": "AWS::ApiGateway::RestApi", "arn:": _NESTED}
        summaries = [
            {
                "LogicalResourceId": logical_id, "PhysicalResourceId": physical_id,
                "ResourceType": next(kind for start, kind in kinds.items() if physical_id.startswith(start)),
                "ResourceStatus": "CREATE_COMPLETE", "LastUpdatedTimestamp": 0,
            }
            for logical_id, physical_id in resources.items()
        ]  # fmt: skip
        self.expect("cloudformation", "list_stack_resources", {"StackResourceSummaries": summaries}, StackName=name)

    def expect(self, service, operation, answer, **parameters):
        self.stubs[service].add_response(operation, answer, parameters)

    def refuse(self, operation, code, status):
        self.stubs["cloudformation"].add_client_error(operation, code, "They said no.", status)


_NESTED = "AWS::CloudFormation::Stack"
BODY = b'{"openapi": "3.0.1"}'


@pytest.fixture
def aws(folder, monkeypatch):
    """A stack `docscan` in the region of the profile `prod`, with an HTTP API, and a REST API in a nested stack."""
    save_profile(Profile("prod", "https://a.example.com", "eu-west-1", "client", "me@example.com", refresh_token="x"))
    made = Aws(region_name="eu-west-1")
    made.stack("docscan", ScannerApi="api-1", Sites="arn:nested")
    made.stack("arn:nested", SitesApi="rest-1")
    monkeypatch.setattr(boto3, "Session", lambda region_name: made if region_name == made.region else None)
    return made


def body():
    return {"body": StreamingBody(io.BytesIO(BODY), len(BODY))}


@pytest.mark.parametrize(
    ("target", "output_type", "options", "stage"),
    [("out.json", "JSON", [], {}), ("out.yaml", "YAML", ["--stage", "v1"], {"StageName": "v1"})],
)
def test_an_http_api_is_exported_with_all_extensions(aws, run, folder, target, output_type, options, stage):
    parameters = {"ApiId": "api-1", "Specification": "OAS30", "IncludeExtensions": True, "OutputType": output_type}
    aws.expect("apigatewayv2", "export_api", body(), **parameters | stage)

    result = run("api", "export", "scanner", "--profile", "prod", "-o", target, *options)

    assert (result.exit_code, (folder / target).read_bytes()) == (0, BODY)


@pytest.mark.parametrize("options", [[], ["--stage", "dev"]])
def test_a_rest_api_is_exported_at_its_stage(aws, run, options):
    if not options:
        aws.expect("apigateway", "get_stages", {"item": [{"stageName": "dev"}]}, restApiId="rest-1")
    aws.expect(
        "apigateway", "get_export", body(), restApiId="rest-1", stageName="dev", exportType="oas30",
        parameters={"extensions": "apigateway"}, accepts="application/json",
    )  # fmt: skip

    result = run("api", "export", "sites", "--profile", "prod", *options)

    assert (result.exit_code, result.stdout_bytes) == (0, BODY)


def test_of_several_stages_of_a_rest_api_one_has_to_be_named(aws, run):
    aws.expect(
        "apigateway", "get_stages", {"item": [{"stageName": "dev"}, {"stageName": "prod"}]}, restApiId="rest-1"
    )  # fmt: skip

    result = run("api", "export", "sites", "--profile", "prod")

    assert result.exit_code == 2
    assert "--stage. There are: dev, prod." in result.stderr


@pytest.mark.parametrize(("code", "status", "exit_code"), [("AccessDenied", 403, 6), ("InternalFailure", 500, 5)])
def test_what_aws_refuses_is_said_in_its_words(folder, run, monkeypatch, aws, code, status, exit_code):
    other = Aws(region_name="eu-west-1")
    other.refuse("list_stack_resources", code, status)
    monkeypatch.setattr(boto3, "Session", lambda region_name: other)

    result = run("api", "export", "scanner", "--profile", "prod", "--stack", "other")

    assert result.exit_code == exit_code
    assert f"AWS refused: They said no. ({code})" in result.stderr


def test_without_aws_credentials_it_says_so(run, monkeypatch, aws):
    def client(name):
        raise NoCredentialsError

    monkeypatch.setattr(aws, "client", client)

    result = run("api", "export", "scanner", "--profile", "prod")

    assert result.exit_code == 2
    assert "Unable to locate credentials" in result.stderr


def test_without_the_aws_sdk_it_says_how_to_install_it(run, monkeypatch, aws):
    monkeypatch.setattr("docscan_cli.commands.apis.importlib.util.find_spec", lambda name: None)

    result = run("api", "export", "scanner", "--profile", "prod")

    assert result.exit_code == 2
    assert "pip install 'docscan[local]'" in result.stderr
