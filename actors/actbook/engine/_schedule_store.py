"""Schedules in the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

import msgspec

from actbook.actors import wall_clock
from actbook.engine._errors import ScheduleNotFoundError
from actbook.events import (
    SCHEDULES,
    Append,
    Appended,
    Draft,
    Event,
    Schedule,
    ScheduleAdded,
    ScheduleListed,
    ScheduleRemoved,
    ScheduleUnlisted,
    evolve_schedule,
    fold_schedule,
    schedule_stream,
)
from actbook.journal import ConflictError, Journal

SNAPSHOT_EVERY = 100
"""Events of a schedule that are read again at most."""


class ScheduleStore:
    """Loads schedules, and writes what was decided about them."""

    def __init__(self, journal: Journal, clock: Callable[[], int] = wall_clock) -> None:
        self._journal = journal
        self._clock = clock

    async def ids(self, user_id: str | None = None) -> list[str]:
        """Schedules that were not removed, oldest first; of one user, or of all."""
        listed: dict[str, None] = {}
        for envelope in await self._journal.read_stream(SCHEDULES):
            event = envelope.payload
            if isinstance(event, ScheduleListed) and user_id in (None, event.user_id):
                listed[event.schedule_id] = None
            elif isinstance(event, ScheduleUnlisted):
                listed.pop(event.schedule_id, None)
        return list(listed)

    async def load(self, schedule_id: str) -> Schedule | None:
        """The schedule as recorded; None when there never was one of that id."""
        stream = schedule_stream(schedule_id)
        snapshot = await self._journal.latest_snapshot(stream)
        state = _decoded(snapshot.state) if snapshot is not None else None
        events = await self._journal.read_stream(stream, after=state.version if state else 0)
        return fold_schedule(events, state) if events or state else None

    async def add(self, event: ScheduleAdded) -> Schedule:
        """Records a new schedule and its place in the list, together."""
        at = self._clock()
        await self._append(event.schedule_id, event.user_id, 0, [event], at)
        return evolve_schedule(Schedule(), event, at)

    async def change(self, schedule_id: str, decide: Callable[[Schedule], Sequence[Event]]) -> Schedule:
        """Records what `decide` says of the newest state; nothing is a no-op. Raises `ScheduleNotFoundError`."""
        while True:
            schedule = await self.load(schedule_id)
            if schedule is None:
                raise ScheduleNotFoundError(schedule_id)
            events = decide(schedule)
            if not events:
                return schedule
            at = self._clock()
            try:
                await self._append(schedule_id, schedule.user_id, schedule.version, events, at)
            except ConflictError:
                continue
            for event in events:
                evolve_schedule(schedule, event, at)
            return schedule

    async def record(self, schedule: Schedule, event: Event) -> None:
        """Records what became of a moment, whatever was written meanwhile."""
        appended = await self._append(schedule.id, schedule.user_id, None, [event], self._clock())
        if appended.version % SNAPSHOT_EVERY == 0:
            state = await self.load(schedule.id)
            assert state is not None
            data = state.encode()
            await self._journal.put_snapshot(
                schedule_stream(state.id), state.version, data, sha256(data).digest()
            )

    async def _append(
        self, schedule_id: str, user_id: str, expected: int | None, events: Sequence[Event], at: int
    ) -> Appended:
        drafts = [Draft(event, at) for event in events]
        listing = [Draft(entry, at) for event in events if (entry := _entry(schedule_id, event)) is not None]
        also = (Append(SCHEDULES, None, listing, user_id),) if listing else ()
        return await self._journal.append(
            Append(schedule_stream(schedule_id), expected, drafts, user_id, also=also)
        )


def _entry(schedule_id: str, event: Event) -> Event | None:
    """What an event changes in the list of schedules."""
    if isinstance(event, ScheduleAdded):
        return ScheduleListed(schedule_id, event.user_id)
    return ScheduleUnlisted(schedule_id) if isinstance(event, ScheduleRemoved) else None


def _decoded(data: bytes) -> Schedule | None:
    try:
        return Schedule.decode(data)
    except msgspec.MsgspecError:
        # Another version's snapshot: the events say the same.
        return None
