"""`PERSISTENCE_MODULE="actbook.journal.postgres"`: applications of the `eventsourcing` library on a journal in PostgreSQL.

Settings: `POSTGRES_DBNAME`, `POSTGRES_HOST`, `POSTGRES_PORT` (5432), `POSTGRES_USER`, `POSTGRES_PASSWORD`, `POSTGRES_SCHEMA`
(`actbook`), `ORIGINATOR_ID_TYPE`.
"""

from __future__ import annotations

from actbook.journal._eventsourcing._mapper import JournalMapper, RecordedEvent
from actbook.journal._eventsourcing._postgres_factory import PostgresFactory as Factory
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
