"""Tries parked events again."""

from __future__ import annotations

from actbook.journal import Store
from actbook.projections._applying import Applying, raise_unless_of_events
from actbook.projections._lane import Lane
from actbook.projections._lanes import Lanes
from actbook.projections._parking import ParkedEvent, park_again, parked_events, unpark
from actbook.projections._unreadable import read_events


def replay_parked(
    store: Store, lanes: Lanes, applying: Applying, name: str, stream_id: str | None = None
) -> int:
    """Processes parked events in log order and returns how many; stops at the first of a stream that fails again."""
    lane = lanes.lane(name)
    stuck: set[str] = set()
    replayed = 0
    try:
        for parked in parked_events(lanes.tracking.connection, name, stream_id):
            if parked.stream_id in stuck:
                continue
            if _replay(store, lanes, applying, lane, parked):
                replayed += 1
            else:
                stuck.add(parked.stream_id)
    finally:
        with lanes.tracking.transaction():
            lanes.tracking.supersede()
        lanes.load()
    return replayed


def _replay(store: Store, lanes: Lanes, applying: Applying, lane: Lane, parked: ParkedEvent) -> bool:
    tracking = lanes.tracking
    try:
        event = read_events(store, parked.position - 1, parked.position)[0]
        changes = lane.replay(event)
        with tracking.transaction() as connection:
            tracking.advance([lane.track.name], lane.position, lane.position, lane.track.generation)
            changes.write(connection)
            unpark(connection, parked)
        lane.cache.keep(changes.rows)
        return True
    except Exception as error:
        raise_unless_of_events(error)
        lane.forget()
        with tracking.transaction() as connection:
            park_again(connection, parked, error)
        return False
