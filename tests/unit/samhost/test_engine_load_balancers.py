"""What the engine's API says of load balancers that a template has made, read as the load balancers read it."""

import asyncio
from urllib.parse import parse_qs

import pytest
from ministack.services import alb
from ministack.services.cloudformation import provisioners

from samhost import engine_load_balancers
from samhost.elb.actions import FixedResponse, Forward
from samhost.elb.description import Target, describe
from samhost.elb.rules import Facts
from samhost.gateway.engine import Reply

HANDLERS, ACTIONS = provisioners._RESOURCE_HANDLERS, alb._ACTION_MAP  # noqa: SLF001
REPLACED = [
    (alb, "_action_xml"),
    (alb, "_condition_xml"),
    (alb, "_tg_xml"),
    (provisioners, "_elbv2_listener_actions"),
    (provisioners, "_flatten_listener_rule_conditions"),
]


class Template:
    """Resources made by the engine's CloudFormation; and its API."""

    def create(self, kind, **properties):
        handler = HANDLERS[f"AWS::ElasticLoadBalancingV2::{kind}"]
        return handler["create"](kind, properties, "stack")[0]

    def update(self, arn, kind, old, new):
        handler = HANDLERS[f"AWS::ElasticLoadBalancingV2::{kind}"]
        return handler["update"](arn, old, new, "stack", logical_id=kind)[0]

    def listener(self, action):
        balancer = self.create("LoadBalancer")
        return self.create("Listener", LoadBalancerArn=balancer, Port=80, Protocol="HTTP", DefaultActions=[action])

    def ask(self, **parameters):
        return ACTIONS[parameters.pop("Action")]({key: [str(value)] for key, value in parameters.items()})

    async def call(self, service, method, target, body, *, headers):
        parameters = {key: value[0] for key, value in parse_qs(body.decode()).items() if key != "Version"}
        status, _, content = self.ask(**parameters)
        return Reply(status, {}, content)

    def describe(self):
        return asyncio.run(describe(self))

    def targets(self, arn):
        return self.describe().groups[arn].targets


@pytest.fixture
def template(monkeypatch):
    for module, name in REPLACED:
        monkeypatch.setattr(module, name, getattr(module, name))
    kind = "AWS::ElasticLoadBalancingV2::TargetGroup"
    monkeypatch.setitem(HANDLERS, kind, dict(HANDLERS[kind]))
    for action in ("RegisterTargets", "DeregisterTargets"):
        monkeypatch.setitem(ACTIONS, action, ACTIONS[action])
    engine_load_balancers.install()
    yield Template()
    alb.reset()


def registration(action, arn, *targets):
    named = {"Action": action, "TargetGroupArn": arn}
    for index, (host, port) in enumerate(targets, 1):
        named |= {f"Targets.member.{index}.Id": host}
        named |= {f"Targets.member.{index}.Port": port} if port else {}
    return named


def test_targets_of_one_address_are_told_apart_by_their_ports(template):
    arn = template.create("TargetGroup", Port=8080)

    template.ask(**registration("RegisterTargets", arn, ("127.0.0.1", 1), ("127.0.0.1", 2), ("127.0.0.1", None)))
    template.ask(**registration("RegisterTargets", arn, ("127.0.0.1", 2)))
    template.ask(**registration("DeregisterTargets", arn, ("127.0.0.1", 1)))

    assert template.targets(arn) == (Target("127.0.0.1", 2), Target("127.0.0.1", 8080))

    template.ask(**registration("DeregisterTargets", arn, ("127.0.0.1", None)))

    assert template.targets(arn) == ()


def test_targets_of_the_template_are_registered_and_follow_it(template):
    given = {"Protocol": "TCP", "TargetType": "alb", "Port": 80, "Targets": [{"Id": "arn:aws:one"}]}
    arn = template.create("TargetGroup", **given)
    template.ask(**registration("RegisterTargets", arn, ("by-hand", 7)))

    template.update(arn, "TargetGroup", given, given | {"Targets": [{"Id": "arn:aws:two", "Port": 81}]})

    assert template.targets(arn) == (Target("by-hand", 7), Target("arn:aws:two", 81))


@pytest.mark.parametrize(
    ("properties", "protocol", "accepted"),
    [
        ({"Protocol": "TCP"}, "TCP", range(200, 400)),
        ({"Protocol": "TCP", "TargetType": "alb"}, "HTTP", range(200, 400)),
        ({"Protocol": "TCP", "HealthCheckProtocol": "HTTP", "Matcher": {"HttpCode": "204"}}, "HTTP", range(204, 205)),
        ({"Protocol": "HTTP"}, "HTTP", range(200, 201)),
    ],
)
def test_targets_are_checked_as_their_kind_of_load_balancer_does(template, properties, protocol, accepted):
    arn = template.create("TargetGroup", Port=80, **properties)

    check = template.describe().groups[arn].check

    assert (check.protocol, check.statuses) == (protocol, (accepted,))


def test_weights_and_messages_come_out_as_they_went_in(template):
    one, two = template.create("TargetGroup", Name="one"), template.create("TargetGroup", Name="two")
    message = '<p class="a">5 < 6 & "7"</p>'
    listener = template.listener(
        {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "MessageBody": message}}
    )
    weights = [{"TargetGroupArn": one, "Weight": 9}, {"TargetGroupArn": two, "Weight": 1}]
    template.create(
        "ListenerRule",
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/a&b"]}],
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}],
    )

    found = template.describe().listeners[listener]

    assert found.default == FixedResponse(404, "text/plain", message)
    assert found.action(Facts("GET", "/a&b", "", [], "")) == Forward(((one, 9), (two, 1)))


@pytest.mark.parametrize(
    ("condition", "met", "not_met"),
    [
        ({"Field": "path-pattern", "Values": ["/a/*"]}, {"path": "/a/b"}, {"path": "/b"}),
        ({"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a/*"]}}, {"path": "/a/b"}, {"path": "/b"}),
        ({"Field": "host-header", "HostHeaderConfig": {"Values": ["a.*"]}}, {"headers": [("host", "a.b:80")]}, {}),
        ({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["PUT"]}}, {"method": "PUT"}, {}),
        (
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Kind", "Values": ["c?t"]}},
            {"headers": [("x-kind", "Cat")]},
            {"headers": [("x-kind", "coat")]},
        ),
        (
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a", "Value": "1"}, {"Value": "2"}]}},
            {"query": "b=2"},
            {"query": "b=1"},
        ),
        (
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
            {"source_ip": "10.1.2.3"},
            {"source_ip": "11.1.2.3"},
        ),
    ],
)
def test_each_condition_of_a_template_is_one_in_the_description(template, condition, met, not_met):
    listener = template.listener({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}})
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    template.create("ListenerRule", ListenerArn=listener, Priority=1, Conditions=[condition], Actions=[answer])
    request = {"method": "GET", "path": "/", "query": "", "headers": [], "source_ip": "127.0.0.1"}

    found = template.describe().listeners[listener]

    assert found.action(Facts(**request | met)).status == 200
    assert found.action(Facts(**request | not_met)).status == 404


def test_a_path_to_check_may_have_a_query(template):
    arn = template.create("TargetGroup", Port=80, Protocol="HTTP", HealthCheckPath="/health?a=1&b=<2>")

    assert template.describe().groups[arn].check.path == "/health?a=1&b=<2>"
