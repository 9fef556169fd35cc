"""Keeps views up with a journal."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from actbook.journal import Journal, Recorded
from actbook.projections._built_in import BUILT_IN
from actbook.projections._errors import LagError, RunnerClosedError, UnknownProjectionError
from actbook.projections._parking import ParkedEvent, parked_events
from actbook.projections._projection import Projection, names_of
from actbook.projections._replaying import replay_parked
from actbook.projections._status import Lag, ProjectionStatus, statuses
from actbook.projections._waiters import Waiters
from actbook.projections._worker import Worker

T = TypeVar("T")

_HANDED_OVER = 16_384
"""Most events kept in memory for the thread; what goes beyond it reads from the log."""


class Runner:
    """Projections of one journal, filled by a thread of their own. Everything is called on the journal's event loop.

    Exactly once: rows and position change in one transaction, and a second runner on the same file, in
    whatever process, finds that out and goes on from where the first one is. `active=False` creates the
    tables and leaves the work to another process until `activate` is called.
    """

    def __init__(
        self, journal: Journal, projections: Sequence[type[Projection]] = BUILT_IN, *, active: bool = True
    ) -> None:
        self._journal = journal
        self._active = active
        self._following = False
        self._names = names_of(projections)
        self._loop = asyncio.get_running_loop()
        self._waiters = Waiters(self._awaited)
        instances = [projection() for projection in projections]
        self._worker = Worker(journal.store, instances, self._progressed, lambda: journal.is_busy)
        self._sent = 0
        self._told = 0
        self._stop_listening: list[Callable[[], None]] = []
        self._running = False

    async def start(self) -> None:
        """Returns when the tables are there. What they lack is added in the background."""
        self._worker.start()
        self._running = True
        try:
            await self._call(self._worker.prepare)
            if self._active:
                await self.activate()
        except BaseException:
            await self.close()
            raise

    async def activate(self) -> None:
        """Begins to follow the journal."""
        if self._following:
            return
        self._following = True
        self._stop_listening = [
            self._journal.on_recorded(self._recorded),
            self._journal.on_commit(self._committed),
        ]
        await self._call(self._worker.follow)

    async def wait(self, position: int, timeout: float = 5.0, name: str | None = None) -> None:
        """Returns when the rows hold everything up to `position`: of one projection, or of all that are not paused.

        Raises `LagError` after `timeout` seconds, `UnknownProjectionError`.
        """
        if name is not None and name not in self._names:
            raise UnknownProjectionError(name, self._names)
        reached = partial(self._reached, position, name)
        if reached():
            return
        if position > self._told:
            self._worker.put(self._worker.look)
        if not await self._wait(reached, timeout):
            raise LagError(position, self._applied(name), timeout)

    async def lag(self) -> Lag:
        """Of the projection furthest behind, paused ones aside."""
        lags = [status.lag for status in await self.status() if status.state != "paused"]
        return max(lags, key=lambda lag: lag.events, default=Lag(0, 0.0))

    async def status(self) -> list[ProjectionStatus]:
        """Of each projection, by name."""
        return await self._call(self._status)

    async def pause(self, name: str) -> None:
        """Lets the rows stand as they are, also after a restart. Raises `UnknownProjectionError`, as all below."""
        await self._call(lambda: self._worker.lanes.pause(name, True))

    async def resume(self, name: str) -> None:
        """Goes on where `pause` stopped."""
        await self._call(lambda: self._worker.lanes.pause(name, False))

    async def rewind(self, name: str) -> None:
        """Empties the table and fills it again from the first event; readers see it grow."""
        await self._call(lambda: self._worker.lanes.rewind(name))

    async def rebuild(self, name: str, timeout: float | None = 3600.0) -> None:
        """Fills a new table beside the old one, which readers keep until the two are exchanged.

        Returns after the exchange; with `timeout=None` at once. Raises `LagError` after `timeout` seconds;
        the rebuild goes on.
        """
        await self._call(lambda: self._worker.lanes.rebuild(name))
        if timeout is not None and not await self._wait(lambda: name not in self._worker.rebuilding, timeout):
            raise LagError(self._worker.feed.head, self._applied(name), timeout)

    async def parked(self, name: str | None = None) -> list[ParkedEvent]:
        """Events that a projection could not process, with those behind them in their streams."""
        return await self._call(lambda: parked_events(self._worker.lanes.tracking.connection, name))

    def connect(self) -> sqlite3.Connection:
        """A read-only connection to the tables, for SQL of one's own; whoever asked closes it. Blocks for a moment."""
        return self._journal.store.open_views_reader()

    async def replay_parked(self, name: str, stream_id: str | None = None) -> int:
        """Tries parked events again and returns how many succeeded; a stream stops at its first failure."""
        worker, store = self._worker, self._journal.store
        return await self._call(lambda: replay_parked(store, worker.lanes, worker.applying, name, stream_id))

    async def close(self) -> None:
        """Applies what is committed, for two seconds at most, and ends the thread. Before the journal is closed."""
        for stop in self._stop_listening:
            stop()
        self._stop_listening = []
        if self._running:
            self._running = False
            self._worker.put(None)
            self._worker.hasten()
            await asyncio.to_thread(self._worker.join)

    def _recorded(self, events: Recorded) -> None:
        if self._sent - self._worker.feed.taken <= _HANDED_OVER:
            self._sent += len(events)
            self._told = events.last_position
            self._worker.put(events)

    def _committed(self, position: int) -> None:
        if position > self._told:
            self._told = position
            self._worker.put(position)

    async def _wait(self, ready: Callable[[], bool], timeout: float) -> bool:
        if not self._running:
            raise RunnerClosedError
        if self._following:
            return await self._waiters.wait(ready, timeout)
        return await self._look_until(ready, timeout)

    async def _look_until(self, ready: Callable[[], bool], timeout: float) -> bool:
        """Another process fills the tables and can't tell when it is done: looks there again and again."""
        deadline = self._loop.time() + timeout
        pause = 0.002
        while True:
            await self._call(self._worker.reload)
            if ready() or self._loop.time() >= deadline:
                return ready()
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.1)

    def _awaited(self, awaited: bool) -> None:
        self._worker.awaited = awaited
        if awaited:
            self._worker.hasten()

    def _reached(self, position: int, name: str | None) -> bool:
        return self._applied(name) >= position

    def _applied(self, name: str | None) -> int:
        positions = self._worker.positions
        if name is not None:
            return positions.get(name, -1)
        return min(positions.values(), default=-1)

    def _progressed(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._waiters.settle)
        except RuntimeError:
            return

    def _status(self) -> list[ProjectionStatus]:
        worker = self._worker
        return statuses(self._journal.store, worker.lanes, worker.failure)

    async def _call(self, work: Callable[[], T]) -> T:
        """Result of `work`, done on the projections' thread."""
        if not self._running:
            raise RunnerClosedError
        answer: asyncio.Future[T] = self._loop.create_future()

        def answered(result: T | None, error: BaseException | None) -> None:
            if answer.done():
                return
            if error is None:
                answer.set_result(result)  # type: ignore[arg-type]
            else:
                answer.set_exception(error)

        def command() -> None:
            result, error = None, None
            try:
                result = work()
                self._worker.publish()
            except Exception as raised:
                error = raised
            self._loop.call_soon_threadsafe(answered, result, error)

        self._worker.put(command)
        self._worker.hasten()
        return await answer
