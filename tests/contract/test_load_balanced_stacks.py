"""Books, authors and the sites: load balancers, their rules and the two APIs lead to the services' own routes."""

import itertools
import json
import os
import re

import catalog.app
import pytest
import sites.app
import yaml
from cfnlint.api import ManualArgs, lint
from samtranslator.translator.transform import transform

from stacks import INTEGRATION, NESTED, ROOT, STACKS, TASK, as_list, environment

CATALOG, SERVICES = STACKS["catalog.yaml"]["Resources"], STACKS["sites-services.yaml"]["Resources"]
SITES, BALANCER = STACKS["sites.yaml"]["Resources"], STACKS["sites-load-balancer.yaml"]["Resources"]
VARIANTS = ["public-alb", "public-nlb", "private-nlb", "private-alb"]


def of_type(kind, resources):
    """The properties of the resources of a type, by logical id."""
    return {name: r["Properties"] for name, r in resources.items() if r["Type"] == kind}


def api(name):
    return yaml.safe_load((ROOT / "api" / f"{name}.yaml").read_text("utf-8"))


def routes(app):
    return {route.path for route in app.routes}


def paths(rule):
    (pattern,) = [c["PathPatternConfig"]["Values"] for c in rule["Conditions"] if c.get("Field") == "path-pattern"]
    return pattern


def matches(pattern, path):
    """Whether a load balancer takes a path for one of a pattern: `*` is any text, `?` a character."""
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), path))


# ---------------------------------------------------------------- The catalog
def catalog_target(path):
    """The target group that the listener's rules choose for a path; None for an answer of its own."""
    rules = sorted(of_type("AWS::ElasticLoadBalancingV2::ListenerRule", CATALOG).values(), key=lambda r: r["Priority"])
    for rule in rules:
        if any(matches(pattern, path) for pattern in paths(rule)):
            (action,) = rule["Actions"]
            return action.get("TargetGroupArn", {}).get("Ref")
    return None


@pytest.mark.parametrize(("kind", "group"), [("books", "BooksTargets"), ("authors", "AuthorsTargets")])
def test_the_rules_lead_each_path_of_a_service_to_it(kind, group):
    own = [path.replace("{id}", "1") for path in routes(catalog.app.create(kind)) if path != "/health"]

    assert len(own) == 3
    assert {catalog_target(path) for path in own} == {group}


@pytest.mark.parametrize("path", ["/", "/api", "/api/", "/api/booksfoo", "/api/bookshelf/1", "/api/authorsx", "/books"])
def test_no_rule_takes_a_path_that_only_begins_like_one(path):
    assert catalog_target(path) is None


def test_what_no_rule_takes_is_not_found_as_json():
    listeners = of_type("AWS::ElasticLoadBalancingV2::Listener", CATALOG | BALANCER).items()
    answers = [
        action["FixedResponseConfig"]
        for name, listener in listeners
        for action in listener["DefaultActions"]
        if not name.startswith("Network")
    ]

    assert len(answers) == 3
    for answer in answers:
        assert (answer["StatusCode"], answer["ContentType"]) == ("404", "application/json")
        assert json.loads(answer["MessageBody"]) == {"message": "Not found"}


@pytest.mark.parametrize("kind", ["books", "authors"])
def test_the_catalog_s_document_has_the_routes_of_its_services(kind):
    documented = {path for path in api("catalog")["paths"] if path.startswith(f"/api/{kind}")}

    assert documented == routes(catalog.app.create(kind)) - {"/health"}


def test_what_the_catalog_documents_no_route_for_goes_to_the_load_balancer_with_a_token_only():
    rest = api("catalog")["paths"]["/{proxy+}"]

    assert rest["x-amazon-apigateway-any-method"]["security"] == [{"cognito": ["docscan/use"]}]
    assert "security" not in rest["options"], "a browser's preflight request brings no token"


@pytest.mark.parametrize("kind", ["books", "authors"])
def test_the_catalog_s_entries_are_as_documented(kind):
    document = api("catalog")
    schema = document["components"]["schemas"][kind[:-1].capitalize()]
    entries = json.loads((ROOT / "containers" / "catalog" / "catalog" / f"{kind}.json").read_text())

    assert len(entries) == 6
    for entry in [*entries, schema["example"]]:
        assert entry.keys() == schema["properties"].keys() == set(schema["required"])


