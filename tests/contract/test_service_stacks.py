"""The stacks of services in containers: who may call whom, how services run, and that stacks fit into one another."""

import json
import re
import runpy

import pytest

from stacks import HTTP_API, NESTED, ROLE, ROOT, SERVICE, STACKS, TASK, TEMPLATES, as_list, environment, resources

# ---------------------------------------------------------------- Who may call whom
# API Gateway comes to a public load balancer from the internet, from addresses that nobody knows beforehand. Its rules
# let nobody pass who does not bring a key.
OPEN_TO_THE_WORLD = {
    ("sites-load-balancer.yaml", "FromInternet"): "PublicAlb",
    ("sites-load-balancer.yaml", "FromInternetToHelloworld"): "PublicAlb",
    ("sites-load-balancer.yaml", "NetworkSecurityGroup"): "PublicNlb",
}
DYNAMIC_PORTS = (32768, 65535)  # of containers on EC2


def ingress(properties):
    """The rules of a group, or the rule that a resource is: `(condition, rule)`."""
    rules = properties.get("SecurityGroupIngress", []) if "GroupDescription" in properties else [properties]
    return [(rule["Fn::If"][0], rule["Fn::If"][1]) if "Fn::If" in rule else (None, rule) for rule in rules]


@pytest.mark.parametrize(
    ("stack", "name", "properties"),
    [*resources("AWS::EC2::SecurityGroup"), *resources("AWS::EC2::SecurityGroupIngress")],
)
def test_security_groups_let_in_groups_and_not_addresses(stack, name, properties):
    for condition, rule in ingress(properties):
        if (stack, name) in OPEN_TO_THE_WORLD:
            condition = condition or STACKS[stack]["Resources"][name]["Condition"]
            assert condition == OPEN_TO_THE_WORLD[stack, name]
        else:
            assert not {"CidrIp", "CidrIpv6", "SourcePrefixListId"} & rule.keys()
            assert "SourceSecurityGroupId" in rule
        assert rule["FromPort"] == rule["ToPort"] or (rule["FromPort"], rule["ToPort"]) == DYNAMIC_PORTS


@pytest.mark.parametrize(("stack", "name", "properties"), resources("AWS::EC2::SecurityGroup"))
def test_security_groups_say_whom_they_let_out_to(stack, name, properties):
    assert properties["SecurityGroupEgress"], "without a rule everything is allowed"


@pytest.mark.parametrize(("stack", "name", "properties"), resources("AWS::ApiGatewayV2::VpcLink"))
def test_a_vpc_link_has_a_group_of_its_own(stack, name, properties):
    (group,) = properties["SecurityGroupIds"]
    assert STACKS[stack]["Resources"][group["Ref"]]["Type"] == "AWS::EC2::SecurityGroup"


def test_services_reach_aws_without_the_internet():
    endpoints = {
        resource["Properties"]["ServiceName"]["Fn::Sub"].removeprefix("com.amazonaws.${AWS::Region}."): resource
        for resource in STACKS["network.yaml"]["Resources"].values()
        if resource["Type"] == "AWS::EC2::VPCEndpoint"
    }
    types = {name: endpoint["Properties"]["VpcEndpointType"] for name, endpoint in endpoints.items()}

    interfaces = dict.fromkeys(["ecr.api", "ecr.dkr", "logs"], "Interface")
    assert types == dict.fromkeys(["s3", "dynamodb"], "Gateway") | interfaces
    assert all(endpoints[name]["Condition"] == "ByEndpoints" for name in interfaces), "they are paid by the hour"
    assert all("Condition" not in endpoints[name] for name in types.keys() - interfaces)


