"""`PERSISTENCE_MODULE="actbook.journal.sqlite"`: applications of the `eventsourcing` library on a journal's
SQLite file.

Settings: `SQLITE_DBNAME` (a path), `SQLITE_LOCK_TIMEOUT` (seconds), `ORIGINATOR_ID_TYPE`.
"""

from __future__ import annotations

from actbook.journal._eventsourcing._mapper import JournalMapper, RecordedEvent
from actbook.journal._eventsourcing._recorders import (
    JournalAggregateRecorder,
    JournalApplicationRecorder,
    JournalProcessRecorder,
    JournalSnapshotRecorder,
    JournalTrackingRecorder,
)
from actbook.journal._eventsourcing._sqlite_factory import SQLiteFactory as Factory

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
