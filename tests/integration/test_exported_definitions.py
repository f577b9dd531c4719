"""`docscan api export`: what it writes of the running system's APIs is served unchanged when it is imported again."""

import json

import httpx
import openapi_spec_validator
import pytest
import yaml
from gateway_process import gateway
from local_system import access_token


@pytest.fixture(scope="module")
def served(system):
    """What the gateway was told to serve, by API."""
    return {api["name"]: api for api in json.loads((system.data_dir / "gateway.json").read_text())["apis"]}


def exported(system, name, file):
    run = system.docscan("api", "export", name, "-o", file)
    assert run.returncode == 0, run.stderr
    return yaml.safe_load(file.read_text())


def answers(url, token, requests):
    """What is answered to each request, but for what is another one each time."""
    own = {"apigw-requestid", "x-amzn-requestid", "date"}
    with httpx.Client(base_url=url, timeout=30) as client:
        for method, path, headers in requests:
            signed = {"authorization": f"Bearer {token}"} if headers is not None else {}
            answer = client.request(method, path, headers=signed | (headers or {}))
            yield answer.status_code, answer.text, {k: v for k, v in answer.headers.items() if k not in own}


def test_every_api_is_one_self_contained_document(system, served, tmp_path):
    for name in served:
        as_json = exported(system, name, tmp_path / f"{served[name]['apiId']}.json")
        as_yaml = exported(system, name, tmp_path / f"{served[name]['apiId']}.yaml")

        assert as_json == as_yaml == served[name]["document"]
        openapi_spec_validator.validate(as_json)
        text = json.dumps(as_json)
        assert not [word for word in ('"Fn::', '"Ref"', "AWS::", "samhost") if word in text]


def test_the_gateway_serves_an_exported_document_as_it_serves_the_template(system, served, tmp_path):
    api, url = served["ScannerApi"], system.addresses["apis"]["ScannerApi"]
    document = exported(system, "scanner", tmp_path / "scanner.yaml")
    token = access_token(system, system.output("CliClientId"))
    stage, engine = api["stage"], system.addresses["engine"]
    origin = {"origin": "http://localhost:8000"}
    requests = [
        ("GET", "/config", {}),  # AppConfig
        ("GET", "/projects?limit=0", {}),  # a function, which refuses
        ("GET", "/exports/unknown", origin),
        ("GET", "/projects", None),  # nobody
        ("GET", "/operations/dead-letters", {}),  # a scope that is missing
        ("DELETE", "/exports/unknown", {}),  # Step Functions
        ("OPTIONS", "/projects", origin | {"access-control-request-method": "POST"}),
        ("GET", "/nowhere", {}),
    ]

    with gateway(tmp_path, document, stage=stage, engine=engine, api_id=api["apiId"]) as again:
        imported = list(answers(again.url, token, requests))

    assert imported == list(answers(url, token, requests))
    assert [status for status, *_ in imported] == [200, 400, 404, 401, 403, 400, 204, 404]