def test_only_the_vpc_link_reaches_the_catalog_and_only_through_its_load_balancer():
    balancer = CATALOG["LoadBalancer"]["Properties"]
    groups = of_type("AWS::EC2::SecurityGroup", CATALOG)
    sources = {
        name: [rule["SourceSecurityGroupId"]["Ref"] for rule in group["SecurityGroupIngress"]]
        for name, group in groups.items()
    }

    assert balancer["Scheme"] == "internal"
    assert sources == {
        "LoadBalancerSecurityGroup": ["VpcLinkSecurityGroup"],
        "ServiceSecurityGroup": ["LoadBalancerSecurityGroup"],
    }


# ---------------------------------------------------------------- Target groups
TARGETS = of_type("AWS::ElasticLoadBalancingV2::TargetGroup", CATALOG | SERVICES)


@pytest.mark.parametrize("name", TARGETS)
def test_a_service_is_asked_for_its_health_every_half_minute(name):
    group = TARGETS[name]

    assert group["HealthCheckPath"] == "/health"
    assert (group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"]) == (30, 3)


def test_a_task_serves_for_longer_than_the_load_balancer_sends_to_it():
    delays = {int(a["Value"]) for group in TARGETS.values() for a in group["TargetGroupAttributes"]}
    tasks = of_type(TASK, CATALOG | SITES).values()

    assert len(tasks) == 5
    for task in tasks:
        (container,) = task["ContainerDefinitions"]
        draining = int(environment(container)["DRAIN_SECONDS"])
        assert max(delays) < draining


# ---------------------------------------------------------------- The sites
def test_each_site_s_route_calls_what_its_service_has():
    uris = {path: item["get"][INTEGRATION]["uri"] for path, item in api("sites")["paths"].items()}

    assert uris == {
        "/helloworld": "http://${stageVariables.helloworldElb}/",
        "/blog": "http://${stageVariables.sitesElb}/blog",
        "/webpage": "http://${stageVariables.sitesElb}/",
    }
    for path, uri in uris.items():
        assert uri.partition("}")[2] in routes(sites.app.create(path[1:])) - {"/health"}


@pytest.mark.parametrize("name", ["helloworld", "blog", "webpage"])
def test_a_site_s_rule_takes_the_one_path_that_it_has_and_leads_to_it(name):
    rule = SERVICES[f"{name.capitalize()}Rule"]["Properties"]
    services = [r["Properties"]["Parameters"] for r in SERVICES.values() if r["Type"] == NESTED]

    assert set(paths(rule)) == routes(sites.app.create(name)) - {"/health"}
    (target,) = [action["TargetGroupArn"] for action in rule["Actions"]]
    assert {s["ContainerName"] for s in services if s["TargetGroupArn"] == target} == {name}


def test_all_rules_of_the_sites_ask_for_the_key_and_for_the_host_where_there_is_one():
    conditions = {
        name: [c["Fn::If"] for c in rule["Conditions"] if "Fn::If" in c]
        for name, rule in of_type("AWS::ElasticLoadBalancingV2::ListenerRule", SERVICES).items()
    }

    assert len(conditions) == 3
    for (host, key), name in zip(conditions.values(), conditions, strict=True):
        assert (host[0], key[0]) == ("SharesLoadBalancer", "AsksForKey"), name
        assert key[1]["HttpHeaderConfig"]["HttpHeaderName"] == "x-gateway-key"
        assert "secretsmanager:${GatewayKeyArn}" in key[1]["HttpHeaderConfig"]["Values"][0]["Fn::Sub"]


def test_the_sites_api_writes_the_user_and_the_key_over_what_a_client_sends():
    for path, item in api("sites")["paths"].items():
        operation = item["get"]
        changes = operation[INTEGRATION]["requestParameters"]
        user = "context.authorizer.claims.sub" if "security" in operation else "'-'"
        assert changes == {
            "integration.request.header.x-user": user,
            "integration.request.header.x-gateway-key": "stageVariables.gatewayKey",
        }, path


def test_both_stages_set_each_variable_that_the_document_uses():
    used = set(re.findall(r"stageVariables\.(\w+)", (ROOT / "api" / "sites.yaml").read_text()))
    prod, dev = (SITES[name]["Properties"]["Variables"] for name in ("SitesApi", "DevStage"))

    assert used == prod.keys() == dev.keys()
    # Each its own load balancer's, or its own host where they share one.
    swapped = json.dumps(dev).replace("DevLoadBalancer", "LoadBalancer").replace("dev.sites", "prod.sites")
    assert json.loads(swapped) == prod
    assert dev["sitesElb"] != prod["sitesElb"]


def test_stages_that_share_a_load_balancer_have_rules_of_their_own():
    prod, dev = (SITES[name]["Properties"]["Parameters"] for name in ("ProdServices", "DevServices"))

    assert prod["Order"] != dev["Order"]
    for parameters, name in ((prod, "SitesApi"), (dev, "DevStage")):
        condition, host, _ = parameters["Host"]["Fn::If"]
        assert condition == "PrivateAlb"
        assert SITES[name]["Properties"]["Variables"]["sitesElb"]["Fn::If"][:2] == [condition, host]


def test_both_stages_show_a_deployment_that_follows_document_and_variant():
    assert SITES["DevStage"]["Properties"]["DeploymentId"] == {"Ref": "SitesApi.Deployment"}
    assert SITES["SitesApi"]["Properties"]["AlwaysDeploy"] is True


def test_the_world_may_only_come_to_a_public_load_balancer():
    conditions = {
        name: resource.get("Condition")
        for name, resource in BALANCER.items()
        if resource["Type"] == "AWS::EC2::SecurityGroupIngress" and "CidrIp" in resource["Properties"]
    }
    network = BALANCER["NetworkSecurityGroup"]["Properties"]["SecurityGroupIngress"]

    assert conditions == {"FromInternet": "PublicAlb", "FromInternetToHelloworld": "PublicAlb"}
    assert {rule["Fn::If"][0] for rule in network} == {"PublicNlb"}
    assert SITES["ProdServices"]["Properties"]["Parameters"]["GatewayKeyArn"]["Fn::If"][0] == "Public"


def test_services_ask_for_the_instances_by_the_name_that_these_have():
    name = {"Fn::Sub": "${AWS::StackName}-instances"}

    assert SITES["Instances"]["Properties"]["Parameters"]["CapacityProviderName"] == name
    for stack in ("ProdServices", "DevServices"):
        assert SITES[stack]["Properties"]["Parameters"]["CapacityProvider"]["Fn::If"] == ["OnInstances", name, ""]


def test_instances_keep_their_own_role_from_tasks_and_end_when_nobody_needs_them():
    capacity = STACKS["ec2-capacity.yaml"]["Resources"]
    metadata = capacity["LaunchTemplate"]["Properties"]["LaunchTemplateData"]["MetadataOptions"]

    assert metadata == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    assert capacity["Instances"]["Properties"]["MinSize"] == "0"


@pytest.mark.parametrize("name", ["BlogTask", "WebpageTask"])
def test_tasks_on_instances_have_a_bridge_and_any_port_of_the_host(name):
    task = SITES[name]["Properties"]
    (port,) = task["ContainerDefinitions"][0]["PortMappings"]

    assert task["NetworkMode"]["Fn::If"] == ["OnInstances", "bridge", "awsvpc"]
    assert task["RequiresCompatibilities"] == [{"Fn::If": ["OnInstances", "EC2", "FARGATE"]}]
    assert port["HostPort"]["Fn::If"] == ["OnInstances", 0, {"Ref": "AWS::NoValue"}]


# ---------------------------------------------------------------- The consumer
def test_nobody_can_come_to_the_consumer_s_machine():
    resources = STACKS["consumer.yaml"]["Resources"]
    machine = resources["Machine"]["Properties"]
    group = resources["MachineSecurityGroup"]["Properties"]

    assert "SecurityGroupIngress" not in group
    assert machine.keys().isdisjoint({"KeyName", "NetworkInterfaces"})
    assert not any("MapPublicIpOnLaunch" in r["Properties"] for r in resources.values() if "Properties" in r)


# ---------------------------------------------------------------- Each variant as it is deployed
# What the stacks are given that nest these.
GIVEN = {
    "Architecture": "arm64",
    "AlarmTopic": "",
    "MinTasks": 2,
    "MaxTasks": 30,
    "LogRetentionDays": 30,
    "Order": 1,
    "ImageRegistry": "123456789012.dkr.ecr.us-east-1.amazonaws.com/docscan",
    "ImageTag": "latest",
}
LAYER_4 = {"NetworkLoadBalancer": "arn:nlb", "NetworkSecurityGroup": "sg-12345678", "HelloworldListener": ""}
LAYER_7 = {"NetworkLoadBalancer": "", "NetworkSecurityGroup": "", "HelloworldListener": "arn:listener"}


class Rendered:
    """A stack as it is with these parameters: conditions decided, and what is not there taken out."""

    def __init__(self, name, parameters):
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
        stack = json.loads(json.dumps(STACKS[name]))
        defaults = {key: p["Default"] for key, p in stack["Parameters"].items() if "Default" in p}
        self._values = defaults | {k: v for k, v in (GIVEN | parameters).items() if k in stack["Parameters"]}
        self._conditions = stack.get("Conditions", {})
        if "Transform" in stack:
            stack = transform(_including(stack), {}, _Policies)
        self.template = {
            key: self._section(key, section) for key, section in stack.items() if key not in {"Conditions", "Transform"}
        }
        self.resources = self.template["Resources"]

    def _section(self, key, section):
        if key not in {"Resources", "Outputs"}:
            return section
        there = {name: node for name, node in section.items() if self._is(node.get("Condition"))}
        return {
            name: {k: self._decided(v) for k, v in node.items() if k not in {"Condition", "Metadata"}}
            | ({"DependsOn": [d for d in as_list(node["DependsOn"]) if d in there]} if "DependsOn" in node else {})
            for name, node in there.items()
        }

    def _is(self, condition):
        match condition:
            case None:
                return True
            case str(name) | {"Condition": str(name)}:
                return self._is(self._conditions[name])
            case {"Fn::Equals": [one, other]}:
                return self._value(one) == self._value(other)
            case {"Fn::Not": [inner]}:
                return not self._is(inner)
            case {"Fn::Or": inner}:
                return any(map(self._is, inner))
        raise AssertionError(condition)

    def _value(self, node):
        return str(self._values[node["Ref"]]) if isinstance(node, dict) else node

    def _decided(self, node):
        if isinstance(node, list):
            return [kept for item in node if (kept := self._decided(item)) is not NOTHING]
        if not isinstance(node, dict):
            return node
        if "Fn::If" in node:
            condition, yes, no = node["Fn::If"]
            return self._decided(yes if self._is(condition) else no)
        if node == {"Ref": "AWS::NoValue"}:
            return NOTHING
        return {key: kept for key, value in node.items() if (kept := self._decided(value)) is not NOTHING}


NOTHING = object()


class _Policies:
    """SAM asks for managed policies' names; no stack uses one."""

    @staticmethod
    def load():
        return {}


def _including(stack):
    """A stack with the documents that it includes in it."""
    for resource in stack["Resources"].values():
        body = resource.get("Properties", {}).get("DefinitionBody", {})
        if "Fn::Transform" in body:
            location = ROOT / "stacks" / body["Fn::Transform"]["Parameters"]["Location"]
            resource["Properties"]["DefinitionBody"] = yaml.safe_load(location.read_text("utf-8"))
        if resource["Type"] == NESTED:  # as `sam package` leaves it
            resource["Properties"]["Location"] = "https://s3.amazonaws.com/bucket/stack.yaml"
    return stack


def _references(node):
    """The logical ids of resources and parameters that a part of a template names."""
    match node:
        case {"Ref": str(name)}:
            if not name.startswith("AWS::"):
                yield name
        case {"Fn::GetAtt": [name, *_]}:
            yield name
        case {"Fn::Sub": [str(text), dict(own)]}:
            yield from (name for name in _names(text) if name not in own)
            yield from itertools.chain.from_iterable(map(_references, own.values()))
        case {"Fn::Sub": str(text)}:
            yield from _names(text)
        case dict():
            yield from itertools.chain.from_iterable(map(_references, node.values()))
        case list():
            yield from itertools.chain.from_iterable(map(_references, node))


def _names(text):
    return [name.partition(".")[0] for name in re.findall(r"\$\{([A-Za-z]\w*(?:\.\w+)*)\}", text)]


def _unresolved(rendered):
    template = rendered.template
    known = template["Resources"].keys() | template["Parameters"].keys()
    parts = [template["Resources"], template.get("Outputs", {})]
    return {name for name in _references(parts) if name not in known and not name.startswith("stageVariables")}


def _complaints(rendered):
    config = ManualArgs(regions=["us-east-1"], ignore_checks=["W"])
    return [str(match) for match in lint(json.dumps(rendered.template), config=config)]


CASES = [
    *(("sites.yaml", {"Variant": variant}) for variant in VARIANTS),
    ("sites.yaml", {"Variant": "private-nlb", "Capacity": "EC2"}),
    *(("sites-load-balancer.yaml", {"Variant": variant}) for variant in VARIANTS),
    ("sites-load-balancer.yaml", {"Variant": "private-nlb", "InstanceSecurityGroup": "sg-12345678"}),
    ("sites-services.yaml", {"GatewayKeyArn": "arn:secret"} | LAYER_7),
    ("sites-services.yaml", {"Host": "dev.sites.internal"} | LAYER_7),
    ("sites-services.yaml", LAYER_4),
    ("sites-services.yaml", {"CapacityProvider": "instances"} | LAYER_4),
    *(("consumer.yaml", {"LoadBalancerSecurityGroup": group}) for group in ("", "sg-12345678")),
    ("catalog.yaml", {}),
    ("ec2-capacity.yaml", {"Architecture": "x86_64"}),
    ("ec2-service.yaml", {}),
]


@pytest.mark.parametrize(("name", "parameters"), CASES, ids=[f"{n} {' '.join(map(str, p.values()))}" for n, p in CASES])
def test_each_variant_of_a_stack_is_a_valid_template_that_names_only_what_is_there(name, parameters):
    rendered = Rendered(name, parameters)

    assert _unresolved(rendered) == set()
    assert _complaints(rendered) == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_sites_api_goes_the_way_that_was_chosen(variant):
    rendered = Rendered("sites.yaml", {"Variant": variant})
    (document,) = [r["Properties"]["Body"] for r in rendered.resources.values() if r["Type"].endswith("::RestApi")]
    integrations = [item["get"][INTEGRATION] for item in document["paths"].values()]
    stages = {r["Properties"]["StageName"] for r in rendered.resources.values() if r["Type"].endswith("::Stage")}

    assert stages == {"dev", "prod"}
    for integration in integrations:
        assert integration["connectionType"] == ("INTERNET" if variant.startswith("public") else "VPC_LINK")
        assert ("connectionId" in integration) == variant.startswith("private")
        assert ("integrationTarget" in integration) == (variant == "private-alb")


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_sites_have_the_load_balancers_of_their_variant(variant):
    resources = Rendered("sites-load-balancer.yaml", {"Variant": variant}).resources
    balancers = of_type("AWS::ElasticLoadBalancingV2::LoadBalancer", resources)
    schemes = {properties["Type"]: properties["Scheme"] for properties in balancers.values()}

    assert (
        schemes
        == {
            "public-alb": {"application": "internet-facing"},
            "public-nlb": {"application": "internal", "network": "internet-facing"},
            "private-nlb": {"application": "internal", "network": "internal"},
            "private-alb": {"application": "internal"},
        }[variant]
    )
    assert ("VpcLink" in resources) == (variant == "private-nlb")


@pytest.mark.parametrize(("variant", "asked"), [(v, v.startswith("public")) for v in VARIANTS])
def test_a_public_load_balancer_asks_for_a_key_and_a_private_one_needs_none(variant, asked):
    resources = Rendered("sites.yaml", {"Variant": variant}).resources

    assert ("GatewayKey" in resources) == asked
    for stack in ("ProdServices", "DevServices"):
        arn = resources[stack]["Properties"]["Parameters"]["GatewayKeyArn"]
        assert arn == ({"Ref": "GatewayKey"} if asked else "")
