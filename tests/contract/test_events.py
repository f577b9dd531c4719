"""Events: what the code publishes is what the schemas say, and each handler's sample event is what AWS sends it."""

import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from samtranslator.yaml_helper import yaml_parse

from scanner.audit import AuditEntry
from scanner.aws import bucket, bus, queue
from scanner.command import Command
from scanner.export import Format, Order, Product, Volume
from scanner.ids import parse_execution_name
from scanner.page import Page
from scanner.services import recognition
from scanner.text import RecognisedText

EVENTS = Path(__file__).parents[2] / "events"
SCHEMAS = EVENTS / "schemas"
HANDLERS = sorted(file.stem for file in (Path(__file__).parents[2] / "functions").glob("*.py"))
HTTP_HANDLERS = ["audit", "documents", "exports", "imports", "operations", "pages", "projects"]


def sample(handler):
    return json.loads((EVENTS / f"{handler}.json").read_text())


def validator(detail_type):
    schema = json.loads((SCHEMAS / f"{detail_type}.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def ready_page():
    page = Page.create("alice", "project", 1, "image/png")
    return page.arrived("version-1").recognised(RecognisedText(100, 100, ()))


def product():
    volumes = (Volume("exports/key", 1000, 3),)
    return Product("export", "project", "alice", Format.PDF, "Letters", volumes, 3, 0, "2026-11-21T09:30:00.000Z")


PUBLISHED = {
    "PageRecognised": lambda: bus.page_recognised(ready_page()),
    "ExportCompleted": lambda: bus.export_completed(product()),
}
REQUIRED = [(detail_type, field) for detail_type, make in PUBLISHED.items() for field in json.loads(make()["Detail"])]


def delivered(entry):
    """Return an entry of PutEvents as its receivers see it."""
    return {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": json.loads(entry["Detail"])}


@pytest.mark.parametrize("detail_type", PUBLISHED)
def test_an_event_that_we_publish_is_what_its_schema_says(detail_type):
    entry = PUBLISHED[detail_type]()
    assert entry["DetailType"] == detail_type
    validator(detail_type).validate(delivered(entry))


@pytest.mark.parametrize(("detail_type", "field"), REQUIRED)
def test_the_schema_notices_a_field_that_is_missing_or_of_another_type(detail_type, field):
    event = delivered(PUBLISHED[detail_type]())
    validate = validator(detail_type).is_valid
    assert validate(event)
    assert not validate(event | {"detail": {k: v for k, v in event["detail"].items() if k != field}})
    assert not validate(event | {"detail": event["detail"] | {field: None}})


@pytest.mark.parametrize("detail_type", PUBLISHED)
def test_the_schema_notices_what_it_does_not_name(detail_type):
    event = delivered(PUBLISHED[detail_type]())
    validate = validator(detail_type).is_valid
    assert not validate(event | {"detail": event["detail"] | {"text": "Dear reader"}})
    assert not validate(event | {"source": "docscan.client.alice"})
    assert not validate(event | {"detail-type": "PageRead"})


def test_every_schema_is_of_an_event_that_we_publish():
    assert sorted(file.stem for file in SCHEMAS.iterdir()) == sorted(PUBLISHED)


def test_every_handler_has_a_sample_event_and_every_sample_a_handler():
    assert sorted(file.stem for file in EVENTS.glob("*.json")) == HANDLERS


@pytest.mark.parametrize("handler", HTTP_HANDLERS)
def test_a_sample_request_is_consistent(handler):
    event = sample(handler)
    context = event["requestContext"]
    method, template = event["routeKey"].split(" ")
    path = template
    for name, value in event.get("pathParameters", {}).items():
        path = path.replace(f"{{{name}}}", value)
    assert event["version"] == "2.0"
    assert context["routeKey"] == event["routeKey"]
    assert (context["http"]["method"], context["http"]["path"], event["rawPath"]) == (method, path, path)
    assert context["authorizer"]["jwt"]["claims"]["scope"].split() == context["authorizer"]["jwt"]["scopes"]
    stamp = datetime.strptime(context["time"], "%d/%b/%Y:%H:%M:%S %z")
    assert stamp.timestamp() * 1000 == context["timeEpoch"]


def test_the_samples_are_about_the_same_user_and_project():
    user = sample("projects")["requestContext"]["authorizer"]["jwt"]["claims"]["sub"]
    project = sample("pages")["pathParameters"]["projectId"]
    (deletion,) = sample("deletion")["Records"]
    assert queue.parse_deletion(deletion["body"]) == queue.Deletion(user, project)
    (upload,) = sample("recognition")["Records"]
    (arrival,) = recognition.arrivals(upload["body"])
    assert arrival.project_id == project
    assert bucket.parse_image_key(arrival.key) == (project, arrival.page_id, arrival.image_id)
    assert parse_execution_name(sample("checks")["execution"]) == (user, project)
    export = sample("exports")["pathParameters"]["exportId"]
    for task in ("export_plan", "export_part", "export_join"):
        assert parse_execution_name(sample(task)["execution"]) == (user, export)
    assert Order.parse(sample("export_plan")["input"]["order"]) == Order(project, Format.PDF, language="de")
    (ending,) = sample("export_cleanup")["Records"]
    assert parse_execution_name(json.loads(ending["body"])["detail"]["name"]) == (user, export)
    ids = bucket.parse_import_key(sample("importing")["object"]["key"])
    assert ids is not None
    assert ids[0] == project
    (delivery,) = sample("auditing")["Records"]
    assert AuditEntry.parse(json.loads(delivery["body"])).user == user
    (report,) = sample("telemetry")["Records"]
    assert report["kinesis"]["partitionKey"] == user
    (command,) = sample("commands")["Records"]
    assert command["attributes"]["MessageGroupId"] == user
    assert Command.parse(user, 1, command["body"]).project_id == project
    assert sample("tokens")["request"]["userAttributes"]["sub"] == user


def test_every_function_is_tried_by_sam_local_with_its_sample_event():
    tests = (Path(__file__).parents[1] / "e2e" / "test_sam_local.py").read_text()
    resources = yaml_parse((Path(__file__).parents[2] / "template.yaml").read_text())["Resources"]
    handlers = {
        name: resource["Properties"]["Handler"].removesuffix(".handler")
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }

    assert set(re.findall(r'functions\.invoke\("(\w+)"', tests)) == handlers.keys()
    assert set(re.findall(r'(?:sample|request)\("(\w+)"', tests)) == set(handlers.values())
