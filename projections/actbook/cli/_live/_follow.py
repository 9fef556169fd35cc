"""The events of one execution as they come, beginning with those that are recorded already."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from actbook.events import Envelope

if TYPE_CHECKING:
    from actbook.engine import Engine


class Follower:
    """Collects an execution's events; `take` gives those since the last time, in order and once each.

    What this process commits comes as it is, without reading it back; what another one commits is read from
    the journal.
    """

    def __init__(self, engine: Engine, execution_id: str) -> None:
        self._engine = engine
        self._id = execution_id
        self._events: deque[Envelope] = deque()
        self._version = 0
        self._news = asyncio.Event()
        self._stop: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Begins to listen, then reads what was there before: nothing falls between."""
        journal = self._engine.journal
        if self._engine.is_owner:
            self._stop = journal.on_recorded(self._add)
        else:
            after = await journal.last_position()
            task = asyncio.create_task(self._subscribe(after))
            self._stop = lambda: _cancel(task)
        past = await journal.read_stream(self._id)
        self._events.extendleft(reversed(past))
        self._news.set()

    async def wait(self, timeout: float | None) -> None:
        """Returns when there is news, or after `timeout` seconds if that is not None."""
        try:
            async with asyncio.timeout(timeout):
                await self._news.wait()
        except TimeoutError:
            return

    def take(self) -> list[Envelope]:
        """What came since the last call."""
        self._news.clear()
        taken: list[Envelope] = []
        while self._events:
            envelope = self._events.popleft()
            if envelope.version > self._version:
                self._version = envelope.version
                taken.append(envelope)
        return taken

    @property
    def version(self) -> int:
        """Up to which version of the stream they were taken."""
        return self._version

    def close(self) -> None:
        """Listens no more."""
        self._stop()

    def _add(self, envelopes: Iterable[Envelope]) -> None:
        mine = [each for each in envelopes if each.stream_id == self._id]
        if mine:
            self._events.extend(mine)
            self._news.set()

    async def _subscribe(self, after: int) -> None:
        from actbook.projections import EventFilter

        events = self._engine.subscribe(EventFilter(streams=(self._id,)), after)
        try:
            async for envelope in events:
                self._add([envelope])
        finally:
            await events.aclose()


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
