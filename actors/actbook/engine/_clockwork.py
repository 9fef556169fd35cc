"""Clockwork: runs schedules when they are due. Only the owner of a store has it going."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Protocol
from weakref import WeakValueDictionary

from actbook.actors import Alarms
from actbook.engine._errors import NotFoundError
from actbook.engine._schedule_store import ScheduleStore
from actbook.events import (
    Envelope,
    Event,
    Schedule,
    ScheduleAdded,
    ScheduleChanged,
    ScheduleFired,
    SchedulePaused,
    ScheduleRefused,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleSkipped,
    due,
    schedule_of,
)
from actbook.graphs import ActbookError

logger = logging.getLogger("actbook.schedules")

SCHEDULE_NEWS = frozenset(
    kind.TOPIC for kind in (ScheduleAdded, ScheduleChanged, SchedulePaused, ScheduleResumed, ScheduleRemoved)
)
"""What another process may have changed about a schedule."""

_LONGEST_PAUSE = 300.0


class Runs(Protocol):
    """Where scheduled executions go."""

    async def submit(self, schedule: Schedule, due: int) -> str:
        """Accepts the execution for that moment, the same one however often it is asked for; its id.

        Raises `NotFoundError` or `ValueError` when it can't be accepted; anything else is asked again later.
        """
        ...

    async def is_over(self, execution_id: str) -> bool:
        """Whether an execution has ended."""
        ...


class Clockwork:
    """An alarm per active schedule, for its next moment. Nothing polls.

    An execution is submitted under a key made of schedule and moment before that is recorded, so a crash in between runs
    it once. A store that fails is asked again later; meanwhile the moment counts as due.
    """

    def __init__(
        self,
        store: ScheduleStore,
        alarms: Alarms,
        *,
        clock: Callable[[], int],
        background: Callable[[Awaitable[None]], object],
        retry_after: float = 1.0,
    ) -> None:
        self._store = store
        self._alarms = alarms
        self._clock = clock
        self._background = background
        self._retry_after = retry_after
        self._runs: Runs | None = None
        self._going = False
        self._pauses: dict[str, float] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def connect(self, runs: Runs) -> None:
        """Who accepts the executions."""
        self._runs = runs

    async def start(self) -> None:
        """Sets an alarm for every schedule of the store; what came due before rings at once."""
        self._going = True
        for schedule_id in await self._store.ids():
            await self.look(schedule_id)

    def stop(self) -> None:
        """No schedule runs here any more."""
        self._going = False
        self._alarms.close()

    def heard(self, news: Iterable[Envelope]) -> None:
        """Looks at the schedules that another process wrote to."""
        if self._going:
            for schedule_id in {schedule_of(event.stream_id) for event in news} - {None}:
                self._background(self._attempt(str(schedule_id), self.look))

    async def look(self, schedule_id: str) -> None:
        """Sets the alarm of a schedule anew, from what is recorded."""
        if not self._going:
            return
        async with self._lock(schedule_id):
            schedule = await self._store.load(schedule_id)
            if schedule is not None:
                self._arm(schedule)

    def _arm(self, schedule: Schedule) -> None:
        if not self._going:
            return
        try:
            moment = schedule.next_due()
        except ActbookError as error:
            logger.error("Schedule #%s can't run here: %s", schedule.id, error)
            moment = None
        if moment is None:
            self._alarms.cancel(schedule.id)
        else:
            self._alarms.set(schedule.id, moment, partial(self._ring, schedule.id))

    def _ring(self, schedule_id: str) -> None:
        self._background(self._attempt(schedule_id, self._run_due))

    async def _attempt(self, schedule_id: str, work: Callable[[str], Awaitable[None]]) -> None:
        """Once more later when the machine, not the request, was at fault."""
        try:
            await work(schedule_id)
        except Exception as error:
            if not self._going:
                return
            pause = self._pauses.get(schedule_id, self._retry_after)
            self._pauses[schedule_id] = min(2 * pause, _LONGEST_PAUSE)
            logger.error("Schedule #%s is tried again in %g seconds: %r", schedule_id, pause, error)
            self._alarms.set(schedule_id, self._clock() + int(pause * 1e6), partial(self._ring, schedule_id))
        else:
            self._pauses.pop(schedule_id, None)

    async def _run_due(self, schedule_id: str) -> None:
        async with self._lock(schedule_id):
            schedule = await self._store.load(schedule_id)
            if schedule is None or not self._going:
                return
            now = due(schedule, self._clock())
            if now.missed is not None:
                await self._store.record(schedule, now.missed)
            for moment in now.fires:
                outcome = await self._fire(schedule, moment)
                await self._store.record(schedule, outcome)
                if isinstance(outcome, ScheduleFired):
                    schedule.last_execution = outcome.execution_id
            self._arm(await self._store.load(schedule_id) or schedule)

    async def _fire(self, schedule: Schedule, moment: int) -> Event:
        runs, before = self._runs, schedule.last_execution
        assert runs is not None, "connect() comes before start()"
        if schedule.spec.overlap == "skip" and before and not await runs.is_over(before):
            return ScheduleSkipped(moment, before)
        try:
            return ScheduleFired(moment, await runs.submit(schedule, moment))
        except (NotFoundError, ValueError) as error:
            logger.warning("Schedule #%s was refused its execution: %s", schedule.id, error)
            return ScheduleRefused(moment, str(error) or type(error).__name__)

    def _lock(self, schedule_id: str) -> asyncio.Lock:
        """One at a time per schedule."""
        lock = self._locks.get(schedule_id)
        if lock is None:
            self._locks[schedule_id] = lock = asyncio.Lock()
        return lock
