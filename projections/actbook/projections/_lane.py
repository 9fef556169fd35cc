"""One projection filling one table."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from actbook.events import Envelope, Event
from actbook.projections._parking import park, parked_streams
from actbook.projections._projection import Projection
from actbook.projections._rows import RowCache, Rows
from actbook.projections._statements import Statement, Statements
from actbook.projections._tracking import Track

NO_ROWS: tuple[Statement, ...] = ()


class Changes(NamedTuple):
    """What a batch means for a table, ready to be written."""

    lane: Lane
    rows: Rows
    statements: Sequence[Statement]
    parked: Sequence[tuple[Envelope, Exception | None, int]]

    def write(self, connection: sqlite3.Connection) -> None:
        """In a transaction."""
        for sql, values in self.statements:
            connection.execute(sql, values)
        for sql, keys in self.rows.deletions():
            connection.executemany(sql, keys)
        for event, error, attempts in self.parked:
            park(connection, self.lane.track.name, event, error, attempts)

    def written(self, position: int) -> None:
        """The transaction was committed."""
        self.lane.position = position
        self.lane.cache.keep(self.rows)
        self.lane.parked.update(event.stream_id for event, _error, _attempts in self.parked)


class Lane:
    """A projection with the table it fills, at a position of the log. `parked`: streams it does not follow any more."""

    def __init__(self, projection: Projection, track: Track, connection: sqlite3.Connection) -> None:
        self.projection = projection
        self.track = track
        self.position = track.position
        self.statements = Statements(projection.table, track.target)
        self.parked = parked_streams(connection, track.name)

        def select(sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
            return connection.execute(sql, values).fetchall()

        beside = [
            RowCache(Statements(table, self.track.target_of(table)), select) for table in projection.further
        ]
        self.cache = RowCache(self.statements, select, beside)

    @property
    def is_shadow(self) -> bool:
        """Does it fill a table that will take the place of another?"""
        return self.track.name != self.track.projection

    def gather(self) -> Gathering:
        """What a batch changes, to be found out page by page."""
        return Gathering(self)

    def reduce(self, events: Sequence[Envelope]) -> Changes:
        """The changes by a batch; raises what the projection raises, and then `forget` must follow."""
        gathering = self.gather()
        gathering.take(events, {type(event.payload) for event in events})
        return gathering.changes()

    def replay(self, event: Envelope) -> Changes:
        """The changes by one event that was parked."""
        rows = Rows(self.cache)
        self.projection.reduce((event,), rows)
        return Changes(self, rows, rows.writes(), ())

    def refuse(self, event: Envelope, error: Exception, attempts: int) -> Changes:
        """The event as parked."""
        return Changes(self, Rows(self.cache), NO_ROWS, [(event, error, attempts)])

    def forget(self) -> None:
        """Drops rows that were changed in memory and not written."""
        self.cache.clear()


class Gathering:
    """Lets a lane's projection change rows, page by page; both methods raise as `Lane.reduce` does."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self._rows = Rows(lane.cache)
        self._parked: list[tuple[Envelope, Exception | None, int]] = []

    def take(self, events: Sequence[Envelope], kinds: set[type[Event]]) -> None:
        """`kinds`: types of the events' payloads."""
        parked = self.lane.parked
        if parked:
            self._parked += [(event, None, 0) for event in events if event.stream_id in parked]
            events = [event for event in events if event.stream_id not in parked]
        projection = self.lane.projection
        if not projection.ignores(kinds):
            projection.reduce(events, self._rows)

    def changes(self) -> Changes:
        """Those by all that was taken."""
        rows = self._rows
        return Changes(self.lane, rows, rows.writes(), self._parked)
