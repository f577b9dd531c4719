"""What MiniStack 1.5.33 loses of load balancers on their way from the template to its API, kept.

It tells targets apart by their id alone, and on this machine all have the same, with a port each. Of templates it drops
the targets of a target group, the weights of a forward action, conditions about query strings and what a Network Load
Balancer's groups are checked by; and it writes no character of a message or a pattern so that XML can hold it.
"""

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

_NETWORK_PROTOCOLS = {"TCP", "TCP_UDP", "TLS", "UDP"}
_FLAT = {"path-pattern", "host-header", "http-request-method", "source-ip"}  # whose Values stand in both forms


def install() -> None:
    """Put the functions of this module in the place of MiniStack's own."""
    from ministack.services import alb
    from ministack.services.cloudformation import provisioners

    alb._ACTION_MAP["RegisterTargets"] = register_targets  # noqa: SLF001
    alb._ACTION_MAP["DeregisterTargets"] = deregister_targets  # noqa: SLF001
    alb._action_xml = action_xml  # noqa: SLF001
    alb._condition_xml = condition_xml  # noqa: SLF001
    alb._tg_xml = _with_escaped_path(alb._tg_xml)  # noqa: SLF001
    provisioners._elbv2_listener_actions = _with_weights(provisioners._elbv2_listener_actions)  # noqa: SLF001
    provisioners._flatten_listener_rule_conditions = conditions  # noqa: SLF001
    handlers = provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::TargetGroup"]  # noqa: SLF001
    handlers["create"], handlers["update"] = _creating(handlers["create"]), _updating(handlers["update"])


def _with_escaped_path(target_group_xml: Callable[[dict], str]) -> Callable[[dict], str]:
    def escaped(group: dict) -> str:
        return target_group_xml(group | {"HealthCheckPath": escape(group.get("HealthCheckPath", "/"))})

    return escaped


def register_targets(params: dict) -> tuple:
    """RegisterTargets: a target is an id and a port."""
    return _change_targets("RegisterTargets", params, _registered)


def deregister_targets(params: dict) -> tuple:
    """DeregisterTargets: the target of that id and port; of any port, where none is named."""
    return _change_targets("DeregisterTargets", params, _remaining)


def _change_targets(action: str, parameters: dict, change: Callable[[list, list, int], list]) -> tuple:
    from ministack.services import alb

    arn = alb._p(parameters, "TargetGroupArn")  # noqa: SLF001
    group = alb._tgs.get(arn)  # noqa: SLF001
    if group is None:
        return alb._error("TargetGroupNotFound", f"Target group '{arn}' not found.")  # noqa: SLF001
    named = alb._parse_targets_param(parameters)  # noqa: SLF001
    alb._targets[arn] = change(alb._targets.get(arn, []), named, group["Port"])  # noqa: SLF001
    return alb._empty(action)  # noqa: SLF001


def _registered(targets: list[dict], named: list[dict], port: int) -> list[dict]:
    added = [{"Id": target["Id"], "Port": int(target.get("Port", port))} for target in named]
    return targets + [target for index, target in enumerate(added) if target not in targets + added[:index]]


def _remaining(targets: list[dict], named: list[dict], port: int) -> list[dict]:
    def is_named(target: dict) -> bool:
        return any(
            target["Id"] == other["Id"] and target.get("Port", port) == int(other.get("Port", target.get("Port", port)))
            for other in named
        )

    return [target for target in targets if not is_named(target)]


def _creating(create: Callable) -> Callable:
    def create_group(logical_id: str, properties: dict, stack: str) -> tuple:
        arn, attributes = create(logical_id, _with_defaults(properties), stack)
        _replace_targets(arn, [], properties.get("Targets") or [])
        return arn, attributes

    return create_group


def _updating(update: Callable) -> Callable:
    def update_group(arn: str, old: dict, new: dict, stack: str, logical_id: str | None = None) -> tuple:
        arn, attributes = update(arn, old, _with_defaults(new), stack, logical_id)
        _replace_targets(arn, old.get("Targets") or [], new.get("Targets") or [])
        return arn, attributes

    return update_group


def _with_defaults(properties: dict) -> dict:
    """What a Network Load Balancer checks where the template does not say.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
    """
    if properties.get("Protocol") not in _NETWORK_PROTOCOLS:
        return properties
    protocol = "HTTP" if properties.get("TargetType") == "alb" else "TCP"
    return {"HealthCheckProtocol": protocol, "Matcher": {"HttpCode": "200-399"}} | properties


def _replace_targets(arn: str, old: list[dict], new: list[dict]) -> None:
    """Targets that the template names; those that somebody has registered besides stay."""
    from ministack.services import alb

    port = alb._tgs[arn]["Port"]  # noqa: SLF001
    alb._targets[arn] = _registered(_remaining(alb._targets.get(arn, []), old, port), new, port)  # noqa: SLF001


def _with_weights(load: Callable) -> Callable:
    def actions(properties: dict, load_balancer: str | None, prop: str = "DefaultActions") -> list[dict]:
        given = [action for action in properties.get(prop) or [] if isinstance(action, dict)]
        loaded = load(properties, load_balancer, prop)
        for action, entry in zip(given, loaded, strict=True):
            if "ForwardConfig" in action:
                entry["ForwardConfig"] = action["ForwardConfig"]
        return loaded

    return actions


def conditions(given: list[dict] | None) -> list[dict]:
    """The conditions of a rule in a template as the API tells them, in either of the forms that both take."""
    loaded = []
    for condition in given or []:
        entry = dict(condition)
        config = next((value for key, value in condition.items() if key.endswith("Config")), {})
        values = condition.get("Values") or (config.get("Values") if condition["Field"] in _FLAT else None)
        loaded.append(entry | {"Values": [str(value) for value in values or []]})
    return loaded


def action_xml(action: dict) -> str:
    """An action as Describe* tells it, without the secret that AWS does not tell, either."""
    secretive = {"AuthenticateOidcConfig": {"ClientSecret"}}
    told = {key: _without(value, secretive.get(key, set())) for key, value in action.items()}
    return f"<member>{_xml(told)}</member>"


def condition_xml(condition: dict) -> str:
    """A condition as DescribeRules tells it."""
    return f"<member>{_xml(condition)}</member>"


def _without(value: Any, keys: set[str]) -> Any:
    return {key: item for key, item in value.items() if key not in keys} if keys else value


def _xml(value: Any) -> str:
    """A value in the query protocol's XML."""
    if isinstance(value, dict):
        return "".join(f"<{key}>{_xml(item)}</{key}>" for key, item in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(item)}</member>" for item in value)
    return str(value).lower() if isinstance(value, bool) else escape(str(value))