# ---------------------------------------------------------------- How services run
@pytest.mark.parametrize(("stack", "name", "properties"), resources(SERVICE))
def test_a_rollout_loses_nothing_and_is_taken_back_if_it_fails(stack, name, properties):
    rollout = properties["DeploymentConfiguration"]

    assert "DesiredCount" not in properties, "it would undo what scaling has done"
    assert rollout["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert (rollout["MinimumHealthyPercent"], rollout["MaximumPercent"]) == (100, 200)
    assert properties["AvailabilityZoneRebalancing"] == "ENABLED"


@pytest.mark.parametrize(("stack", "name", "properties"), resources(SERVICE))
def test_a_service_scales_by_cpu_between_its_limits(stack, name, properties):
    everything = STACKS[stack]["Resources"]
    (target,) = [
        target
        for target, resource in everything.items()
        if resource["Type"] == "AWS::ApplicationAutoScaling::ScalableTarget"
        and f"${{{name}.Name}}" in resource["Properties"]["ResourceId"]["Fn::Sub"]
    ]
    (policy,) = [
        resource["Properties"]["TargetTrackingScalingPolicyConfiguration"]
        for resource in everything.values()
        if resource["Type"] == "AWS::ApplicationAutoScaling::ScalingPolicy"
        and resource["Properties"]["ScalingTargetId"] == {"Ref": target}
    ]
    limits = everything[target]["Properties"]

    assert (limits["MinCapacity"], limits["MaxCapacity"]) == ({"Ref": "MinTasks"}, {"Ref": "MaxTasks"})
    assert policy["PredefinedMetricSpecification"]["PredefinedMetricType"] == "ECSServiceAverageCPUUtilization"
    assert policy["TargetValue"] == 50


@pytest.mark.parametrize(("stack", "name", "properties"), resources(TASK))
def test_a_task_may_change_nothing_but_what_its_role_says(stack, name, properties):
    (container,) = properties["ContainerDefinitions"]
    everything = STACKS[stack]["Resources"]
    task_role, execution_role = properties.get("TaskRoleArn"), properties["ExecutionRoleArn"]

    assert task_role != execution_role
    for role in filter(None, (task_role, execution_role)):
        (trust,) = everything[role["Fn::GetAtt"][0]]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        assert "${AWS::AccountId}:*" in trust["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"]
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["Capabilities"]["Drop"] == ["ALL"]


@pytest.mark.parametrize(("stack", "name", "properties"), resources(TASK))
def test_a_task_logs_to_a_group_that_forgets_and_that_ecs_may_write_to(stack, name, properties):
    (container,) = properties["ContainerDefinitions"]
    everything = STACKS[stack]["Resources"]
    group = container["LogConfiguration"]["Options"]["awslogs-group"]["Ref"]
    execution_role = everything[properties["ExecutionRoleArn"]["Fn::GetAtt"][0]]

    assert everything[group]["Type"] == "AWS::Logs::LogGroup"
    assert everything[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert {"Fn::GetAtt": [group, "Arn"]} in statement(execution_role, "logs:PutLogEvents")["Resource"]


@pytest.mark.parametrize(("stack", "name", "properties"), resources(TASK))
def test_a_task_has_time_to_drain_and_to_finish(stack, name, properties):
    (container,) = properties["ContainerDefinitions"]
    serving = runpy.run_path(str(ROOT / "containers" / "serving.py"))

    assert int(environment(container)["DRAIN_SECONDS"]) + serving["GRACE_SECONDS"] < container["StopTimeout"] <= 120
    assert container["HealthCheck"]["Command"] == ["CMD", "python3.13", "-S", "/service/health.py"]


@pytest.mark.parametrize(("stack", "name", "properties"), resources("AWS::CloudWatch::Alarm"))
def test_an_alarm_is_told_to_somebody_and_says_what_to_do(stack, name, properties):
    assert properties["AlarmActions"] == [
        {"Fn::If": ["SomebodyIsTold", {"Ref": "AlarmTopic"}, {"Ref": "AWS::NoValue"}]}
    ]
    assert len(properties["AlarmDescription"]) > 40


def statement(role, action):
    """The statement of a role that allows an action."""
    (found,) = [
        statement
        for policy in role["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if action in as_list(statement["Action"])
    ]
    return found


# Actions that know no resource, or none but whoever calls (docs.aws.amazon.com/service-authorization/latest/reference).
OF_NO_RESOURCE = {
    "ecr:GetAuthorizationToken",
    "ecs:DiscoverPollEndpoint",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}


@pytest.mark.parametrize(("stack", "name", "properties"), resources(ROLE))
def test_roles_name_actions_and_resources(stack, name, properties):
    for policy in properties.get("Policies", []):
        for one in policy["PolicyDocument"]["Statement"]:
            assert not any("*" in action for action in as_list(one["Action"]))
            assert one["Resource"] != "*" or set(as_list(one["Action"])) <= OF_NO_RESOURCE


@pytest.mark.parametrize(("stack", "name", "properties"), resources("AWS::DynamoDB::Table"))
def test_tables_are_encrypted_and_can_be_restored(stack, name, properties):
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["SSESpecification"]["SSEEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


@pytest.mark.parametrize(("stack", "name", "properties"), resources("AWS::ServiceDiscovery::Service"))
def test_a_registry_knows_ports_and_health(stack, name, properties):
    """API Gateway needs the port, which ECS registers for SRV records only."""
    assert properties["DnsConfig"]["DnsRecords"] == [{"Type": "SRV", "TTL": 60}]
    assert properties["HealthCheckCustomConfig"] == {"FailureThreshold": 1}


@pytest.mark.parametrize(("stack", "name", "properties"), resources(HTTP_API))
def test_an_api_is_throttled_and_logged_for_a_while(stack, name, properties):
    logs = STACKS[stack]["Resources"][properties["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0]]

    assert properties["DefaultRouteSettings"].keys() == {"ThrottlingBurstLimit", "ThrottlingRateLimit"}
    assert logs["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


# ---------------------------------------------------------------- Stacks in stacks
@pytest.mark.parametrize(("path", "name", "properties"), resources(NESTED, TEMPLATES))
def test_a_nested_stack_gets_the_parameters_that_it_declares(path, name, properties):
    inner = TEMPLATES[(path.parent / properties["Location"]).resolve()]
    given = set(properties.get("Parameters", {}))
    declared = inner.get("Parameters", {})

    assert given <= declared.keys()
    assert {parameter for parameter, about in declared.items() if "Default" not in about} <= given


@pytest.mark.parametrize(("path", "name", "properties"), resources(NESTED, TEMPLATES))
def test_what_is_taken_from_a_nested_stack_is_one_of_its_outputs(path, name, properties):
    inner = TEMPLATES[(path.parent / properties["Location"]).resolve()]
    taken = re.findall(rf'"{name}(?:", "|\.)Outputs\.(\w+)"', json.dumps(TEMPLATES[path]))

    assert set(taken) <= inner.get("Outputs", {}).keys()


def test_what_costs_money_while_nobody_calls_is_not_there_unless_it_is_asked_for():
    template = TEMPLATES[ROOT / "template.yaml"]
    for name, resource in template["Resources"].items():
        if resource["Type"] == NESTED:
            assert name == "Network" or resource["Condition"] == f"{name}Wanted"
            assert "Condition" in resource
    for variant, default in [
        ("ServicesStack", "no"),
        ("CatalogStack", "no"),
        ("SitesStack", "none"),
        ("ConsumerStack", "no"),
    ]:
        assert template["Parameters"][variant]["Default"] == default
