"""Snapshots in a SQLite store: written beside the events, without a sync, because they can be made again."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from threading import Lock
from typing import Any

from actbook.journal._sqlite_schema import connect, store_errors
from actbook.journal._store import Snapshot


class SnapshotWriter:
    """Opens its connection when the first snapshot is written."""

    def __init__(self, path: str, lock: Lock, patience: float) -> None:
        self._path = path
        self._lock = lock
        self._patience = patience
        self._connection: sqlite3.Connection | None = None

    def put(self, snapshot: Snapshot) -> None:
        self._execute(
            "INSERT OR REPLACE INTO snapshots(stream_id, version, state, hash) VALUES(?,?,?,?)", snapshot
        )

    def drop(self, stream_id: str | None, below: int | None) -> int:
        return self._execute(
            "DELETE FROM snapshots WHERE (? IS NULL OR stream_id=?) AND (? IS NULL OR version<?)",
            (stream_id, stream_id, below, below),
        )

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _execute(self, sql: str, parameters: Sequence[Any]) -> int:
        with self._lock, store_errors(self._path):
            if self._connection is None:
                self._connection = connect(self._path, "NORMAL", busy_timeout=self._patience)
            return self._connection.execute(sql, parameters).rowcount
