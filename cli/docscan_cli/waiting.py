"""Looking again and again at what others change: how long to wait between two looks, and when to give up."""

from time import monotonic

from docscan_cli import retry

FIRST_LOOK = 0.2
LONGEST_LOOK = 5.0
"""Seconds between two looks: short after a change, longer and longer without one."""


class Watch:
    """The time since something has changed, and pauses between looks that fit to it."""

    def __init__(self, patience: float) -> None:
        """`patience` is in seconds: how long nothing may change until it is `over`."""
        self._patience = patience
        self._changed_at = monotonic()
        self._interval = 0.0

    @property
    def over(self) -> bool:
        """Whether nothing has changed for so long that it is time to give up."""
        return monotonic() - self._changed_at > self._patience

    def changed(self) -> None:
        """Note that something has changed just now."""
        self._changed_at = monotonic()

    async def pause(self, *, changed: bool, shortest: float = FIRST_LOOK) -> None:
        """Wait until the next look; `changed` says whether the last one brought news."""
        self._interval = shortest if changed else min(max(self._interval * 1.5, shortest), LONGEST_LOOK)
        await retry.pause(self._interval)
