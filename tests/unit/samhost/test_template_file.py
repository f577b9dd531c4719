"""How `samhost` reads a template and the files beside it."""

import pytest
import yaml

from samhost.errors import TemplateError
from samhost.template_file import load

INCLUDE = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "part.yaml"}}}
QUEUE = {"Type": "AWS::SQS::Queue"}


@pytest.fixture
def loaded(tmp_path):
    def load_from(resources, part=None, **sections):
        if part is not None:
            (tmp_path / "part.yaml").write_text(yaml.safe_dump(part))
        (tmp_path / "code").mkdir(exist_ok=True)
        template = tmp_path / "template.yaml"
        template.write_text(yaml.safe_dump({"Resources": resources, **sections}))
        return load(template)

    return load_from


def http_api(**properties):
    return {"Type": "AWS::Serverless::HttpApi", "Properties": properties}


def test_short_tags_take_their_long_form(tmp_path):
    file = tmp_path / "template.yaml"
    file.write_text(
        "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub 'a-${B}', Tags: !GetAtt C.D}}}"
    )

    assert load(file)["Resources"]["Q"]["Properties"] == {
        "QueueName": {"Fn::Sub": "a-${B}"},
        "Tags": {"Fn::GetAtt": ["C", "D"]},
    }


def test_an_apis_included_document_is_in_the_template(loaded):
    document = {"openapi": "3.0.1", "paths": {}}

    assert loaded({"Api": http_api(DefinitionBody=INCLUDE)}, document)["Resources"]["Api"]["Properties"] == {
        "DefinitionBody": document
    }


def test_a_part_of_a_document_may_be_included_beside_what_is_there(loaded):
    paths = {"/own": {"get": {}}, **INCLUDE}
    template = loaded(
        {"Api": http_api(DefinitionBody={"openapi": "3.0.1", "paths": paths})}, {"/included": {"put": {}}}
    )

    assert template["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"] == {
        "/own": {"get": {}},
        "/included": {"put": {}},
    }


def test_resources_may_be_included(loaded):
    assert set(loaded({"One": QUEUE, **INCLUDE}, {"Two": QUEUE})["Resources"]) == {"One", "Two"}


def test_what_lies_in_a_bucket_is_not_fetched(loaded):
    there = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://bucket/api.yaml"}}}

    assert loaded({"Api": http_api(DefinitionBody=there)})["Resources"]["Api"]["Properties"]["DefinitionBody"] == there


def test_a_document_that_definition_uri_names_is_in_the_template(loaded):
    document = {"openapi": "3.0.1", "paths": {}}

    assert loaded({"Api": http_api(DefinitionUri="part.yaml")}, document)["Resources"]["Api"]["Properties"] == {
        "DefinitionBody": document
    }


def test_intrinsic_functions_in_a_definition_uri_are_refused_as_nobody_would_resolve_them(loaded):
    with pytest.raises(TemplateError, match=r"Api: part\.yaml has intrinsic functions"):
        loaded(
            {"Api": http_api(DefinitionUri="part.yaml")}, {"paths": {"/": {"get": {"uri": {"Fn::Sub": "${F.Arn}"}}}}}
        )


@pytest.mark.parametrize("document", [{"DefinitionBody": INCLUDE}, {"DefinitionUri": "part.yaml"}])
@pytest.mark.parametrize("key", ["Auth", "CorsConfiguration"])
@pytest.mark.parametrize("by_globals", [True, False])
def test_what_sam_adds_to_inline_documents_only_is_refused_and_not_left_open(loaded, document, key, by_globals):
    said = {key: {"DefaultAuthorizer": "Jwt"}}
    sections = {"Globals": {"HttpApi": said}} if by_globals else {}

    with pytest.raises(TemplateError, match=f"Api: {key} is not hosted beside a document from"):
        loaded({"Api": http_api(**document, **({} if by_globals else said))}, {"openapi": "3.0.1"}, **sections)


@pytest.mark.parametrize("key", ["Auth", "Cors"])
def test_the_same_goes_for_rest_apis(loaded, key):
    rest = {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "dev", "DefinitionBody": INCLUDE}}

    assert loaded({"Api": rest}, {"paths": {}})["Resources"]["Api"]["Properties"]["DefinitionBody"] == {"paths": {}}
    with pytest.raises(TemplateError, match=f"Api: {key} is not hosted beside a document from"):
        loaded({"Api": rest}, {"paths": {}}, Globals={"Api": {key: {}}})


def test_paths_become_absolute_so_that_the_template_can_be_built_elsewhere(loaded, tmp_path):
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "code/"}}
    shared = {"Function": {"CodeUri": "code", "Layers": ["code"]}}

    template = loaded({"F": function}, Globals=shared)

    assert template["Resources"]["F"]["Properties"]["CodeUri"] == str(tmp_path / "code")
    assert template["Globals"]["Function"] == {"CodeUri": str(tmp_path / "code"), "Layers": ["code"]}


def test_text_is_no_path_however_long_it_is(loaded):
    version = {"Type": "AWS::AppConfig::HostedConfigurationVersion", "Properties": {"Content": "x" * 5000}}

    assert loaded({"Version": version})["Resources"]["Version"] == version


def test_a_section_without_content_is_not_there(loaded):
    assert "Parameters" not in loaded({"Queue": QUEUE}, Parameters=None)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [", "is not a template: while parsing"),
        ("- a", "is not a template: it is no object"),
        ("Parameters: {}", "it has no Resources"),
        ("Resources: {A: {Properties: {}}}", "the resource A has no Type"),
        ("Resources: {A: text}", "the resource A has no Type"),
        ("Resources: {A: {Type: B, Properties: []}}", "the Properties of A are not an object"),
        ("Resources: {'Fn::ForEach::A': []}", "Fn::ForEach::A .* is not hosted"),
        (
            "Resources: {A: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: gone.yaml}}}}",
            "gone.yaml cannot be",
        ),
    ],
)
def test_what_is_no_template_gets_a_message_that_says_why(tmp_path, text, complaint):
    file = tmp_path / "template.yaml"
    file.write_text(text)

    with pytest.raises(TemplateError, match=complaint):
        load(file)


def test_a_template_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TemplateError, match=r"template\.yaml cannot be read: No such file"):
        load(tmp_path / "template.yaml")


def test_an_api_whose_document_is_missing_is_named(loaded):
    with pytest.raises(TemplateError, match=r"part\.yaml cannot be read: No such file.*Api: its OpenAPI document"):
        loaded({"Api": http_api(DefinitionBody=INCLUDE)})
