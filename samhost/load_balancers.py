"""The load balancers of a deployed template: a local port for each of their listeners, and the process behind them."""

import json
from dataclasses import dataclass, field

from samhost.deployment import stack_resources
from samhost.elb.description import HTTP, describe, groups_of
from samhost.elb.errors import DescriptionError
from samhost.errors import EngineAwayError
from samhost.gateway.engine import connected
from samhost.gateway.signing import Credentials
from samhost.processes import Child, accepts_connections, free_ports
from samhost.settings import HOST, REGION, ROOT_CREDENTIALS, Settings

LISTENER = "AWS::ElasticLoadBalancingV2::Listener"


@dataclass(frozen=True)
class LoadBalancers:
    """The listeners that are served, each with its address here, and what there is to say of others."""

    listeners: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


async def find_load_balancers(settings: Settings) -> LoadBalancers:
    """Find the listeners of the stack, and write to a file what the process is to serve.

    Raises EngineAwayError.
    """
    names = {arn: name for name, arn in stack_resources(settings, LISTENER).items()}
    if not names:
        return LoadBalancers()
    root = Credentials(ROOT_CREDENTIALS["AWS_ACCESS_KEY_ID"], ROOT_CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    with connected(settings.engine_url, REGION, root) as engine:
        try:
            there = await describe(engine)
        except (ConnectionError, TimeoutError, DescriptionError) as error:
            raise EngineAwayError(error) from error
    found = [(name, there.listeners[arn]) for arn, name in names.items() if arn in there.listeners]
    notes = [f"Not served: {name}: {reason}" for name, listener in found for reason in listener.refused]
    served = [(name, listener) for name, listener in found if listener.is_served]
    groups = {arn for _, listener in served for arn in groups_of(listener.rules)}
    notes += [
        f"Left out: {there.groups[arn].name}: nothing here acts on {attribute}"
        for arn in sorted(groups & there.groups.keys())
        for attribute in there.groups[arn].not_acted_on
    ]
    listeners = [
        {
            "name": name,
            "listener": listener.arn,
            "loadBalancer": listener.load_balancer,
            "dnsName": listener.dns_name,
            "protocol": listener.protocol,
            "port": listener.port,
            "address": f"{HOST}:{port}",
        }
        for (name, listener), port in zip(served, free_ports(len(served)), strict=True)
    ]
    config = {"engine": settings.engine_url, "region": REGION, "listeners": listeners}
    settings.load_balancers_file.write_text(json.dumps(config, indent=1))
    return LoadBalancers(listeners, notes)


def load_balancers(settings: Settings) -> Child:
    """The process that serves the listeners."""

    async def ready() -> bool:
        config = json.loads(settings.load_balancers_file.read_text())
        return all([await accepts_connections(int(each["address"].split(":")[1])) for each in config["listeners"]])

    arguments = ["samhost.elb", "--config", str(settings.load_balancers_file)]
    log_file = settings.logs_dir / "load-balancers.log"
    return Child("load-balancers", arguments, settings.client_environment(), log_file, ready)


def listener_url(listener: dict) -> str:
    """Where a listener listens, as a URL."""
    return f"{'http' if listener['protocol'] == HTTP else 'tcp'}://{listener['address']}"
