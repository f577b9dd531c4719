"""What was made lately, kept up to so many bytes; what several ask for at once is made once."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable


class Cache:
    """Bytes by key, those that were used last kept longest. For one event loop."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes, self._bytes = max_bytes, 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._in_making: dict[Hashable, asyncio.Task[bytes]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return what is kept under the key, or what `make` makes, which is then kept. Raises what `make` does."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if key not in self._in_making:
            self._in_making[key] = asyncio.ensure_future(self._make(key, make))
        return await asyncio.shield(self._in_making[key])  # whoever leaves takes it from nobody else

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        try:
            made = await make()
        finally:
            del self._in_making[key]
        self._kept[key] = made
        self._bytes += len(made)
        while self._bytes > self._max_bytes:
            self._bytes -= len(self._kept.popitem(last=False)[1])
        return made
