"""What can be known about projections as a whole."""

from __future__ import annotations

import time
from typing import Literal

import msgspec

from actbook.journal import Store
from actbook.projections._lane import Lane
from actbook.projections._lanes import Lanes
from actbook.projections._parking import parked_events

State = Literal["running", "paused", "rebuilding", "failing"]


class Lag(msgspec.Struct, frozen=True):
    """How far a table is behind the log: events not yet applied, and the age of the oldest of them in seconds."""

    events: int
    seconds: float


class ProjectionStatus(msgspec.Struct, frozen=True):
    """`parked`: events that could not be processed. `failure`: why it does not get on, when it is failing.

    `rebuilt`: position of the table that is being filled beside, when it is rebuilding.
    """

    name: str
    version: int
    position: int
    state: State
    lag: Lag
    parked: int
    failure: str = ""
    rebuilt: int | None = None


def lag_of(store: Store, position: int, head: int) -> Lag:
    behind = max(0, head - position)
    if not behind:
        return Lag(0, 0.0)
    oldest = store.log_rows(position, 1)
    age = time.time() - oldest[0].at / 1e6 if oldest else 0.0
    return Lag(behind, max(0.0, age))


def statuses(store: Store, lanes: Lanes, failure: str) -> list[ProjectionStatus]:
    """Status of every projection, by name. Reads the database."""
    head = store.last_position()
    shadows = {lane.track.projection: lane for lane in lanes.all() if lane.is_shadow}
    live = [lane for lane in lanes.all() if not lane.is_shadow]
    return [_status(store, lanes, lane, shadows.get(lane.track.name), head, failure) for lane in live]


def _status(
    store: Store, lanes: Lanes, lane: Lane, shadow: Lane | None, head: int, failure: str
) -> ProjectionStatus:
    track = lane.track
    state: State = (
        "paused" if track.paused else "failing" if failure else "rebuilding" if shadow else "running"
    )
    return ProjectionStatus(
        name=track.name,
        version=track.version,
        position=lane.position,
        state=state,
        lag=lag_of(store, lane.position, head),
        parked=len(parked_events(lanes.tracking.connection, track.name)),
        failure="" if track.paused else failure,
        rebuilt=shadow.position if shadow else None,
    )
