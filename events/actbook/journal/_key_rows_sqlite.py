"""Wrapped keys in an SQLite file of their own, so that a copy of the store holds none."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actbook.journal._errors import PayloadKeyError
from actbook.journal._key_ring import KeyRow

_PATIENCE = 10.0
_COLUMNS = "key_id, user_id, master_id, wrapped, created_at, retired_at, destroyed_at"
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS payload_keys(
  key_id BLOB PRIMARY KEY,
  user_id TEXT NOT NULL,
  master_id TEXT NOT NULL,
  wrapped BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  retired_at INTEGER NOT NULL DEFAULT 0,
  destroyed_at INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX IF NOT EXISTS payload_keys_current ON payload_keys(user_id) WHERE retired_at=0",
    "CREATE INDEX IF NOT EXISTS payload_keys_of_user ON payload_keys(user_id)",
)


class SqliteKeyRows:
    """Any number of processes of one machine may use the file at once. Opens it when it is first used."""

    patience = 0.0

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._connection: sqlite3.Connection | None = None
        self._version = 0
        self._closed = False

    def changed(self) -> bool:
        """SQLite knows: it looks at a counter in the file."""
        before = self._version
        with self._using() as connection:
            (self._version,) = connection.execute("PRAGMA data_version").fetchone()
        return self._version != before

    def current(self, user_id: str) -> KeyRow | None:
        return self._one("WHERE user_id=? AND retired_at=0", user_id)

    def find(self, key_id: bytes) -> KeyRow | None:
        return self._one("WHERE key_id=?", key_id)

    def add(self, row: KeyRow) -> KeyRow:
        self._write(f"INSERT OR IGNORE INTO payload_keys({_COLUMNS}) VALUES(?,?,?,?,?,?,?)", [row])
        kept = self.current(row.user_id)
        if kept is None:
            raise PayloadKeyError(
                f"User {row.user_id!r} is being forgotten at this moment; try it again later."
            )
        return kept

    def retire(self, user_id: str, at: int) -> int:
        self._write("UPDATE payload_keys SET retired_at=? WHERE user_id=? AND retired_at=0", [(at, user_id)])
        with self._using() as connection:
            sql = "SELECT count(*) FROM payload_keys WHERE user_id=? AND destroyed_at=0"
            count: int = connection.execute(sql, (user_id,)).fetchone()[0]
        return count

    def restore(self, user_id: str) -> None:
        newest = (
            "SELECT key_id FROM payload_keys WHERE user_id=? AND destroyed_at=0"
            " ORDER BY retired_at DESC, created_at DESC LIMIT 1"
        )
        self._write(f"UPDATE OR IGNORE payload_keys SET retired_at=0 WHERE key_id=({newest})", [(user_id,)])

    def destroy(self, user_id: str, at: int) -> None:
        self._write(
            "UPDATE payload_keys SET wrapped=x'', destroyed_at=?"
            " WHERE user_id=? AND retired_at<>0 AND destroyed_at=0",
            [(at, user_id)],
        )

    def destroyed(self, user_id: str) -> list[bytes]:
        sql = "SELECT key_id FROM payload_keys WHERE user_id=? AND destroyed_at<>0 ORDER BY created_at"
        with self._using() as connection:
            return [row[0] for row in connection.execute(sql, (user_id,))]

    def living(self) -> list[KeyRow]:
        with self._using() as connection:
            found = connection.execute(f"SELECT {_COLUMNS} FROM payload_keys WHERE destroyed_at=0")
            return list(map(KeyRow._make, found))

    def rewrap(self, rows: Iterable[KeyRow]) -> None:
        changes = [(row.master_id, row.wrapped, row.key_id) for row in rows]
        self._write("UPDATE payload_keys SET master_id=?, wrapped=? WHERE key_id=?", changes)

    def close(self) -> None:
        self._closed = True
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _one(self, where: str, value: object) -> KeyRow | None:
        with self._using() as connection:
            sql = f"SELECT {_COLUMNS} FROM payload_keys {where}"
            row = connection.execute(sql, (value,)).fetchone()
        return None if row is None else KeyRow._make(row)

    def _write(self, sql: str, rows: Iterable[Any]) -> None:
        """In one transaction."""
        with self._using() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.executemany(sql, rows)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection or self._connected()
        except (sqlite3.Error, OSError) as error:
            raise PayloadKeyError(
                f"The payload keys in {self._path} can't be used: {error}. Nothing is sealed or opened without them."
            ) from error

    def _connected(self) -> sqlite3.Connection:
        if self._closed:
            raise PayloadKeyError(f"The payload keys in {self._path} are closed.")
        if not self._path.exists():
            os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
        connection = sqlite3.connect(
            self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            # A destroyed key is overwritten, not only marked as free; and its change is on the disk when that is said.
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("PRAGMA synchronous=EXTRA")
            for statement in _SCHEMA:
                connection.execute(statement)
        except sqlite3.Error:
            connection.close()
            raise
        self._connection = connection
        return connection
