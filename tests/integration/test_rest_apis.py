"""REST APIs of a template, hosted: two stages in front of two servers, and a function's."""

import json

import httpx
import jwt
import pytest
from gateway_process import gateway, reply, server
from local_system import ROOT, hosted_template


def log(system, name):
    return (system.data_dir / "logs" / f"{name}.log").read_text()


def answering(name):
    async def answer(_path, request, writer):
        said = {"server": name, "line": request["line"], "headers": dict(request["headers"])}
        reply(writer, json.dumps(said).encode(), "Content-Type: application/json", "Server: tests")

    return answer


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with server(answering("dev")) as dev, server(answering("prod")) as prod:
        hosts = [f"{name}={url.removeprefix('http://')}" for name, url in (("DevHost", dev), ("ProdHost", prod))]
        template = ROOT / "tests" / "projects" / "rest" / "template.yaml"
        with hosted_template(template, tmp_path_factory.mktemp("rest"), "--parameter-overrides", *hosts) as system:
            yield system


@pytest.fixture(scope="module")
def base(running):
    """The address that all stages have in common."""
    dev, prod = (running.addresses["apis"][f"Sites/SitesApi/{stage}"] for stage in ("dev", "prod"))
    assert dev.removesuffix("/dev") == prod.removesuffix("/prod")
    return dev.removesuffix("/dev")


def test_each_stage_has_its_own_server(base):
    dev, prod = (httpx.get(f"{base}/{stage}/hello").json() for stage in ("dev", "prod"))

    assert (dev["server"], dev["line"]) == ("dev", "GET /hello HTTP/1.1")
    assert (prod["server"], prod["line"]) == ("prod", "GET /welcome HTTP/1.1")


def test_paths_and_values_that_cloudformation_knows_go_on(base):
    got = httpx.post(f"{base}/prod/pages/a%20b/c?d=1", headers={"x-stage": "forged"})

    assert got.json()["line"] == "POST /a%20b/c?d=1 HTTP/1.1"
    headers = got.json()["headers"]
    assert (headers["x-stage"], headers["x-account"]) == ("prod", "000000000000")
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "https")
    assert got.headers["x-amzn-remapped-server"] == "tests"
    assert got.headers["x-amzn-requestid"]


def test_stages_and_paths_that_are_not_there_are_forbidden(base):
    for path, message in (
        ("/test/hello", "Forbidden"),
        ("/hello", "Forbidden"),
        ("/dev", "Missing Authentication Token"),
    ):
        got = httpx.get(base + path)
        assert (got.status_code, got.json()) == (403, {"message": message})


def test_the_access_log_is_as_the_stage_says(base, running):
    httpx.get(f"{base}/dev/pages/logged")

    assert '{"stage": "dev", "resource": "/pages/{proxy+}", "status": "200"}' in log(running, "gateway")


def test_what_is_refused_is_said_at_the_start_and_its_route_says_why(base, running):
    assert "Not served: Sites/SitesApi/dev GET /nowhere: the integration type http" in log(running, "samhost")
    assert httpx.get(f"{base}/dev/nowhere").status_code == 501


def test_users_of_the_pool_get_in_and_the_stages_secret_goes_on(base, running):
    [user] = running.addresses["users"]
    tokens = running.client("cognito-idp").initiate_auth(
        ClientId=running.output("Client"),
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user["username"], "PASSWORD": user["password"]},
    )["AuthenticationResult"]

    def account(token):
        return httpx.get(f"{base}/dev/account", headers={"authorization": token, "x-user": "forged", "x-key": "forged"})

    assert httpx.get(f"{base}/dev/account").json() == {"message": "Unauthorized"}
    assert account(tokens["AccessToken"]).status_code == 401  # there are no scopes, so it is for ID tokens
    headers = account(tokens["IdToken"]).json()["headers"]
    claims = jwt.decode(tokens["IdToken"], options={"verify_signature": False})
    assert headers["x-user"] == claims["sub"]
    secret = running.client("secretsmanager").get_secret_value(SecretId=running.output("Key"))
    assert headers["x-key"] == secret["SecretString"]
    assert (running.data_dir / "gateway.json").stat().st_mode & 0o077 == 0


def test_a_functions_events_make_an_api_of_their_own(running):
    got = httpx.get(f"{running.addresses['apis']['ServerlessRestApi/Prod']}/echo/hi")

    echoed = {"path": "/echo/hi", "resource": "/echo/{word}", "pathParameters": {"word": "hi"}, "stage": "Prod"}
    assert (got.status_code, got.json()) == (200, echoed)


def test_the_document_as_it_is_served_can_be_served_again(running, tmp_path):
    config = json.loads((running.data_dir / "gateway.json").read_text())
    [prod] = [api for api in config["apis"] if (api["name"], api["stage"]["name"]) == ("Sites/SitesApi", "prod")]
    with gateway(
        tmp_path, prod["document"], stage=prod["stage"], engine=running.addresses["engine"], kind="REST"
    ) as again:
        assert httpx.get(f"{again.url}/prod/hello").json()["line"] == "GET /welcome HTTP/1.1"
        assert httpx.get(f"{again.url}/prod/account").status_code == 401


def test_references_to_the_api_have_its_id(running):
    assert "execute-api.us-east-1" in running.output("Url")
