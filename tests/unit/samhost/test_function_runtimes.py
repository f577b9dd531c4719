"""Which functions run here, and on what."""

import subprocess
from types import SimpleNamespace

import pytest

from samhost import runtimes
from samhost.runtimes import ENGINE_PYTHON, LEFT_OUT, adapt
from samhost.settings import machine_architecture


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Adapts a function for a machine that has the given programs, and Node.js 20; returns it and the notes."""

    def adapt_function(*programs, metadata=None, parameters=None, template=None, **properties):
        monkeypatch.setattr(runtimes.shutil, "which", lambda program: program if program in programs else None)
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout="v20.1.0\n"))
        resource = {"Type": "AWS::Serverless::Function", "Properties": properties}
        if metadata:
            resource["Metadata"] = metadata
        notes = adapt({"Resources": {"F": resource}, **(template or {})}, tmp_path, parameters or {})
        return resource, notes

    return adapt_function


def reason(resource):
    return resource.get("Metadata", {}).get(LEFT_OUT)


def test_a_python_function_of_another_version_is_built_for_the_engines_and_named(machine):
    resource, notes = machine(Runtime="python3.9", Architectures=["arm64", "x86_64"])

    assert resource["Properties"] == {"Runtime": ENGINE_PYTHON, "Architectures": [machine_architecture()]}
    assert notes == [f"F (python3.9) runs on {ENGINE_PYTHON}"]


def test_a_python_function_of_the_engines_version_is_as_it_is(machine):
    resource, notes = machine(Runtime=ENGINE_PYTHON)

    assert notes == []
    assert reason(resource) is None


def test_a_node_function_of_another_version_is_named(machine):
    resource, notes = machine("node", "npm", Runtime="nodejs22.x")

    assert reason(resource) is None
    assert notes == ["F (nodejs22.x) runs on nodejs20.x"]


@pytest.mark.parametrize(
    ("programs", "properties", "metadata", "missing"),
    [
        ((), {"Runtime": "nodejs22.x"}, {}, "needs node and npm"),
        (("node",), {"Runtime": "nodejs22.x"}, {}, "needs npm"),
        (("node", "npm"), {"Runtime": "nodejs22.x"}, {"BuildMethod": "esbuild"}, "needs esbuild"),
        ((), {"Runtime": "nodejs22.x", "InlineCode": "x"}, {}, "needs node,"),
        ((), {"Runtime": "provided.al2023"}, {}, "needs make"),
        ((), {"Runtime": "provided.al2023"}, {"BuildMethod": "go1.x"}, "needs go"),
        ((), {"Runtime": "provided.al2023"}, {"BuildMethod": "rust-cargolambda"}, "needs cargo-lambda"),
    ],
)
def test_a_function_whose_tools_are_missing_is_neither_built_nor_deployed(
    machine, programs, properties, metadata, missing
):
    resource, _ = machine(*programs, metadata=metadata, **properties)

    assert missing in reason(resource)
    assert resource["Metadata"]["SkipBuild"] is True


def test_a_tool_among_a_functions_own_packages_is_enough(machine, tmp_path):
    (tmp_path / "code" / "node_modules" / ".bin").mkdir(parents=True)
    (tmp_path / "code" / "node_modules" / ".bin" / "esbuild").touch()

    resource, _ = machine("node", "npm", metadata={"BuildMethod": "esbuild"}, Runtime="nodejs20.x", CodeUri="code")

    assert reason(resource) is None


def test_what_is_built_already_needs_no_tools(machine):
    resource, _ = machine(metadata={"SkipBuild": True}, Runtime="provided.al2023")

    assert reason(resource) is None


@pytest.mark.parametrize("runtime", ["java21", "dotnet8", "ruby3.3", "go1.x", "python2.7"])
def test_other_runtimes_are_left_out(machine, runtime):
    resource, _ = machine("node", "npm", "make", "java", Runtime=runtime)

    assert f"{runtime} is not among what runs here" in reason(resource)


def test_container_images_are_left_out(machine):
    assert "Docker" in reason(machine(PackageType="Image")[0])


@pytest.mark.parametrize("overrides", [{}, {"Version": "ruby3.3"}])
def test_the_runtime_may_be_a_parameter_in_the_globals(machine, overrides):
    template = {
        "Globals": {"Function": {"Runtime": {"Ref": "Version"}}},
        "Parameters": {"Version": {"Type": "String", "Default": "python3.10"}},
    }
    resource, notes = machine(template=template, parameters=overrides)

    if overrides:
        assert "ruby3.3" in reason(resource)
    else:
        assert notes == [f"F (python3.10) runs on {ENGINE_PYTHON}"]


def test_an_alias_that_a_parameter_names_is_the_one_that_was_asked_for(machine):
    template = {"Parameters": {"Alias": {"Type": "String", "Default": "live"}}}
    resource, _ = machine(
        template=template, parameters={"Alias": "next"}, Runtime=ENGINE_PYTHON, AutoPublishAlias={"Ref": "Alias"}
    )

    assert resource["Properties"]["AutoPublishAlias"] == "next"


def test_a_runtime_that_cannot_be_known_is_left_out(machine):
    assert "its Runtime is neither" in reason(machine(Runtime={"Fn::FindInMap": ["A", "B", "C"]})[0])


def test_a_layer_is_built_for_the_engines_python():
    layer = {"Type": "AWS::Serverless::LayerVersion", "Properties": {}, "Metadata": {"BuildMethod": "python3.11"}}

    adapt({"Resources": {"L": layer}}, None, {})

    assert layer["Metadata"]["BuildMethod"] == ENGINE_PYTHON
