"""Where a batch of events comes from: handed over in this process, or read from the log."""

from __future__ import annotations

from collections import deque
from heapq import merge
from typing import NamedTuple

from actbook.events import Envelope
from actbook.journal import Store
from actbook.journal._archived_log import ArchivedLog
from actbook.projections._unreadable import read_events

BATCH = 1024
"""Most events of one transaction."""


class Batch(NamedTuple):
    """All events above some position up to `end`."""

    events: list[Envelope]
    end: int


class Feed:
    """Knows how far the log goes, and keeps events that this process committed until they are asked for.

    Handing them over saves reading and decoding. Only a run of them that continues where the reader stands is
    of use.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[list[Envelope]] = deque()
        self.head = 0
        self.taken = 0
        self.archived: ArchivedLog | None = None

    def add(self, events: list[Envelope]) -> None:
        """Events in position order without gaps."""
        self._waiting.append(events)
        self.heard(events[-1].position)

    def heard(self, position: int) -> None:
        """The log goes at least as far as this."""
        if position > self.head:
            self.head = position

    def look(self) -> None:
        """Asks the store how far the log goes."""
        self.heard(self._store.last_position())

    def next(self, after: int) -> Batch:
        """The next events above `after`, which must be below the head, handed over ones first."""
        return self._handed_over(after) or self.read(after, self.head)

    def read(self, after: int, upto: int) -> Batch:
        """The next events above `after` from the log, none of them above `upto`."""
        end = min(after + BATCH, upto)
        # What leaves the store meanwhile is read from its archive, and once.
        events = read_events(self._store, after, end)
        gone = self.archived.between(after, end) if self.archived is not None else []
        return Batch(_in_order(events, gone) if gone else events, end)

    def _handed_over(self, after: int) -> Batch | None:
        waiting = self._waiting
        self._forget(after)
        if not waiting or waiting[0][0].position > after + 1:
            return None
        events: list[Envelope] = []
        while waiting and len(events) < BATCH:
            first = waiting[0][0].position
            if first > after + 1:
                break
            batch = waiting.popleft()
            self.taken += len(batch)
            start = after + 1 - first
            stop = start + BATCH - len(events)
            events += batch[start:stop]
            after = events[-1].position
            if stop < len(batch):
                self._give_back(batch[stop:])
        return Batch(events, after)

    def _forget(self, after: int) -> None:
        waiting = self._waiting
        while waiting and waiting[0][-1].position <= after:
            self.taken += len(waiting.popleft())

    def _give_back(self, rest: list[Envelope]) -> None:
        self._waiting.appendleft(rest)
        self.taken -= len(rest)


def _in_order(events: list[Envelope], archived: list[Envelope]) -> list[Envelope]:
    """Each event once, though it was here when the log was read and in the archive after that."""
    here = {event.position for event in events}
    gone = (event for event in archived if event.position not in here)
    return list(merge(events, gone, key=_position))


def _position(event: Envelope) -> int:
    return event.position
