"""What there is, kept up to date: listeners, and pools of targets whose health is watched."""

import asyncio
from collections.abc import Callable

from samhost.elb.actions import Forward
from samhost.elb.description import Description, Listener
from samhost.elb.health import passes
from samhost.elb.network import Address, Network
from samhost.elb.targets import Pool, RegisteredTarget


class Balancing:
    """Chooses a target for each request, out of the last description."""

    def __init__(self, network: Network, log: Callable[[str], None]):
        """Find targets in a network; `log` takes a line for each change."""
        self._network = network
        self._log = log
        self._listeners: dict[str, Listener] = {}
        self._pools: dict[str, Pool] = {}
        self._watchers: dict[RegisteredTarget, asyncio.Task] = {}

    def update(self, description: Description) -> None:
        """Take over what there is now: watch new targets, and let go of those that are deregistered."""
        self._listeners = dict(description.listeners)
        for arn in self._pools.keys() - description.groups.keys():
            for gone in self._pools.pop(arn).targets.values():
                self._let_go(gone, 0)
        for arn, group in description.groups.items():
            pool = self._pools.setdefault(arn, Pool(group))
            new, gone = pool.update(group)
            for target in new:
                self._log(f"{group.name} {target.target.id}:{target.target.port} is registered")
                self._watchers[target] = asyncio.create_task(self._watch(pool, target))
            for target in gone:
                self._log(f"{group.name} {target.target.id}:{target.target.port} is deregistered")
                self._let_go(target, group.deregistration_delay)

    def listener(self, arn: str) -> Listener | None:
        """A listener as it is now; None where it is there no more."""
        return self._listeners.get(arn)

    def next(self, forward: Forward, share: float) -> tuple[RegisteredTarget, Address] | None:
        """The target whose turn it is; `share` in [0, 1) says which of the groups. None where there is none."""
        pool = self._pools.get(forward.group(share) or "")
        target = pool.next() if pool else None
        address = self._network.address(target.target) if target else None
        return (target, address) if target and address else None

    def close(self) -> None:
        """Stop watching."""
        for watcher in self._watchers.values():
            watcher.cancel()
        self._watchers.clear()

    def _let_go(self, target: RegisteredTarget, seconds: float) -> None:
        target.drain(seconds)
        self._watchers.pop(target).cancel()

    async def _watch(self, pool: Pool, target: RegisteredTarget) -> None:
        """Check a target's health in each interval, however long a check takes, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            check, address = pool.group.check, self._network.address(target.target)
            if target.record(address is not None and await passes(check, address), check):
                self._log(f"{pool.group.name} {target.target.id}:{target.target.port} is {target.state}")
            await asyncio.sleep(began + check.interval - loop.time())
