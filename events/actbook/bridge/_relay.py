"""Relay: the journal is the outbox, and this carries it out."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import aclosing, suppress
from typing import NamedTuple

from actbook.bridge._cancellation import heed_cancellation
from actbook.bridge._relay_delivery import FIRST_PAUSE, MOST_PAUSE, Delivery, now
from actbook.bridge._relay_lanes import Lanes
from actbook.bridge._relay_ledger import Ledger, Track
from actbook.bridge._relay_outbox import Unreadable, outbox
from actbook.bridge._relay_publisher import BusError, Publisher
from actbook.bridge._relay_tally import Tally
from actbook.bridge._relay_thread import in_thread
from actbook.bridge._relay_turn import turn_for
from actbook.events import Envelope
from actbook.journal import Journal, JournalClosedError, JournalError

_PACE = 0.1
"""Seconds between two records of the position at least; a crash repeats what was published since the last one."""


class RelayStatus(NamedTuple):
    """`state`: "starting", "standing by", "relaying" or "closed". `behind`: events not dealt with; `lag`: seconds since the
    oldest of them was recorded. `failure`: what goes wrong just now, or empty. `set_aside`: events the bus refused.
    """

    name: str
    state: str
    position: int
    behind: int
    lag: float
    published: int
    repeated: int
    set_aside: int
    failure: str


class Relay:
    """Publishes every event of a journal, each stream in its order, from where the last relay of this name stopped.

    The position is recorded behind what was published: a crash in between publishes those events again, under the same ids,
    unless the bus can tell that it has them. Of several relays of one name on a store one works and the others stand by. An
    event that the bus refuses is set aside and recorded as such; the later events of its stream go on, with the gap in
    their versions. Used on the journal's loop; nothing blocks it.
    """

    def __init__(
        self,
        journal: Journal,
        publisher: Publisher,
        *,
        name: str,
        worker: str = "",
        in_flight: int = 64,
        window: int = 2000,
    ) -> None:
        self.name = name
        self._journal = journal
        self._publisher = publisher
        self._worker = worker
        self._in_flight = in_flight
        self._window = window
        self._task: asyncio.Task[None] | None = None
        self._progress = asyncio.Event()
        self._tracked: list[tuple[int, asyncio.Future[None]]] = []
        self._state = "starting"
        self._position = 0
        self._tally = Tally(name)

    def start(self) -> None:
        """Begins in the background. Call once."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"actbook relay {self.name}")

    async def wait(self, position: int, timeout: float | None = None) -> None:
        """Returns when everything up to `position` is published or set aside, and recorded as such. Raises `TimeoutError`."""
        if self._position >= position:
            return
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tracked.append((position, reached))
        async with asyncio.timeout(timeout):
            await reached

    async def status(self) -> RelayStatus:
        """How far it is."""
        tally = self._tally
        head = await self._journal.last_position()
        behind = max(head - self._position, 0)
        lag = 0.0
        if behind:
            oldest = await in_thread(self._journal.store.log_rows, self._position, 1)
            lag = max(now() - oldest[0].at, 0) / 1e6 if oldest else 0.0
        return RelayStatus(
            self.name,
            self._state,
            self._position,
            behind,
            lag,
            tally.published,
            tally.repeated,
            len(tally.left_aside),
            tally.failure,
        )

    async def close(self) -> None:
        """Stops, records the position, lets another relay take over at once. May be called twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self._state = "closed"
        for _, reached in self._tracked:
            reached.cancel()
        await self._publisher.close()

    async def _run(self) -> None:
        """Relays, and begins again after whatever went wrong."""
        pause = FIRST_PAUSE
        while not self._journal.is_closed:
            before = self._position
            try:
                await self._take_turn()
            except Exception as error:
                self._tally.failed(_first(error))
            heed_cancellation()
            pause = FIRST_PAUSE if self._position > before else min(pause * 2, MOST_PAUSE)
            await asyncio.sleep(pause)

    async def _take_turn(self) -> None:
        turn = turn_for(self._journal.store, self.name, self._worker)
        mine = asyncio.Event()
        # A call that is cancelled has opened one all the same.
        opened: list[Ledger] = []
        try:
            await turn.start(_ignore, mine.set)
            if turn.is_owner:
                mine.set()
            if not mine.is_set():
                self._state = "standing by"
            await mine.wait()
            await in_thread(lambda: opened.append(Ledger(self._journal.store)))
            await self._relay(opened[0])
        finally:
            for ledger in opened:
                ledger.close()
            await turn.close()

    async def _relay(self, ledger: Ledger) -> None:
        track = await in_thread(ledger.claim, self.name, self._worker, now())
        self._tally.left_aside = {left.position for left in await in_thread(ledger.left_aside, self.name)}
        self._state = "relaying"
        self._reach(track.position)
        horizon = await self._journal.last_position()
        delivery = Delivery(self._publisher, ledger, track, horizon, self._tally)
        lanes = Lanes(delivery.deliver, self._progress.set, self._window)
        lanes.reached = track.position
        try:
            async with (
                asyncio.TaskGroup() as tasks,
                aclosing(outbox(self._journal, track.position)) as events,
            ):
                for _ in range(self._in_flight):
                    tasks.create_task(lanes.serve())
                tasks.create_task(self._keep_track(ledger, track, lanes))
                async for position, stream_id, event in events:
                    await lanes.room()
                    lanes.add(position, stream_id, event)
                raise JournalClosedError
        finally:
            if lanes.reached > self._position:
                # What can't be recorded now is published again.
                with suppress(BusError, JournalError, sqlite3.Error):
                    await in_thread(self._record, ledger, track, lanes.reached)
                    self._reach(lanes.reached)

    async def _keep_track(self, ledger: Ledger, track: Track, lanes: Lanes[Envelope | Unreadable]) -> None:
        while True:
            await self._progress.wait()
            self._progress.clear()
            reached = lanes.reached
            if reached > self._position:
                await in_thread(self._record, ledger, track, reached)
                self._reach(reached)
                await asyncio.sleep(_PACE)

    def _record(self, ledger: Ledger, track: Track, reached: int) -> None:
        ledger.advance(self.name, track.epoch, reached, now())

    def _reach(self, position: int) -> None:
        self._position = position
        waiting, self._tracked = self._tracked, []
        for wanted, reached in waiting:
            if wanted > position:
                self._tracked.append((wanted, reached))
            elif not reached.done():
                reached.set_result(None)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _ignore() -> None:
    """Bells are the journal's."""
