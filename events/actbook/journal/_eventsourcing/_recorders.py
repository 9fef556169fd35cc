"""Recorders: the library's way to insert and select stored events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    IntegrityError,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    Tracking,
    TrackingRecorder,
    WaitInterruptedError,
)

from actbook.journal._chain import Row
from actbook.journal._eventsourcing._datastore import Datastore
from actbook.journal._eventsourcing._listening import JournalSubscription
from actbook.journal._eventsourcing._rows import RowTransaction, chained

_LAST = 2**63 - 1
_ALL = -1


class JournalRecorder:
    """Base of the recorders; `datastore` may be shared by several of them."""

    def __init__(self, datastore: Datastore) -> None:
        self.datastore = datastore
        self.rows = datastore.rows


class JournalAggregateRecorder(JournalRecorder, AggregateRecorder):
    """Stored events as events of streams. Streams have no gaps: a version that does not follow is refused."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        self._insert(stored_events, **kwargs)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        stream_id = self.datastore.stream_id(originator_id)
        rows = self.rows.stream(stream_id, *_bounds(gt, lte), desc, _ALL if limit is None else limit)
        restored = self.datastore.originator_id
        return [StoredEvent(restored(row.stream_id), row.version, row.topic, row.state) for row in rows]

    def _insert(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> list[int]:
        with self.rows.transaction() as transaction:
            values = chained(
                stored_events, lambda e: self.datastore.stream_id(e.originator_id), transaction.head
            )
            first = transaction.insert(values) if values else 0
            self._insert_more(transaction, **kwargs)
        self.datastore.listening.tell()
        return list(range(first, first + len(stored_events)))

    def _insert_more(self, transaction: RowTransaction, **kwargs: Any) -> None:
        """What else belongs to the transaction."""


class JournalSnapshotRecorder(JournalRecorder, AggregateRecorder):
    """Snapshots of aggregates: versions may have gaps, and they are in no log."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        with self.rows.transaction() as transaction:
            for stored in stored_events:
                state = msgspec.msgpack.encode((stored.topic, stored.state))
                stream_id = self.datastore.stream_id(stored.originator_id)
                transaction.put_snapshot(stream_id, stored.originator_version, state)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        stream_id = self.datastore.stream_id(originator_id)
        found = self.rows.snapshots(stream_id, *_bounds(gt, lte), desc, _ALL if limit is None else limit)
        restored = self.datastore.originator_id(stream_id)
        return [StoredEvent(restored, version, *_topic_and_state(state)) for version, state in found]


class JournalApplicationRecorder(JournalAggregateRecorder, ApplicationRecorder):
    """Adds the log: positions are the notification ids."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        return self._insert(stored_events, **kwargs)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        first = 1 if start is None else start if inclusive_of_start else start + 1
        rows = self.rows.log(first, _LAST if stop is None else stop, topics, limit)
        return [self._notification(row) for row in rows]

    def max_notification_id(self) -> int | None:
        return self.rows.last_position() or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        return JournalSubscription(self, self.datastore.listening, gt, topics)

    def heard(self) -> None:
        """Wakes subscriptions: for what was written in another process or through a journal."""
        self.datastore.listening.tell()

    def _notification(self, row: Row) -> Notification:
        return Notification(
            id=row.position,
            originator_id=self.datastore.originator_id(row.stream_id),
            originator_version=row.version,
            topic=row.topic,
            state=row.state,
        )


class JournalTrackingRecorder(JournalRecorder, TrackingRecorder):
    """Positions in upstream applications, which only rise."""

    def insert_tracking(self, tracking: Tracking) -> None:
        with self.rows.transaction() as transaction:
            self._track(transaction, tracking)
        self._tell_waiting()

    def max_tracking_id(self, application_name: str) -> int | None:
        return self.rows.tracked(application_name)

    def wait(
        self,
        application_name: str,
        notification_id: int | None,
        timeout: float = 1.0,
        interrupt: threading.Event | None = None,
    ) -> None:
        """Wakes when this process tracks; looks for other processes' tracking and for `interrupt` every 50
        ms.
        """

        def is_over() -> bool:
            is_interrupted = interrupt is not None and interrupt.is_set()
            return is_interrupted or self.has_tracking_id(application_name, notification_id)

        _wait_for(self.datastore.tracking_changed, is_over, timeout)
        if self.has_tracking_id(application_name, notification_id):
            return
        if interrupt is not None and interrupt.is_set():
            raise WaitInterruptedError
        raise TimeoutError(f"{application_name!r} was not processed up to {notification_id} in {timeout} s")

    def _track(self, transaction: RowTransaction, tracking: Tracking) -> None:
        if not transaction.track(tracking.application_name, tracking.notification_id):
            raise IntegrityError(f"{tracking} does not lie after what is tracked")

    def _tell_waiting(self) -> None:
        with self.datastore.tracking_changed:
            self.datastore.tracking_changed.notify_all()


class JournalProcessRecorder(JournalTrackingRecorder, JournalApplicationRecorder, ProcessRecorder):
    """Events and the position of what they answer, in one transaction."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        positions = self._insert(stored_events, **kwargs)
        self._tell_waiting()
        return positions

    def _insert_more(self, transaction: RowTransaction, **kwargs: Any) -> None:
        tracking: Tracking | None = kwargs.get("tracking")
        if tracking is not None:
            self._track(transaction, tracking)


def _bounds(gt: int | None, lte: int | None) -> tuple[int, int]:
    return (-1 if gt is None else gt, _LAST if lte is None else lte)


def _topic_and_state(state: bytes) -> tuple[str, bytes]:
    return msgspec.msgpack.decode(state, type=tuple[str, bytes])


def _wait_for(condition: threading.Condition, is_over: Callable[[], bool], timeout: float) -> None:
    waited = 0.0
    with condition:
        while not is_over() and waited < timeout:
            pause = min(0.05, timeout - waited)
            condition.wait(pause)
            waited += pause
