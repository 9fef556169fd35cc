"""`PERSISTENCE_MODULE="actbook.journal.memory"`: applications of the `eventsourcing` library in memory."""

from __future__ import annotations

from actbook.journal._eventsourcing._mapper import JournalMapper, RecordedEvent
from actbook.journal._eventsourcing._memory_factory import MemoryFactory as Factory
from actbook.journal._eventsourcing._recorders import (
    JournalAggregateRecorder,
    JournalApplicationRecorder,
    JournalProcessRecorder,
    JournalSnapshotRecorder,
    JournalTrackingRecorder,
)

__all__ = [
    "Factory",
    "JournalAggregateRecorder",
    "JournalApplicationRecorder",
    "JournalMapper",
    "JournalProcessRecorder",
    "JournalSnapshotRecorder",
    "JournalTrackingRecorder",
    "RecordedEvent",
]
