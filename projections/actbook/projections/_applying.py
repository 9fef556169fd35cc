"""Applies batches of events to tables: rows and position in one transaction, whatever one of the projections does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from actbook.events import Envelope
from actbook.projections._lane import Changes, Gathering, Lane
from actbook.projections._tracking import SupersededError, Tracking

_BAD_VALUES = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
"""What the database raises for values that it does not take, as opposed to failures of its own."""


class Applying:
    """Every failure leaves the tables as they were, or with the event that caused it parked."""

    def __init__(self, tracking: Tracking) -> None:
        self._tracking = tracking

    def apply(self, lanes: Sequence[Lane], events: Sequence[Envelope], end: int) -> None:
        """Moves lanes that stand at one position to `end`; `events` are all between. Raises `SupersededError`."""
        self.apply_pages(lanes, (events,), end)

    def apply_pages(self, lanes: Sequence[Lane], pages: Iterable[Sequence[Envelope]], end: int) -> None:
        """The same with the events page by page. When a projection fails, the pages are gone through again."""
        gatherings = [lane.gather() for lane in lanes]
        failed: list[Lane] = []
        for events in pages:
            gatherings = _take(gatherings, events, failed)
        changes = _finish(gatherings, failed)
        if changes:
            try:
                self.commit(changes, end)
            except Exception as error:
                raise_unless_of_events(error)
                failed.extend(change.lane for change in changes)
        for lane in failed:
            self._one_by_one(lane, pages, end)

    def commit(self, changes: Sequence[Changes], end: int) -> None:
        """Writes changes of lanes that stand at one position, and moves them."""
        first = changes[0].lane
        names = [change.lane.track.name for change in changes]
        with self._tracking.transaction() as connection:
            self._tracking.advance(names, first.position, end, first.track.generation)
            for change in changes:
                change.write(connection)
        for change in changes:
            change.written(end)

    def _one_by_one(self, lane: Lane, pages: Iterable[Sequence[Envelope]], end: int) -> None:
        """Tries each event alone, for the second time, and parks those that fail again."""
        for events in pages:
            for event in events:
                lane.forget()
                try:
                    self.commit([lane.reduce((event,))], event.position)
                except Exception as error:
                    raise_unless_of_events(error)
                    lane.forget()
                    self.commit([lane.refuse(event, error, 2)], event.position)
        if lane.position < end:
            self.commit([lane.reduce(())], end)


def _take(gatherings: list[Gathering], events: Sequence[Envelope], failed: list[Lane]) -> list[Gathering]:
    """Those that took the events; the lanes of the others are added to `failed`."""
    kinds = {type(event.payload) for event in events}
    taken: list[Gathering] = []
    for gathering in gatherings:
        try:
            gathering.take(events, kinds)
            taken.append(gathering)
        except Exception as error:
            raise_unless_of_events(error)
            failed.append(gathering.lane)
    return taken


def _finish(gatherings: list[Gathering], failed: list[Lane]) -> list[Changes]:
    changes: list[Changes] = []
    for gathering in gatherings:
        try:
            changes.append(gathering.changes())
        except Exception as error:
            raise_unless_of_events(error)
            failed.append(gathering.lane)
    return changes


def raise_unless_of_events(error: Exception) -> None:
    """Raises in an `except` block what a failing database or another process is to blame for."""
    of_database = isinstance(error, sqlite3.Error) and not isinstance(error, _BAD_VALUES)
    if of_database or isinstance(error, SupersededError):
        raise error
