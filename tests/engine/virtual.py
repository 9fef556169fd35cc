"""A clock that stands still until a test moves it, and the clockwork of schedules on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from actbook.actors import Alarms
from actbook.engine._clockwork import Clockwork
from actbook.engine._schedule_store import ScheduleStore
from actbook.events import Schedule, ScheduleAdded, ScheduleSpec, as_datetime, schedule_stream
from actbook.journal import Journal

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
MIDNIGHT = 1_767_225_600 * SECOND
"""2026-01-01 00:00 UTC."""


class Timer:
    def __init__(self, at: int, callback: Callable[[], object]) -> None:
        self.at = at
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Time:
    """`now` in microseconds. What is due runs when the test moves on; work in the background is waited for."""

    def __init__(self, now: int = MIDNIGHT) -> None:
        self.now = now
        self._timers: list[Timer] = []
        self._work: set[asyncio.Task[None]] = set()

    def clock(self) -> int:
        return self.now

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        timer = Timer(self.now + int(seconds * SECOND), callback)
        self._timers.append(timer)
        return timer

    def background(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        self._work.add(task := asyncio.get_running_loop().create_task(run()))
        task.add_done_callback(self._work.discard)

    async def settle(self) -> None:
        while self._work:
            await asyncio.gather(*self._work)

    async def until(self, moment: int) -> None:
        """Lets the timers ring one after the other up to a moment."""
        await self.settle()
        while due := [each for each in self._timers if not each.cancelled and each.at <= moment]:
            timer = min(due, key=lambda each: each.at)
            self._timers.remove(timer)
            self.now = max(self.now, timer.at)
            timer.callback()
            await self.settle()
        self.now = moment

    def alarms(self) -> Alarms:
        return Alarms(clock=self.clock, call_later=self.call_later)


class Runs:
    """Takes note of what is submitted. `over`: executions that ended; `fault`: raised instead."""

    def __init__(self) -> None:
        self.submitted: list[str] = []
        self.over: set[str] = set()
        self.fault: Exception | None = None

    async def submit(self, schedule: Schedule, due: int) -> str:
        if self.fault is not None:
            raise self.fault
        execution_id = f"{schedule.name}@{as_datetime(due):%H:%M}"
        if execution_id not in self.submitted:
            self.submitted.append(execution_id)
        return execution_id

    async def is_over(self, execution_id: str) -> bool:
        return execution_id in self.over


class Place:
    """A store with its clockwork, which a test may stop and set up again."""

    def __init__(self, journal: Journal, time: Time) -> None:
        self.journal = journal
        self.time = time
        self.runs = Runs()
        self.store = ScheduleStore(journal, time.clock)
        self.clockwork = self._set_up()

    def _set_up(self) -> Clockwork:
        clockwork = Clockwork(
            self.store,
            self.time.alarms(),
            clock=self.time.clock,
            background=self.time.background,
            retry_after=1.0,
        )
        clockwork.connect(self.runs)
        return clockwork

    async def restart(self) -> None:
        """Another owner comes."""
        self.clockwork.stop()
        self.clockwork = self._set_up()
        await self.clockwork.start()

    async def add(self, name: str = "s", cron: str = "0 * * * *", **spec: Any) -> Schedule:
        schedule = await self.store.add(ScheduleAdded(name, "ada", name, ScheduleSpec("g", cron, **spec)))
        await self.clockwork.look(name)
        return schedule

    async def at(self, hours: float) -> None:
        """Moves on to so many hours after midnight."""
        await self.time.until(MIDNIGHT + int(hours * HOUR))

    async def topics(self, name: str = "s") -> list[str]:
        return [each.topic for each in await self.journal.read_stream(schedule_stream(name))]

    async def state(self, name: str = "s") -> Schedule:
        state = await self.store.load(name)
        assert state is not None
        return state


@asynccontextmanager
async def place(url: str = "memory:") -> AsyncIterator[Place]:
    """A clockwork that goes, at midnight."""
    journal = await Journal.open(url)
    here = Place(journal, Time())
    await here.clockwork.start()
    try:
        yield here
    finally:
        here.clockwork.stop()
        await journal.close()
