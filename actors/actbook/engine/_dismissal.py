"""Dismissal: what a worker does that others took for dead, because it showed no sign of life for longer than its lease."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from actbook.events import Append, Appended
from actbook.journal import StoreFencedError

if TYPE_CHECKING:
    from actbook.engine._host import Host

logger = logging.getLogger("actbook.engine")

BACK = 30.0
"""Seconds beyond a lease that are waited for a dismissed worker to be one again."""


class Dismissal:
    """Others run what this worker ran: it forgets all of that, and goes on as another one."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._afresh = asyncio.Event()
        self._under_way = False

    @property
    def afresh(self) -> asyncio.Event:
        """Set when this process is a worker again, for the first time included."""
        return self._afresh

    def over(self) -> None:
        """This process is a worker (again)."""
        self._under_way = False
        afresh, self._afresh = self._afresh, asyncio.Event()
        afresh.set()

    def begin(self) -> None:
        """Ends everything that runs here without a word to the journal, then asks to be a worker again."""
        if not self._under_way:
            self._under_way = True
            self._host.environment.background(self._forget_all())

    async def append(self, append: Append, *, urgent: bool = False) -> Appended:
        """Appends what every process may write: a dismissed worker does as the one that it becomes."""
        while True:
            afresh = self._afresh
            try:
                return await self._host.journal.append(append, lead=urgent and self._host.environment.at_rest)
            except StoreFencedError:
                if not await self.is_over(afresh):
                    raise

    async def is_over(self, afresh: asyncio.Event) -> bool:
        """Waits until this process is a worker again; `afresh` is from before. False when that takes too long, or never comes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._host.settings.lease + BACK):
                await afresh.wait()
                return not self._host.closed
        return False

    async def _forget_all(self) -> None:
        host = self._host
        logger.error("Worker %s was taken for dead; it goes on as another one.", host.worker)
        await host.supervisor.terminate()
        fenced = StoreFencedError(getattr(host.journal.store, "path", ""), "this worker was taken for dead")
        for promise in host.promises:
            if not promise.done():
                promise.set_exception(fenced)
        await host.journal.settled()
        if not host.closed:
            host.rejoin()
