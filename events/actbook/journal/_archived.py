"""What a store keeps of streams that left it: who they were, where they are, and what the log's tree needs of them.

The tables are made when the first stream leaves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from actbook.journal._errors import ConflictError, JournalError
from actbook.journal._known import EMPTY, Head

_ARCHIVES = """CREATE TABLE IF NOT EXISTS archives(
  id INTEGER PRIMARY KEY, file TEXT NOT NULL, sha256 BLOB NOT NULL, at INTEGER NOT NULL,
  executions INTEGER NOT NULL, events INTEGER NOT NULL
)"""
_STREAMS = """CREATE TABLE IF NOT EXISTS archived_streams(
  stream_id TEXT PRIMARY KEY, archive INTEGER NOT NULL, user_id TEXT NOT NULL, version INTEGER NOT NULL,
  hash BLOB NOT NULL
) WITHOUT ROWID"""
_EVENTS = """CREATE TABLE IF NOT EXISTS archived_events(
  position INTEGER PRIMARY KEY, archive INTEGER NOT NULL, leaf BLOB NOT NULL
)"""
_CLOSED = """CREATE TRIGGER IF NOT EXISTS archived_streams_are_closed BEFORE INSERT ON events
WHEN EXISTS(SELECT 1 FROM archived_streams WHERE stream_id=NEW.stream_id)
BEGIN SELECT RAISE(ABORT, 'the stream is archived; restore it first'); END"""

ARCHIVE_SCHEMA = (_ARCHIVES, _STREAMS, _EVENTS, _CLOSED)

_EVER = "SELECT 1 FROM sqlite_master WHERE name='archived_streams'"
"""Asking that takes a fifth of the time of an error about a missing table."""
_FILE = "SELECT a.file, s.user_id, s.version FROM archived_streams s JOIN archives a ON a.id=s.archive WHERE s.stream_id=?"
_LISTED = "SELECT id, file, sha256, at, executions, events FROM archives ORDER BY id"
_LEAVES = "SELECT position, leaf FROM archived_events WHERE position>=? AND position<? ORDER BY position"


class ArchiveRecord(NamedTuple):
    """An archive as its store knows it. `file` is empty for what was discarded; `at` in µs since the epoch, UTC."""

    id: int
    file: str
    sha256: bytes
    at: int
    executions: int
    events: int

    @property
    def is_discarded(self) -> bool:
        return not self.file


class ArchivedStream(NamedTuple):
    """Where a stream went, and whose it is. `file` is empty when it was discarded."""

    file: str
    user_id: str
    version: int

    @property
    def text(self) -> str:
        """For people."""
        return f"archived in {self.file}" if self.file else "discarded for good"


class StreamArchivedError(ConflictError):
    """The stream left the store: nothing can be added to it before its archive is restored."""

    def __init__(self, stream_id: str, archived: ArchivedStream) -> None:
        file = archived.file
        remedy = f"`actbook archive restore {file}` brings it back." if file else "It can't be brought back."
        JournalError.__init__(self, f"Stream {stream_id!r} was {archived.text}. {remedy}")
        self.stream_id = stream_id
        self.expected = 0
        self.actual = archived.version
        self.file = file


def head_elsewhere(connection: sqlite3.Connection, stream_id: str) -> Head:
    """The head of a stream that has no events here: a new one. Raises `StreamArchivedError` when it left."""
    found = archived_stream(connection, stream_id)
    if found is None:
        return EMPTY
    raise StreamArchivedError(stream_id, found)


def archived_stream(connection: sqlite3.Connection, stream_id: str) -> ArchivedStream | None:
    """Where a stream went; None when it did not leave."""
    rows = _select(connection, _FILE, (stream_id,))
    return ArchivedStream._make(rows[0]) if rows else None


def archived_like(connection: sqlite3.Connection, prefix: str, limit: int) -> list[str]:
    """Ids of executions that left and begin so."""
    sql = "SELECT stream_id FROM archived_streams WHERE substr(stream_id,1,?)=? AND instr(stream_id,':')=0 LIMIT ?"
    return [row[0] for row in _select(connection, sql, (len(prefix), prefix, limit))]


def archived_files_of(connection: sqlite3.Connection, user_id: str) -> list[str]:
    """Files that hold something of a user."""
    sql = (
        "SELECT DISTINCT a.file FROM archived_streams s JOIN archives a ON a.id=s.archive"
        " WHERE s.user_id=? AND a.file<>'' ORDER BY a.id"
    )
    return [row[0] for row in _select(connection, sql, (user_id,))]


def archives_of(connection: sqlite3.Connection) -> list[ArchiveRecord]:
    """All archives of a store, oldest first."""
    return [ArchiveRecord._make(row) for row in _select(connection, _LISTED)]


def archived_leaves(connection: sqlite3.Connection, first: int, end: int) -> list[tuple[int, bytes]]:
    """Positions from `first` to before `end` whose events left, with the hashes that stand for them in the log's tree."""
    return list(_select(connection, _LEAVES, (first, end)))


def archived_positions(connection: sqlite3.Connection, after: int, upto: int) -> bool:
    """Whether an event above `after` and up to `upto` left."""
    sql = "SELECT 1 FROM archived_events WHERE position>? AND position<=? LIMIT 1"
    return bool(_select(connection, sql, (after, upto)))


def missing_archives(connection: sqlite3.Connection) -> Iterator[ArchiveRecord]:
    """Those whose events can't be read now: discarded, or their file is not where it was written."""
    return (each for each in archives_of(connection) if each.is_discarded or not Path(each.file).is_file())


def ever_archived(connection: sqlite3.Connection) -> bool:
    """Whether a stream ever left."""
    return connection.execute(_EVER).fetchone() is not None


def _select(connection: Any, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
    """Nothing from a store that no stream ever left, or can leave."""
    if not isinstance(connection, sqlite3.Connection) or not ever_archived(connection):
        return []
    return connection.execute(sql, parameters).fetchall()
