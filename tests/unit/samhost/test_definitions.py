"""Definitions of APIs as `samhost export` writes them."""

import json

import pytest
import yaml

from samhost.definitions import FORMATS, missing_parts, read_definition
from samhost.errors import SamhostError
from samhost.gateway.document import NOT_SERVED
from samhost.main import main
from samhost.template_apis import translate

DOCUMENT = {
    "openapi": "3.0.1",
    "info": {"title": "Grüße, ¥", "version": "2026-01-01"},
    "paths": {
        "/on": {
            "parameters": [{"name": "no", "in": "query", "schema": {"type": "string", "example": "012"}}],
            "get": {"x-amazon-apigateway-integration": {"type": "http_proxy", "uri": "https://${stageVariables.host}"}},
            "post": {"x-amazon-apigateway-integration": {NOT_SERVED: "Link is left out"}},
            "x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": {NOT_SERVED: "Job is left out"}},
        },
    },
    "components": {"securitySchemes": {"own": {"x-amazon-apigateway-authorizer": {NOT_SERVED: "Judge is left out"}}}},
}


@pytest.fixture
def data_dir(tmp_path):
    """The folder of a system that runs, as far as its files say so."""
    (tmp_path / "addresses.json").write_text("{}")
    (tmp_path / "gateway.json").write_text(json.dumps({"apis": [{"name": "Pets/PetsApi", "document": DOCUMENT}]}))
    return tmp_path


def test_every_format_gives_the_same_document():
    assert json.loads(FORMATS["json"](DOCUMENT)) == yaml.safe_load(FORMATS["yaml"](DOCUMENT)) == DOCUMENT


def test_what_could_not_be_there_locally_is_named():
    assert list(missing_parts(DOCUMENT)) == [
        "POST /on: Link is left out",
        "ANY /on: Job is left out",
        "authorizer own: Judge is left out",
    ]


def test_an_api_that_is_not_served_is_refused_by_the_names_of_those_that_are(data_dir):
    with pytest.raises(SamhostError, match=r"no API PetsApi. There are: Pets/PetsApi\."):
        read_definition(data_dir / "gateway.json", "PetsApi")


@pytest.mark.parametrize("format_", FORMATS)
def test_the_command_writes_the_document_alone_to_the_standard_output(data_dir, capfdbinary, format_):
    main(["export", "Pets/PetsApi", "--data-dir", str(data_dir), "--format", format_])

    written, said = capfdbinary.readouterr()
    assert yaml.safe_load(written) == DOCUMENT
    assert b"Not served here, and not in the document: POST /on: Link is left out\n" in said


def test_nothing_is_exported_of_a_system_that_does_not_run(data_dir):
    (data_dir / "addresses.json").unlink()

    with pytest.raises(SystemExit, match="Nothing is running"):
        main(["export", "Pets/PetsApi", "--data-dir", str(data_dir)])


def test_sam_makes_of_an_exported_document_the_same_again():
    def translated(document):
        api = {"Type": "AWS::Serverless::HttpApi", "Properties": {"DefinitionBody": document}}
        return translate({"Resources": {"PetsApi": api}}).apis[0].document

    exported = json.loads(FORMATS["json"](translated(DOCUMENT)))

    assert translated(exported) == exported
