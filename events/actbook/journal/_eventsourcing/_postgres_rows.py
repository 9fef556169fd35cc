"""Rows in a PostgreSQL store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, TypeVar

import psycopg
from eventsourcing.persistence import IntegrityError, OperationalError

from actbook.journal._chain import Row
from actbook.journal._errors import JournalError
from actbook.journal._known import Head
from actbook.journal._postgres import PostgresStore
from actbook.journal._postgres_link import Connection
from actbook.journal._postgres_write import head_of

T = TypeVar("T")

_COLUMNS = "position, stream_id, version, topic, event_id, at, hash, state"


class PostgresRowTransaction:
    """`connection` is for tables of the application's own that change in the same transaction."""

    def __init__(self, store: PostgresStore, connection: Connection) -> None:
        self._store = store
        self.connection = connection

    def head(self, stream_id: str) -> Head | None:
        return head_of(self.connection, self._store.names, stream_id)

    def insert(self, values: list[Any]) -> int:
        return self._store.insert(self.connection, values)

    def put_snapshot(self, stream_id: str, version: int, state: bytes) -> None:
        sql = self._store.names.sql(
            "INSERT INTO {schema}.snapshots(stream_id, version, state, hash) VALUES(%s, %s, %s, %s)"
        )
        self.connection.execute(sql, (stream_id, version, state, sha256(state).digest()))

    def track(self, name: str, position: int) -> bool:
        sql = self._store.names.sql(
            "INSERT INTO {schema}.tracking AS t VALUES(%s, %s) ON CONFLICT(name) DO UPDATE"
            " SET position=excluded.position WHERE excluded.position > t.position"
        )
        return self.connection.execute(sql, (name, position)).rowcount == 1


class PostgresRows:
    def __init__(self, store: PostgresStore) -> None:
        self._store = store

    @contextmanager
    def transaction(self) -> Iterator[PostgresRowTransaction]:
        try:
            with self._store.transaction() as connection:
                yield PostgresRowTransaction(self._store, connection)
        except JournalError as error:
            if isinstance(error.__cause__, psycopg.IntegrityError):
                raise IntegrityError(str(error)) from error
            raise OperationalError(str(error)) from error

    def stream(self, stream_id: str, above: int, upto: int, descending: bool, limit: int) -> Iterable[Row]:
        order = "DESC" if descending else "ASC"
        sql = (
            f"SELECT {_COLUMNS} FROM {{schema}}.events WHERE stream_id=%b AND version>%b AND version<=%b"
            f" ORDER BY version {order} LIMIT %b"
        )
        return map(Row._make, self._query(sql, stream_id, above, upto, _limit(limit)))

    def log(self, first: int, last: int, topics: Sequence[str], limit: int) -> Iterable[Row]:
        only = " AND topic = ANY(%b::text[])" if topics else ""
        sql = (
            f"SELECT {_COLUMNS} FROM {{schema}}.events WHERE position>=%b AND position<=%b{only}"
            " ORDER BY position LIMIT %b"
        )
        chosen = [list(topics)] if topics else []
        return map(Row._make, self._query(sql, first, last, *chosen, _limit(limit)))

    def snapshots(
        self, stream_id: str, above: int, upto: int, descending: bool, limit: int
    ) -> Iterable[tuple[int, bytes]]:
        order = "DESC" if descending else "ASC"
        sql = (
            "SELECT version, state FROM {schema}.snapshots WHERE stream_id=%b AND version>%b AND version<=%b"
            f" ORDER BY version {order} LIMIT %b"
        )
        return self._query(sql, stream_id, above, upto, _limit(limit))

    def last_position(self) -> int:
        return _translated(self._store.last_position)

    def tracked(self, name: str) -> int | None:
        rows = self._query("SELECT position FROM {schema}.tracking WHERE name=%b", name)
        return rows[0][0] if rows else None

    def blob(self, sha256: bytes) -> bytes:
        return self._store.blob(sha256)

    def close(self) -> None:
        self._store.close()

    def _query(self, sql: str, *parameters: Any) -> list[Any]:
        return _translated(lambda: self._store.query(self._store.names.sql(sql), parameters))


def _limit(limit: int) -> int | None:
    return None if limit < 0 else limit


def _translated(read: Callable[[], T]) -> T:
    try:
        return read()
    except JournalError as error:
        raise OperationalError(str(error)) from error
