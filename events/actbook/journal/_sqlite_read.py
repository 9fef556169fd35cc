"""Reading a SQLite store. Every thread that reads has a connection of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Lock, get_ident
from typing import Any, NamedTuple

from actbook.events._envelope import Envelope
from actbook.journal._chain import Row
from actbook.journal._codec import Opener, decode
from actbook.journal._errors import JournalClosedError
from actbook.journal._sqlite_schema import connect_read_only, store_errors
from actbook.journal._sqlite_write import LAST_POSITION
from actbook.journal._store import Snapshot

_COLUMNS = "position, stream_id, version, topic, event_id, at, hash, state"
_STREAM = f"SELECT {_COLUMNS} FROM events WHERE stream_id=? AND version>? ORDER BY version LIMIT ?"
_LOG = f"SELECT {_COLUMNS} FROM events WHERE position>? AND position<=?{{topics}} ORDER BY position LIMIT ?"
_SNAPSHOT = (
    "SELECT stream_id, version, state, hash FROM snapshots"
    " WHERE stream_id=? AND version<=? ORDER BY version DESC LIMIT 1"
)
_UNFINISHED = (
    "SELECT stream_id FROM unfinished WHERE (waits_on IS NULL OR EXISTS"
    "(SELECT 1 FROM events WHERE events.stream_id=waits_on AND version>waits_beyond)){only}"
)
_PRIORITIES = "SELECT stream_id, priority FROM unfinished WHERE priority<>0{only}"
_UNBOUND = 2**63 - 1
_IDS = 512
_NO_TEXT = "Could not decode to UTF-8"

_as_row: Callable[[tuple[Any, ...]], Row] = partial(tuple.__new__, Row)
"""`Row._make` without its check of the length, which takes as long as a column."""


class _Own(NamedTuple):
    """A thread's connection, and the lock that keeps others from closing it in the middle of a query."""

    connection: sqlite3.Connection
    lock: Lock


class ReadPath:
    """Answers from committed data."""

    def __init__(self, path: str, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._own: dict[int, _Own] = {}
        self._lock = Lock()
        self._closed = False

    def stream(self, stream_id: str, after: int, limit: int | None, keys: Opener) -> list[Envelope]:
        return [decode(row, self.blob, keys) for row in self.rows(stream_id, after, limit)]

    def rows(self, stream_id: str, after: int, limit: int | None) -> list[Row]:
        return list(map(_as_row, self.select(_STREAM, (stream_id, after, _or_all(limit)))))

    def log(
        self, after: int, limit: int | None, topics: Sequence[str], upto: int | None, keys: Opener
    ) -> list[Envelope]:
        only = f" AND topic IN ({','.join('?' * len(topics))})" if topics else ""
        last = _UNBOUND if upto is None else upto
        rows = self.select(_LOG.format(topics=only), (after, last, *topics, _or_all(limit)))
        return [decode(row, self.blob, keys) for row in rows]

    def log_rows(self, after: int, limit: int | None) -> list[Row]:
        rows = self.select(_LOG.format(topics=""), (after, _UNBOUND, _or_all(limit)))
        return list(map(_as_row, rows))

    def stream_ids(self, after: str, limit: int) -> list[str]:
        sql = "SELECT DISTINCT stream_id FROM events WHERE stream_id>? ORDER BY stream_id LIMIT ?"
        return [row[0] for row in self.select(sql, (after, limit))]

    def head(self, stream_id: str) -> int:
        rows = self.select("SELECT max(version) FROM events WHERE stream_id=?", (stream_id,))
        return rows[0][0] or 0

    def last_position(self) -> int:
        rows = self.select(LAST_POSITION)
        return rows[0][0] if rows else 0

    def unfinished(self, among: Sequence[str] | None) -> list[str]:
        if among is None:
            return [row[0] for row in self.select(_UNFINISHED.format(only="") + " ORDER BY position")]
        return [row[0] for row in self._among(_UNFINISHED, among)]

    def priorities(self, among: Sequence[str] | None) -> dict[str, int]:
        if among is None:
            return dict(self.select(_PRIORITIES.format(only="")))
        return dict(self._among(_PRIORITIES, among))

    def _among(self, sql: str, among: Sequence[str]) -> Iterator[Any]:
        for start in range(0, len(among), _IDS):
            ids = among[start : start + _IDS]
            only = f" AND stream_id IN ({','.join('?' * len(ids))})"
            yield from self.select(sql.format(only=only), ids)

    def blob(self, sha256: bytes) -> bytes:
        rows = self.select("SELECT data FROM blobs WHERE sha256=?", (sha256,))
        if not rows:
            raise KeyError(f"big value {sha256.hex()} is missing")
        data: bytes = rows[0][0]
        return data

    def snapshot(self, stream_id: str, at_most: int | None) -> Snapshot | None:
        rows = self.select(_SNAPSHOT, (stream_id, _UNBOUND if at_most is None else at_most))
        return Snapshot(*rows[0]) if rows else None

    def select(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        own = self._own.get(get_ident()) or self._connect()
        with own.lock, store_errors(self._path):
            if self._closed:
                raise JournalClosedError
            try:
                return own.connection.execute(sql, parameters).fetchall()
            except sqlite3.OperationalError as error:
                if _NO_TEXT not in str(error):
                    raise
                return _select_damaged(own.connection, sql, parameters)

    def close(self) -> None:
        """Waits for queries that are under way: closing under them would crash the interpreter."""
        with self._lock:
            self._closed = True
            for own in self._own.values():
                with own.lock:
                    own.connection.close()
            self._own.clear()

    def _connect(self) -> _Own:
        with self._lock:
            if self._closed:
                raise JournalClosedError
            connection = connect_read_only(self._path, busy_timeout=self._patience)
            self._own[get_ident()] = own = _Own(connection, Lock())
            return own


def _select_damaged(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> list[Any]:
    """Somebody put what is no text where text may be: it is shown with replacements, for verification to find."""
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.text_factory = str


def _or_all(limit: int | None) -> int:
    return -1 if limit is None else limit
