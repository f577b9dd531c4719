"""Containers, as the task definitions run them, are what the images and the APIs' documents say."""

import json
import re
import runpy

import pytest
import yaml

from scanner.settings import Settings
from stacks import INTEGRATION, NESTED, ROOT, STACKS, TASK, environment, image, operations, resources


def dockerfile(name, instruction):
    text = (ROOT / "containers" / name / "Dockerfile").read_text()
    return re.findall(rf"^{instruction} (.*)$", text, re.MULTILINE)[-1]


@pytest.fixture
def started(monkeypatch):
    """The application that a container serves: its command, run with the variables of the task definition alone."""

    def start(container):
        served = []
        monkeypatch.setattr("serving.serve", served.append)
        for variable in ("SERVICE", "TABLE", "PROJECTS_TABLE", "PAGES_TABLE", "BUCKET", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(variable, raising=False)
        for variable, value in environment(container).items():
            monkeypatch.setenv(variable, "us-east-1" if variable == "AWS_DEFAULT_REGION" else text(value))
        *_, module = json.loads(dockerfile(image(container), "CMD"))
        runpy.run_module(module, run_name="__main__")
        return served[0]

    return start


def text(value):
    """A value of a template, or the name of what it refers to."""
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize(("stack", "name", "properties"), resources(TASK))
def test_a_container_runs_as_its_image_says(stack, name, properties):
    (container,) = properties["ContainerDefinitions"]

    assert container["User"] == dockerfile(image(container), "USER")
    (mapping,) = container["PortMappings"]
    assert str(mapping["ContainerPort"]) == dockerfile(image(container), "EXPOSE")
    assert f"PORT={mapping['ContainerPort']}" in dockerfile(image(container), "ENV")


@pytest.mark.parametrize(("stack", "name", "properties"), resources(TASK))
def test_a_container_is_told_all_that_it_asks_for_and_nothing_else(stack, name, properties, started):
    (container,) = properties["ContainerDefinitions"]
    folder = ROOT / "containers" / image(container)
    code = [*folder.glob("*/*.py"), ROOT / "containers" / "serving.py"]
    if "functions/scanner" in (folder / "Dockerfile").read_text():
        code.append(ROOT / "functions" / "scanner" / "settings.py")
    known = set(re.findall(r'"([A-Z][A-Z_]+)"', "".join(file.read_text() for file in code)))

    assert started(container).routes
    assert environment(container).keys() - {"AWS_DEFAULT_REGION"} <= known  # boto3 reads that


def test_previews_know_where_the_scanner_keeps_pages(monkeypatch):
    (container,) = STACKS["services.yaml"]["Resources"]["PreviewsTask"]["Properties"]["ContainerDefinitions"]
    for variable, value in environment(container).items():
        monkeypatch.setenv(variable, text(value))
    settings = Settings()

    assert (settings.projects_table, settings.pages_table) == ('{"Ref": "ProjectsTable"}', '{"Ref": "PagesTable"}')
    assert settings.bucket == '{"Ref": "Bucket"}'


def test_previews_may_read_pages_and_their_images_and_nothing_else():
    role = STACKS["services.yaml"]["Resources"]["PreviewsRole"]
    (policy,) = role["Properties"]["Policies"]
    pages, images = policy["PolicyDocument"]["Statement"]

    assert pages["Action"] == "dynamodb:GetItem"
    assert [arn["Fn::Sub"].split(":table/")[1] for arn in pages["Resource"]] == ["${ProjectsTable}", "${PagesTable}"]
    assert images["Action"] == "s3:GetObjectVersion"
    assert images["Resource"]["Fn::Sub"].endswith(":::${Bucket}/images/*")


def by_shape(routes):
    """Routes without the names of what is variable in them."""
    return {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in routes}


def behind(stack, registry):
    """The container behind a Cloud Map service: of the nested service that is registered there."""
    everything = STACKS[stack]["Resources"]
    (parameters,) = [
        resource["Properties"]["Parameters"]
        for resource in everything.values()
        if resource["Type"] == NESTED
        and resource["Properties"]["Parameters"].get("RegistryArn") == {"Fn::GetAtt": [registry, "Arn"]}
    ]
    (container,) = everything[parameters["TaskDefinition"]["Ref"]]["Properties"]["ContainerDefinitions"]
    assert container["Name"] == parameters["ContainerName"]
    return container


@pytest.mark.parametrize("registry", ["FoodsRegistry", "PetsRegistry", "PreviewsRegistry"])
def test_the_routes_that_lead_to_a_service_are_those_that_it_has(registry, started):
    document = yaml.safe_load((ROOT / "api" / "services.yaml").read_text())
    documented = {
        route
        for route, operation in operations(document).items()
        if operation[INTEGRATION]["uri"] == {"Fn::GetAtt": [registry, "Arn"]}
    }
    app = started(behind("services.yaml", registry))
    served = {(method, route.path) for route in app.routes for method in route.methods - {"HEAD"}}

    assert by_shape(documented) == by_shape(served) - {("GET", "/health")}


def test_foods_and_pets_are_read_by_anybody_and_changed_by_whoever_has_signed_in():
    document = yaml.safe_load((ROOT / "api" / "services.yaml").read_text())
    open_routes = {route for route, operation in operations(document).items() if "security" not in operation}

    assert open_routes == {
        ("GET", path) for path in document["paths"] if path.startswith(("/foodstore/", "/petstore/"))
    }
