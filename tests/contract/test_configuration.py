"""The configuration that clients read says what the code does, and is what the validator and the API promise."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft4Validator
from samtranslator.yaml_helper import yaml_parse

from docscan_cli import files
from scanner import edit, image, imports, page, project
from scanner.services import documents

ROOT = Path(__file__).parents[2]
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text())
API = yaml.safe_load((ROOT / "api" / "scanner.yaml").read_text())
RESOURCES = TEMPLATE["Resources"]


def content(pages_per_day):
    text = RESOURCES["ConfigurationVersion"]["Properties"]["Content"]["Fn::Sub"]
    return json.loads(text.replace("${PagesPerDay}", str(pages_per_day)))


def validator():
    (declared,) = RESOURCES["ConfigurationProfile"]["Properties"]["Validators"]
    assert declared["Type"] == "JSON_SCHEMA"
    schema = json.loads(declared["Content"])
    assert schema["$schema"] == "http://json-schema.org/draft-04/schema#", "AppConfig takes no other draft"
    Draft4Validator.check_schema(schema)
    return Draft4Validator(schema)


CONFIGURATION = content(TEMPLATE["Parameters"]["PagesPerDay"]["Default"])


@pytest.mark.parametrize(
    ("limit", "enforced"),
    [
        ("imageBytes", page.MAX_IMAGE_BYTES),
        ("imageBytes", files.MAX_IMAGE_BYTES),
        ("imageSidePixels", image.MAX_SIDE),
        ("importBytes", imports.MAX_BYTES),
        ("importBytes", files.MAX_DOCUMENT_BYTES),
        ("importPages", imports.MAX_PAGES),
        ("projectNameCharacters", project.MAX_NAME_LENGTH),
        ("textCharacters", edit.MAX_TEXT_LENGTH),
        ("pdfPages", documents.AT_ONCE.pages),
        ("pdfImageBytes", documents.AT_ONCE.image_bytes),
        ("pdfCharacters", documents.AT_ONCE.characters),
    ],
)
def test_a_limit_is_the_one_that_the_code_enforces(limit, enforced):
    assert CONFIGURATION["limits"][limit] == enforced


def test_the_quota_is_the_stack_s_parameter():
    assert content(7)["limits"]["pagesPerDay"] == 7


def test_what_is_deployed_passes_its_own_validator():
    validator().validate(CONFIGURATION)


@pytest.mark.parametrize("limit", CONFIGURATION["limits"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "10", None])
def test_the_validator_stops_a_limit_that_is_none(limit, value):
    wrong = deepcopy(CONFIGURATION)
    wrong["limits"][limit] = value
    assert not validator().is_valid(wrong)


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("imageBytes", page.MAX_IMAGE_BYTES + 1),
        ("imageSidePixels", image.MAX_SIDE + 1),
        ("importBytes", imports.MAX_BYTES + 1),
        ("parallelUploads", 33),
    ],
)
def test_the_validator_stops_a_limit_above_what_there_can_be(limit, value):
    wrong = deepcopy(CONFIGURATION)
    wrong["limits"][limit] = value
    assert not validator().is_valid(wrong)


@pytest.mark.parametrize("missing", ["limits", "features"])
def test_the_validator_stops_a_configuration_that_lacks_a_part(missing):
    assert not validator().is_valid({k: v for k, v in CONFIGURATION.items() if k != missing})


def test_features_are_switches_and_may_be_added():
    more = CONFIGURATION | {"features": CONFIGURATION["features"] | {"somethingNew": True}}
    assert validator().is_valid(more)
    assert not validator().is_valid(CONFIGURATION | {"features": {"typesetPdf": "yes"}})
    assert not validator().is_valid(CONFIGURATION | {"features": {}})


def test_the_api_documents_just_what_is_deployed():
    documented = API["components"]["schemas"]["Configuration"]["properties"]
    limits = validator().schema["properties"]["limits"]

    Draft4Validator(API["components"]["schemas"]["Configuration"]).validate(CONFIGURATION)
    assert set(documented["limits"]["properties"]) == set(limits["properties"]) == set(CONFIGURATION["limits"])
    assert documented["limits"]["required"] == limits["required"]
    assert {name: value["example"] for name, value in documented["limits"]["properties"].items()} == CONFIGURATION[
        "limits"
    ]
    assert set(documented["features"]["properties"]) == set(CONFIGURATION["features"])


def test_the_gateway_gets_the_configuration_for_the_user_and_may_get_no_other():
    integration = API["paths"]["/config"]["get"]["x-amazon-apigateway-integration"]
    (policy,) = RESOURCES["ConfigurationRole"]["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]

    assert integration["requestParameters"] == {
        "Application": {"Ref": "Configuration"},
        "Environment": {"Ref": "ConfigurationEnvironment"},
        "Configuration": {"Ref": "ConfigurationProfile"},
        "ClientId": "$context.authorizer.claims.sub",
    }
    # The three kinds of resource that GetConfiguration is authorised on:
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsappconfig.html
    ends = [resource["Fn::Sub"].split("/", 1)[1] for resource in statement["Resource"]]
    assert ends == [
        "${Configuration}",
        "${Configuration}/environment/${ConfigurationEnvironment}",
        "${Configuration}/configurationprofile/${ConfigurationProfile}",
    ]
