"""When `sam build` may be skipped."""

import pytest

from samhost.build import source_digest
from samhost.settings import Settings
from samhost.template_file import load


@pytest.fixture
def application(tmp_path):
    (tmp_path / ".venv-sam" / "bin").mkdir(parents=True)
    (tmp_path / ".venv-sam" / "bin" / "sam").touch()
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "app.py").write_text("one")
    (tmp_path / "api.yaml").write_text("openapi: 3.0.3")
    (tmp_path / "unrelated.txt").write_text("one")
    (tmp_path / "template.yaml").write_text("""
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: code/, Role: !GetAtt Role.Arn }
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody: { Fn::Transform: { Name: AWS::Include, Parameters: { Location: api.yaml } } }
""")
    return tmp_path


def digest(application, **parameters):
    settings = Settings(application / "template.yaml", application / "data", parameters=parameters)
    template = load(settings.template)
    return source_digest(settings, template, repr(template))


@pytest.mark.parametrize("file", ["template.yaml", "code/app.py", "api.yaml"])
def test_what_the_template_names_is_built_again_when_it_changes(application, file):
    before = digest(application)
    with (application / file).open("a") as changed:
        changed.write("\nx-changed: yes")

    assert digest(application) != before


def test_a_new_file_among_the_code_is_seen(application):
    before = digest(application)
    (application / "code" / "new.py").touch()

    assert digest(application) != before


def test_another_parameter_is_another_build(application):
    assert digest(application, Architecture="arm64") != digest(application, Architecture="x86_64")


def test_nothing_is_built_for_what_the_template_does_not_name(application):
    before = digest(application)
    (application / "unrelated.txt").write_text("two")
    (application / "code" / "__pycache__").mkdir()
    (application / "code" / "__pycache__" / "app.pyc").touch()

    assert digest(application) == before
