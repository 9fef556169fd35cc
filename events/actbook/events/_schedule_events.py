"""Events of a schedule: one stream per schedule, and one that lists the schedules there are."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from actbook.events._execution_events import Limits, Settings
from actbook.events._topics import Event, topic

SCHEDULES = "schedules:all"
"""Stream id of the list of schedules."""

_PREFIX = "schedule:"

MissedPolicy = Literal["skip", "once", "all"]
OverlapPolicy = Literal["allow", "skip"]


def schedule_stream(schedule_id: str) -> str:
    """Stream id of a schedule."""
    return _PREFIX + schedule_id


def schedule_of(stream_id: str) -> str | None:
    """The schedule that a stream belongs to, or None when it belongs to none."""
    return stream_id[len(_PREFIX) :] if stream_id.startswith(_PREFIX) else None


class ScheduleSpec(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a schedule runs, and when. `graph_version` None: the newest at the time.

    - `missed`: what to do about moments nobody was there for: nothing, one run for all of them, or a run for each, of the newest
      `catch_up` ones
    - `overlap`: "skip" leaves a moment out while the run before is not over
    - `simulation_script` None runs without stand-ins unless `simulate`
    """

    graph_id: str
    cron: str
    timezone: str = "UTC"
    graph_version: int | None = None
    inputs: dict[str, Any] = {}
    masks: dict[str, dict[str, Any]] = {}
    settings: Settings = Settings()
    limits: Limits = Limits()
    missed: MissedPolicy = "once"
    catch_up: int = 100
    overlap: OverlapPolicy = "allow"
    simulate: bool = False
    simulation_script: dict[str, Any] | None = None
    credential_inputs: dict[str, Any] = {}


@topic("schedule.added")
class ScheduleAdded(Event, frozen=True, array_like=True, gc=False):
    """A user wants a graph to run at certain times."""

    schedule_id: str
    user_id: str
    name: str
    spec: ScheduleSpec


@topic("schedule.changed")
class ScheduleChanged(Event, frozen=True, array_like=True, gc=False):
    """The schedule says something else from now on; `spec` is the whole of it."""

    actor: str
    name: str
    spec: ScheduleSpec


@topic("schedule.paused")
class SchedulePaused(Event, frozen=True, array_like=True, gc=False):
    """It does not run until it is resumed; what would have been due meanwhile does not count as missed."""

    actor: str


@topic("schedule.resumed")
class ScheduleResumed(Event, frozen=True, array_like=True, gc=False):
    """It runs again, from now on."""

    actor: str


@topic("schedule.removed")
class ScheduleRemoved(Event, frozen=True, array_like=True, gc=False):
    """It never runs again; its past stays."""

    actor: str


@topic("schedule.fired")
class ScheduleFired(Event, frozen=True, array_like=True, gc=False):
    """At a moment that was due (microseconds since the epoch, UTC) an execution was submitted."""

    due: int
    execution_id: str


@topic("schedule.missed")
class ScheduleMissed(Event, frozen=True, array_like=True, gc=False):
    """Nobody was there for the moments from `first` to `last`, and the schedule does not run for them.

    `count`: how many; counting ends at 1000.
    """

    first: int
    last: int
    count: int


@topic("schedule.skipped")
class ScheduleSkipped(Event, frozen=True, array_like=True, gc=False):
    """Left out a moment, because the execution of an earlier one was not over."""

    due: int
    execution_id: str


@topic("schedule.refused")
class ScheduleRefused(Event, frozen=True, array_like=True, gc=False):
    """At a moment that was due the execution was not accepted: the graph is gone, or does not take the inputs any more."""

    due: int
    error: str


@topic("schedule.listed")
class ScheduleListed(Event, frozen=True, array_like=True, gc=False):
    """There is a new schedule; written to the stream `schedules:all` together with `schedule.added`."""

    schedule_id: str
    user_id: str


@topic("schedule.unlisted")
class ScheduleUnlisted(Event, frozen=True, array_like=True, gc=False):
    """A schedule was removed; written to the stream `schedules:all` together with `schedule.removed`."""

    schedule_id: str
