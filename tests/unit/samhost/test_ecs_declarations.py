"""What samhost takes from a template about ECS services, which the engine does not keep."""

import pytest
import yaml

from samhost.ecs.declarations import Declarations, ServiceKey, declarations
from samhost.local_template import derive
from samhost.outputs import PREFIX

REGISTRY = "arn:aws:servicediscovery:us-east-1:000000000000:service/srv-1"
SERVICE = {
    "Type": "AWS::ECS::Service",
    "Properties": {"ServiceRegistries": [{"RegistryArn": {"Fn::GetAtt": ["Discovery", "Arn"]}}]},
}
TARGET = {
    "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
    "Properties": {
        "ServiceNamespace": "ecs",
        "ResourceId": {"Fn::Sub": "service/${Cluster}/${Foods.Name}"},
        "MinCapacity": {"Ref": "Least"},
        "RoleARN": {"Ref": "Link"},
    },
}
KEY = ServiceKey("main", "foods")


@pytest.fixture
def derived(tmp_path):
    def derive_from(template, name="template.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump(template))
        return derive(tmp_path / name)

    return derive_from


def deployed(local, values, conditions=()):
    """What the stack's outputs would say: `values` by what an intrinsic function names."""

    def value(node):
        if isinstance(node, dict) and "Fn::If" in node:
            condition, then, otherwise = node["Fn::If"]
            return value(then if condition in conditions else otherwise)
        return values.get(str(node), node)

    return {key: value(output["Value"]) for key, output in local.template["Outputs"].items() if key.startswith(PREFIX)}


VALUES = {
    str({"Ref": "Foods"}): "arn:aws:ecs:us-east-1:000000000000:service/main/foods",
    str({"Fn::GetAtt": ["Discovery", "Arn"]}): REGISTRY,
    str({"Fn::Sub": "service/${Cluster}/${Foods.Name}"}): "service/main/foods",
    str({"Ref": "Least"}): "3",
}


def test_registries_and_the_least_count_come_from_the_deployed_template(derived):
    local = derived(
        {
            "Parameters": {"Least": {"Type": "Number"}},
            "Resources": {"Foods": SERVICE, "Discovery": {"Type": "AWS::ServiceDiscovery::Service"}, "Scaling": TARGET},
        }
    )

    assert declarations(local, deployed(local, VALUES)) == Declarations({KEY: "Foods"}, {KEY: (REGISTRY,)}, {KEY: 3})


def test_what_is_under_a_false_condition_declares_nothing(derived):
    local = derived({"Conditions": {"On": False}, "Resources": {"Foods": SERVICE | {"Condition": "On"}}})

    assert declarations(local, deployed(local, VALUES)) == Declarations()
    assert declarations(local, deployed(local, VALUES, {"On"})) == Declarations({KEY: "Foods"}, {KEY: (REGISTRY,)})


def test_an_empty_registry_and_targets_of_other_services_count_for_nothing(derived):
    registries = [{"RegistryArn": ""}, {"Fn::If": ["On", {"RegistryArn": REGISTRY}, {"Ref": "AWS::NoValue"}]}]
    table = {"Type": TARGET["Type"], "Properties": {"ServiceNamespace": "dynamodb", "ResourceId": "table/x"}}
    local = derived(
        {
            "Conditions": {"On": False},
            "Resources": {
                "Foods": SERVICE | {"Properties": {"ServiceRegistries": registries}},
                "Bare": {"Type": "AWS::ECS::Service"},
                "Table": table,
            },
        }
    )
    values = VALUES | {str({"Ref": "Bare"}): "arn:aws:ecs:us-east-1:000000000000:service/main/bare"}

    assert declarations(local, deployed(local, values)).registries == {KEY: (), ServiceKey("main", "bare"): ()}
    assert declarations(local, deployed(local, values)).least_counts == {}


def test_services_of_a_nested_stack_declare_the_same_where_the_stack_is_there(derived):
    derived({"Resources": {"Foods": SERVICE}}, "inner.yaml")
    application = {"Type": "AWS::Serverless::Application", "Condition": "On", "Properties": {"Location": "inner.yaml"}}
    local = derived({"Conditions": {"On": False}, "Resources": {"Inner": application}})
    inner = deployed(local.nested["Inner"], VALUES)
    values = {str({"Fn::GetAtt": ["Inner", f"Outputs.{key}"]}): value for key, value in inner.items()}

    assert declarations(local, deployed(local, values)) == Declarations()
    assert declarations(local, deployed(local, values, {"On"})) == Declarations(
        {KEY: "Inner/Foods"}, {KEY: (REGISTRY,)}
    )


def test_a_service_changes_with_the_outputs_that_are_about_it(derived):
    def tags(registries):
        service = SERVICE | {"Properties": {"ServiceRegistries": registries, "Tags": [{"Key": "a", "Value": "b"}]}}
        return derived({"Resources": {"Foods": service}}).template["Resources"]["Foods"]["Properties"]["Tags"]

    one, other = tags([{"RegistryArn": {"Ref": "A"}}]), tags([{"RegistryArn": {"Ref": "B"}}])

    assert one[0] == other[0] == {"Key": "a", "Value": "b"}
    assert one[1] != other[1]


def test_containers_are_spelled_as_ecs_api_spells_them(derived):
    container = {
        "Name": "foods",
        "HealthCheck": {"Command": ["CMD", "a"], "StartPeriod": {"Ref": "Seconds"}},
        "Secrets": [{"Name": "S", "ValueFrom": {"Fn::GetAtt": ["Secret", "Arn"]}}],
    }
    task = {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [container]}}

    [spelled] = derived({"Resources": {"Task": task}}).template["Resources"]["Task"]["Properties"][
        "ContainerDefinitions"
    ]

    assert spelled == {
        "Name": "foods",
        "HealthCheck": {"command": ["CMD", "a"], "startPeriod": {"Ref": "Seconds"}},
        "Secrets": [{"name": "S", "valueFrom": {"Fn::GetAtt": ["Secret", "Arn"]}}],
    }


def test_a_service_is_known_by_the_end_of_its_arn_whatever_the_cluster_is_named_by():
    cluster = "arn:aws:ecs:us-east-1:000000000000:cluster/main"

    assert ServiceKey.of(f"arn:aws:ecs:us-east-1:000000000000:service/{cluster}/foods") == KEY
