"""One event on its way to the bus."""

from __future__ import annotations

import asyncio
import random
from time import time_ns

from actbook.bridge._cancellation import heed_cancellation
from actbook.bridge._relay_ledger import Ledger, SetAside, Track, aside
from actbook.bridge._relay_outbox import Unreadable
from actbook.bridge._relay_publisher import BusUnavailableError, Publisher, Recollecting, RefusedError
from actbook.bridge._relay_tally import Tally
from actbook.bridge._relay_thread import in_thread
from actbook.events import Envelope

FIRST_PAUSE, MOST_PAUSE = 0.05, 5.0
"""Seconds between attempts: twice as long each time."""
_PATIENCE = 6
"""How often an event may fail for a reason nobody knows before it is set aside."""


class Delivery:
    """Brings events to the bus for as long as one claim lasts.

    Up to the position `horizon` an earlier relay may have published more than it recorded: if the bus can tell what it has,
    it is asked, once per stream.
    """

    def __init__(
        self, publisher: Publisher, ledger: Ledger, track: Track, horizon: int, tally: Tally
    ) -> None:
        self._publisher = publisher
        self._recall = publisher if isinstance(publisher, Recollecting) else None
        self._ledger = ledger
        self._track = track
        self._horizon = horizon
        self._tally = tally
        self._on_bus: dict[str, int] = {}

    async def deliver(self, event: Envelope | Unreadable) -> None:
        """Returns when the event is on the bus, or set aside."""
        if isinstance(event, Unreadable):
            await self._set_aside(aside(event.row, event.reason, now()))
            return
        pause, attempts = FIRST_PAUSE, 0
        while True:
            try:
                await self._bring(event)
                return
            except RefusedError as error:
                reason = error.reason
                attempts = _PATIENCE
            except Exception as error:
                heed_cancellation()
                reason = f"{type(error).__name__}: {error}"
                self._tally.failed(error)
                attempts += not isinstance(error, BusUnavailableError)
            if attempts >= _PATIENCE:
                await self._set_aside(aside(event, reason, now()))
                return
            await asyncio.sleep(pause * random.SystemRandom().uniform(0.5, 1.0))
            pause = min(pause * 2, MOST_PAUSE)

    async def _bring(self, event: Envelope) -> None:
        there = await self._is_there(event)
        if not there:
            await self._publisher.publish(event)
        self._tally.told(published=not there)
        if not there and event.position in self._tally.left_aside:
            await in_thread(self._ledger.take_back, self._track.name, event.position)
            self._tally.left_aside.discard(event.position)

    async def _is_there(self, event: Envelope) -> bool:
        if self._recall is None or event.position > self._horizon:
            return False
        known = self._on_bus.get(event.stream_id)
        if known is None:
            known = self._on_bus[event.stream_id] = await self._recall.last_version(event.stream_id)
        return event.version <= known

    async def _set_aside(self, left: SetAside) -> None:
        await in_thread(self._ledger.set_aside, self._track.name, self._track.epoch, left)
        self._tally.left_out(left)


def now() -> int:
    """µs since the epoch."""
    return time_ns() // 1000
