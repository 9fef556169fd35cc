"""Who waits for the tables to get somewhere. Lives on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

Ready = Callable[[], bool]


class Waiters:
    """`changed` tells whether anybody waits."""

    def __init__(self, changed: Callable[[bool], None]) -> None:
        self._waiting: dict[asyncio.Future[None], Ready] = {}
        self._changed = changed

    async def wait(self, ready: Ready, timeout: float) -> bool:
        """Returns True as soon as it is so, False after `timeout` seconds."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = ready
        self._changed(True)
        try:
            if ready():
                return True
            async with asyncio.timeout(timeout):
                await future
        except TimeoutError:
            return ready()
        finally:
            del self._waiting[future]
            if not self._waiting:
                self._changed(False)
        return True

    def settle(self) -> None:
        """Something changed: lets those go on whose time has come."""
        for future, ready in list(self._waiting.items()):
            if not future.done() and ready():
                future.set_result(None)
