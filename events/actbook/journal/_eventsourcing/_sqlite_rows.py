"""Rows in a SQLite store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, TypeVar

from eventsourcing.persistence import IntegrityError, OperationalError

from actbook.journal._chain import Row
from actbook.journal._errors import JournalError
from actbook.journal._known import Head
from actbook.journal._sqlite import SQLiteStore
from actbook.journal._sqlite_write import EVENTS

T = TypeVar("T")

_COLUMNS = "position, stream_id, version, topic, event_id, at, hash, state"
_HEAD = "SELECT version, hash FROM events WHERE stream_id=? ORDER BY version DESC LIMIT 1"
_TRACK = (
    "INSERT INTO tracking VALUES(?,?) ON CONFLICT(name) DO UPDATE SET position=excluded.position"
    " WHERE excluded.position > tracking.position"
)


class SQLiteRowTransaction:
    """`connection` is for tables of the application's own that change in the same transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def head(self, stream_id: str) -> Head | None:
        head: Head | None = self.connection.execute(_HEAD, (stream_id,)).fetchone()
        return head

    def insert(self, values: list[Any]) -> int:
        return EVENTS.insert(self.connection, values)

    def put_snapshot(self, stream_id: str, version: int, state: bytes) -> None:
        self.connection.execute(
            "INSERT INTO snapshots(stream_id, version, state, hash) VALUES(?,?,?,?)",
            (stream_id, version, state, sha256(state).digest()),
        )

    def track(self, name: str, position: int) -> bool:
        return self.connection.execute(_TRACK, (name, position)).rowcount == 1


class SQLiteRows:
    def __init__(self, store: SQLiteStore) -> None:
        self._store = store

    @contextmanager
    def transaction(self) -> Iterator[SQLiteRowTransaction]:
        try:
            with self._store.transaction() as connection:
                yield SQLiteRowTransaction(connection)
        except JournalError as error:
            if isinstance(error.__cause__, sqlite3.IntegrityError):
                raise IntegrityError(str(error)) from error
            raise OperationalError(str(error)) from error

    def stream(self, stream_id: str, above: int, upto: int, descending: bool, limit: int) -> Iterable[Row]:
        order = "DESC" if descending else "ASC"
        sql = (
            f"SELECT {_COLUMNS} FROM events WHERE stream_id=? AND version>? AND version<=?"
            f" ORDER BY version {order} LIMIT ?"
        )
        return map(Row._make, self._query(sql, stream_id, above, upto, limit))

    def log(self, first: int, last: int, topics: Sequence[str], limit: int) -> Iterable[Row]:
        only = f" AND topic IN ({','.join('?' * len(topics))})" if topics else ""
        sql = (
            f"SELECT {_COLUMNS} FROM events WHERE position>=? AND position<=?{only} ORDER BY position LIMIT ?"
        )
        return map(Row._make, self._query(sql, first, last, *topics, limit))

    def snapshots(
        self, stream_id: str, above: int, upto: int, descending: bool, limit: int
    ) -> Iterable[tuple[int, bytes]]:
        order = "DESC" if descending else "ASC"
        sql = (
            "SELECT version, state FROM snapshots WHERE stream_id=? AND version>? AND version<=?"
            f" ORDER BY version {order} LIMIT ?"
        )
        return self._query(sql, stream_id, above, upto, limit)

    def last_position(self) -> int:
        return _translated(self._store.last_position)

    def tracked(self, name: str) -> int | None:
        rows = self._query("SELECT position FROM tracking WHERE name=?", name)
        return rows[0][0] if rows else None

    def blob(self, sha256: bytes) -> bytes:
        return self._store.blob(sha256)

    def close(self) -> None:
        self._store.close()

    def _query(self, sql: str, *parameters: Any) -> list[Any]:
        return _translated(lambda: self._store.query(sql, parameters))


def _translated(read: Callable[[], T]) -> T:
    try:
        return read()
    except JournalError as error:
        raise OperationalError(str(error)) from error
