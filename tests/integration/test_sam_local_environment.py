"""What the local system hands to functions that `sam local` runs outside of it."""

import json
import socket

import httpx
from local_system import ROOT
from samtranslator.yaml_helper import yaml_parse

from samhost.containers import forwarded

FUNCTION = "AWS::Serverless::Function"


def test_every_function_finds_its_resources_and_the_endpoints(system):
    template = yaml_parse((ROOT / "template.yaml").read_text())
    environment = json.loads((system.data_dir / "sam-local.json").read_text())

    assert set(environment) == {name for name, r in template["Resources"].items() if r["Type"] == FUNCTION}
    for variables in environment.values():
        assert variables["PAGES_TABLE"] == system.output("PagesTableName")
        assert variables["AWS_ENDPOINT_URL"] == system.addresses["engine"]
        assert variables["AWS_ENDPOINT_URL_TEXTRACT"] == system.addresses["textract"]
    assert environment["RecognitionFunction"]["EVENT_BUS"] == system.output("EventBusName")


def test_a_port_can_be_reached_by_another_address(system):
    engine = int(system.addresses["engine"].rsplit(":", 1)[1])
    with forwarded("127.0.0.2", engine) as port:
        assert httpx.get(f"http://127.0.0.2:{port}/_ministack/health").status_code == 200

    with socket.socket() as closed:
        assert closed.connect_ex(("127.0.0.2", port)) != 0
