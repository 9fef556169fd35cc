"""Subscriptions of the library's kind: threads that read on when they are told that there is more."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from eventsourcing.persistence import ApplicationRecorder, ListenNotifySubscription


class Listening:
    """Who wants to be told about new events of a store."""

    def __init__(self) -> None:
        self._events: frozenset[Event] = frozenset()

    def add(self, event: Event) -> None:
        self._events |= {event}

    def remove(self, event: Event) -> None:
        self._events -= {event}

    def tell(self) -> None:
        for event in self._events:
            event.set()


class JournalSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """Listens before it reads, so nothing falls between history and present."""

    def __init__(
        self, recorder: ApplicationRecorder, listening: Listening, gt: int | None, topics: Sequence[str]
    ) -> None:
        self._listening = listening
        super().__init__(recorder, gt, topics)
        listening.add(self._has_been_notified)
        self._has_been_notified.set()

    def stop(self) -> None:
        super().stop()
        self._listening.remove(self._has_been_notified)
