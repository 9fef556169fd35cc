"""Wrapped keys in a PostgreSQL schema of their own, for processes on several machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from threading import Event
from typing import Any, TypeVar

from actbook.journal._errors import JournalError, PayloadKeyError
from actbook.journal._key_ring import KeyRow
from actbook.journal._postgres_link import Connection, Link
from actbook.journal._postgres_schema import Names
from actbook.journal._postgres_url import PostgresUrl

T = TypeVar("T")

_LOOK_EVERY = 1.0
_COLUMNS = "key_id, user_id, master_id, wrapped, created_at, retired_at, destroyed_at"
_SCHEMA = (
    "CREATE SCHEMA IF NOT EXISTS {schema}",
    """CREATE TABLE IF NOT EXISTS {schema}.payload_keys(
  key_id bytea PRIMARY KEY,
  user_id text NOT NULL,
  master_id text NOT NULL,
  wrapped bytea NOT NULL,
  created_at bigint NOT NULL,
  retired_at bigint NOT NULL DEFAULT 0,
  destroyed_at bigint NOT NULL DEFAULT 0
)""",
    "CREATE UNIQUE INDEX IF NOT EXISTS payload_keys_current ON {schema}.payload_keys(user_id) WHERE retired_at=0",
    "CREATE INDEX IF NOT EXISTS payload_keys_of_user ON {schema}.payload_keys(user_id)",
    "CREATE TABLE IF NOT EXISTS {schema}.payload_key_changes(count bigint NOT NULL)",
    "INSERT INTO {schema}.payload_key_changes SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM {schema}.payload_key_changes)",
)
_MAKING = "SELECT pg_advisory_xact_lock(hashtext('actbook.payload_keys'))"


class PostgresKeyRows:
    """Any number of processes on any number of machines. Asks once a second whether others changed something."""

    def __init__(self, url: PostgresUrl, patience: float = 10.0) -> None:
        self.patience = 2 * _LOOK_EVERY
        self._shown = url.shown
        self._names = Names(url.schema)
        self._closing = Event()
        self._link = Link(url, patience, self._closing)
        self._count = -1
        self._looked = -_LOOK_EVERY
        self._ready = False

    def changed(self) -> bool:
        if time.monotonic() - self._looked < _LOOK_EVERY:
            return False
        before = self._count
        ((self._count,),) = self._select("SELECT count FROM {schema}.payload_key_changes LIMIT 1")
        self._looked = time.monotonic()
        return self._count != before

    def current(self, user_id: str) -> KeyRow | None:
        return self._one("WHERE user_id=%s AND retired_at=0", user_id)

    def find(self, key_id: bytes) -> KeyRow | None:
        return self._one("WHERE key_id=%s", key_id)

    def add(self, row: KeyRow) -> KeyRow:
        marks = ",".join(["%s"] * len(row))
        sql = f"INSERT INTO {{schema}}.payload_keys({_COLUMNS}) VALUES({marks}) ON CONFLICT DO NOTHING"
        self._run(lambda connection: connection.execute(self._names.sql(sql), row))
        kept = self.current(row.user_id)
        if kept is None:
            raise PayloadKeyError(
                f"User {row.user_id!r} is being forgotten at this moment; try it again later."
            )
        return kept

    def retire(self, user_id: str, at: int) -> int:
        sql = "UPDATE {schema}.payload_keys SET retired_at=%s WHERE user_id=%s AND retired_at=0"
        self._change(sql, [(at, user_id)])
        sql = "SELECT count(*) FROM {schema}.payload_keys WHERE user_id=%s AND destroyed_at=0"
        ((count,),) = self._select(sql, user_id)
        return int(count)

    def restore(self, user_id: str) -> None:
        sql = (
            "UPDATE {schema}.payload_keys SET retired_at=0 WHERE key_id=("
            "SELECT key_id FROM {schema}.payload_keys WHERE user_id=%s AND destroyed_at=0"
            " ORDER BY retired_at DESC, created_at DESC LIMIT 1) AND NOT EXISTS ("
            "SELECT 1 FROM {schema}.payload_keys WHERE user_id=%s AND retired_at=0)"
        )
        self._change(sql, [(user_id, user_id)])

    def destroy(self, user_id: str, at: int) -> None:
        sql = (
            "UPDATE {schema}.payload_keys SET wrapped='', destroyed_at=%s"
            " WHERE user_id=%s AND retired_at<>0 AND destroyed_at=0"
        )
        self._change(sql, [(at, user_id)])
        # What a row was before stays in its table's file until that is written anew.
        rewrite = self._names.sql("VACUUM FULL {schema}.payload_keys")
        self._run(lambda connection: connection.execute(rewrite))

    def destroyed(self, user_id: str) -> list[bytes]:
        sql = "SELECT key_id FROM {schema}.payload_keys WHERE user_id=%s AND destroyed_at<>0 ORDER BY created_at"
        return [row[0] for row in self._select(sql, user_id)]

    def living(self) -> list[KeyRow]:
        found = self._select(f"SELECT {_COLUMNS} FROM {{schema}}.payload_keys WHERE destroyed_at=0")
        return list(map(KeyRow._make, found))

    def rewrap(self, rows: Iterable[KeyRow]) -> None:
        changes = [(row.master_id, row.wrapped, row.key_id) for row in rows]
        self._change("UPDATE {schema}.payload_keys SET master_id=%s, wrapped=%s WHERE key_id=%s", changes)

    def close(self) -> None:
        self._closing.set()
        self._link.close()

    def _one(self, where: str, value: object) -> KeyRow | None:
        rows = self._select(f"SELECT {_COLUMNS} FROM {{schema}}.payload_keys {where}", value)
        return KeyRow._make(rows[0]) if rows else None

    def _select(self, sql: str, *values: object) -> list[Any]:
        return self._run(lambda connection: connection.execute(self._names.sql(sql), values).fetchall())

    def _change(self, sql: str, rows: list[Any]) -> None:
        def work(connection: Connection) -> None:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(self._names.sql(sql), rows)
                cursor.execute(self._names.sql("UPDATE {schema}.payload_key_changes SET count=count+1"))

        self._run(work)

    def _run(self, work: Callable[[Connection], T]) -> T:
        try:
            if not self._ready:
                self._link.run(self._prepare)
                self._ready = True
            return self._link.run(work)
        except JournalError as error:
            raise PayloadKeyError(
                f"The payload keys in {self._shown} can't be used: {error} Nothing is sealed or opened without them."
            ) from error

    def _prepare(self, connection: Connection) -> None:
        with connection.transaction():
            connection.execute(_MAKING)
            for statement in _SCHEMA:
                connection.execute(self._names.sql(statement))
