"""The state of a schedule, folded from its events, and what is due of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Literal, NamedTuple

import msgspec

from actbook.events._cron import Cron, cron_of
from actbook.events._envelope import Envelope
from actbook.events._schedule_events import (
    ScheduleAdded,
    ScheduleChanged,
    ScheduleFired,
    ScheduleMissed,
    SchedulePaused,
    ScheduleRefused,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleSkipped,
    ScheduleSpec,
)
from actbook.events._topics import Event

GRACE = 60_000_000
"""Microseconds within which a moment still counts as met; expressions know nothing shorter than a minute."""

COUNTED = 1000
"""Missed moments that are counted, at most."""

ScheduleStatus = Literal["active", "paused", "removed"]


class Schedule(msgspec.Struct):
    """A schedule as it stands. Moments are microseconds since the Unix epoch, UTC; 0: none yet.

    - `settled`: everything up to this moment was dealt with
    - `fired`, `missed`, `skipped`, `refused`: how many moments ended so; `last_due`, `last_execution` of the newest run
    """

    id: str = ""
    user_id: str = ""
    name: str = ""
    spec: ScheduleSpec = ScheduleSpec("", "")
    status: ScheduleStatus = "active"
    created_at: int = 0
    settled: int = 0
    version: int = 0
    fired: int = 0
    missed: int = 0
    skipped: int = 0
    refused: int = 0
    last_due: int = 0
    last_execution: str = ""
    last_error: str = ""

    def cron(self) -> Cron:
        """Its expression in its time zone."""
        return cron_of(self.spec.cron, self.spec.timezone)

    def next_due(self) -> int | None:
        """The first moment that was not dealt with, in the past when nobody was there; None while it is not active."""
        return self.cron().next(self.settled) if self.status == "active" else None

    def upcoming(self, after: int, limit: int = 5) -> list[int]:
        """The next moments later than `after`; none while it is not active."""
        if self.status != "active":
            return []
        return list(islice(self.cron().after(max(after, self.settled)), limit))

    def encode(self) -> bytes:
        """Snapshot bytes (MessagePack)."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Schedule:
        """State from snapshot bytes."""
        return msgspec.msgpack.decode(data, type=cls)


class Due(NamedTuple):
    """What to do now: `fires` in order, `missed` to be recorded, and when to look again."""

    fires: tuple[int, ...] = ()
    missed: ScheduleMissed | None = None
    next: int | None = None


def due(schedule: Schedule, now: int) -> Due:
    """What of a schedule is due at `now`, by its policy for missed moments."""
    if schedule.status != "active":
        return Due()
    cron = schedule.cron()
    first = cron.next(schedule.settled)
    if first is None or first > now:
        return Due(next=first)
    fires = tuple(_fires(schedule, cron, now))
    return Due(fires, _missed(schedule, cron, first, fires, now), cron.next(now))


def _fires(schedule: Schedule, cron: Cron, now: int) -> list[int]:
    spec = schedule.spec
    most = max(1, spec.catch_up) if spec.missed == "all" else 1
    since = schedule.settled if spec.missed != "skip" else max(schedule.settled, now - GRACE)
    return cron.between(since, now, most)


def _missed(
    schedule: Schedule, cron: Cron, first: int, fires: tuple[int, ...], now: int
) -> ScheduleMissed | None:
    if fires and fires[0] == first:
        return None
    [last] = cron.between(schedule.settled, fires[0] - 1 if fires else now, 1)
    return ScheduleMissed(first, last, cron.count(schedule.settled, last, COUNTED))


def evolve_schedule(schedule: Schedule, event: Event, at: int) -> Schedule:
    """Folds one event, recorded at `at`, into the state, which is changed and returned."""
    handler = _HANDLERS.get(type(event))
    if handler is not None:
        handler(schedule, event, at)
    schedule.version += 1
    return schedule


def fold_schedule(events: Iterable[Envelope], schedule: Schedule | None = None) -> Schedule:
    """The state after the events of a schedule's stream."""
    state = schedule or Schedule()
    for envelope in events:
        evolve_schedule(state, envelope.payload, envelope.at)
    return state


def _added(schedule: Schedule, event: ScheduleAdded, at: int) -> None:
    schedule.id, schedule.user_id, schedule.name = event.schedule_id, event.user_id, event.name
    schedule.spec = event.spec
    schedule.created_at = schedule.settled = at


def _changed(schedule: Schedule, event: ScheduleChanged, at: int) -> None:
    before, schedule.spec, schedule.name = schedule.spec, event.spec, event.name
    if (before.cron, before.timezone) != (event.spec.cron, event.spec.timezone):
        schedule.settled = max(schedule.settled, at)


def _paused(schedule: Schedule, _: SchedulePaused, at: int) -> None:
    if schedule.status == "active":
        schedule.status = "paused"


def _resumed(schedule: Schedule, _: ScheduleResumed, at: int) -> None:
    if schedule.status == "paused":
        schedule.status = "active"
        schedule.settled = max(schedule.settled, at)


def _removed(schedule: Schedule, _: ScheduleRemoved, at: int) -> None:
    schedule.status = "removed"


def _fired(schedule: Schedule, event: ScheduleFired, at: int) -> None:
    schedule.fired += 1
    schedule.last_due, schedule.last_execution, schedule.last_error = event.due, event.execution_id, ""
    schedule.settled = max(schedule.settled, event.due)


def _was_missed(schedule: Schedule, event: ScheduleMissed, at: int) -> None:
    schedule.missed += event.count
    schedule.settled = max(schedule.settled, event.last)


def _skipped(schedule: Schedule, event: ScheduleSkipped, at: int) -> None:
    schedule.skipped += 1
    schedule.settled = max(schedule.settled, event.due)


def _refused(schedule: Schedule, event: ScheduleRefused, at: int) -> None:
    schedule.refused += 1
    schedule.last_error = event.error
    schedule.settled = max(schedule.settled, event.due)


_HANDLERS: dict[type[Event], Callable[[Schedule, Any, int], None]] = {
    ScheduleAdded: _added,
    ScheduleChanged: _changed,
    SchedulePaused: _paused,
    ScheduleResumed: _resumed,
    ScheduleRemoved: _removed,
    ScheduleFired: _fired,
    ScheduleMissed: _was_missed,
    ScheduleSkipped: _skipped,
    ScheduleRefused: _refused,
}
