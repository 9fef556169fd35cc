"""Where a batch of events comes from: handed over in this process, or read from the log."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from heapq import merge
from typing import NamedTuple

from actbook.events import Envelope
from actbook.journal import Store
from actbook.journal._archived_log import ArchivedLog
from actbook.projections._structure import structure_of
from actbook.projections._unreadable import read_events

BATCH = 1024
"""Most events of one transaction that have to be read, while others commit."""

FILL = 4
"""A transaction may be so many times as long when nobody commits meanwhile, and when its events are at hand: a row that
many events change is written less often, and the views come nearer again the further they are behind.
"""

PAGE = 256
"""Events that are read and decoded at a time: what has just been read is still at hand when it is looked at."""


class Batch(NamedTuple):
    """All events above some position up to `end`, page by page. They can be gone through again."""

    pages: Iterable[list[Envelope]]
    end: int

    @property
    def events(self) -> list[Envelope]:
        return [event for page in self.pages for event in page]


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
        self._waiting.append(structure_of(self._store, events))
        self.heard(events[-1].position)

    def heard(self, position: int) -> None:
        """The log goes at least as far as this."""
        if position > self.head:
            self.head = position

    def look(self) -> None:
        """Asks the store how far the log goes."""
        self.heard(self._store.last_position())

    def next(self, after: int, times: int = 1) -> Batch:
        """The next events above `after`, which must be below the head, handed over ones first.

        `times`: how many times `BATCH` it may be, if they are read.
        """
        return self._handed_over(after) or self.read(after, self.head, times)

    def most(self, after: int) -> int:
        """How many events above `after` the next batch has at most, while others commit."""
        return BATCH * FILL if self._at_hand(after) else BATCH

    def read(self, after: int, upto: int, times: int = 1) -> Batch:
        """The next events above `after` from the log, none of them above `upto`. Reads as its pages are gone through."""
        end = min(after + BATCH * times, upto)
        return Batch(_Pages(self, after, end), end)

    def page(self, after: int, end: int) -> list[Envelope]:
        """All events above `after` up to `end`, from the log and from archives."""
        # What leaves the store meanwhile is read from its archive, and once.
        events = read_events(self._store, after, end)
        gone = self.archived.between(after, end) if self.archived is not None else []
        return _in_order(events, gone) if gone else events

    def _handed_over(self, after: int) -> Batch | None:
        waiting = self._waiting
        if not self._at_hand(after):
            return None
        events: list[Envelope] = []
        while waiting and len(events) < BATCH * FILL:
            first = waiting[0][0].position
            if first > after + 1:
                break
            batch = waiting.popleft()
            self.taken += len(batch)
            start = after + 1 - first
            stop = start + BATCH * FILL - len(events)
            events += batch[start:stop]
            after = events[-1].position
            if stop < len(batch):
                self._give_back(batch[stop:])
        return Batch((events,), after)

    def _at_hand(self, after: int) -> bool:
        """Were the events right above `after` handed over?"""
        self._forget(after)
        return bool(self._waiting) and self._waiting[0][0].position <= after + 1

    def _forget(self, after: int) -> None:
        waiting = self._waiting
        while waiting and waiting[0][-1].position <= after:
            self.taken += len(waiting.popleft())

    def _give_back(self, rest: list[Envelope]) -> None:
        self._waiting.appendleft(rest)
        self.taken -= len(rest)


class _Pages:
    """Reads whenever it is gone through."""

    def __init__(self, feed: Feed, after: int, end: int) -> None:
        self._feed = feed
        self._after = after
        self._end = end

    def __iter__(self) -> Iterator[list[Envelope]]:
        for after in range(self._after, self._end, PAGE):
            yield self._feed.page(after, min(after + PAGE, self._end))


def _in_order(events: list[Envelope], archived: list[Envelope]) -> list[Envelope]:
    """Each event once, though it was here when the log was read and in the archive after that."""
    here = {event.position for event in events}
    gone = (event for event in archived if event.position not in here)
    return list(merge(events, gone, key=_position))


def _position(event: Envelope) -> int:
    return event.position
