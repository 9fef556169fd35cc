"""A store in one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from actbook.events._envelope import Append, Envelope
from actbook.journal._blobs import Blob
from actbook.journal._chain import Row
from actbook.journal._codec import NO_KEYS
from actbook.journal._copying import copy_in
from actbook.journal._plan import Outcome, Plan
from actbook.journal._prepared import Prepared, prepare
from actbook.journal._sqlite_read import ReadPath
from actbook.journal._sqlite_schema import (
    Synchronous,
    connect,
    connect_read_only,
    leave_checkpoints,
    prepare_file,
    reserve_log,
    store_errors,
    tune_writer,
)
from actbook.journal._sqlite_snapshots import SnapshotWriter
from actbook.journal._sqlite_write import WritePath
from actbook.journal._store import Snapshot

if TYPE_CHECKING:
    from actbook.journal._payload_keys import PayloadKeys


class SQLiteStore:
    """Events in a SQLite file in WAL mode, shared by any number of threads and processes of one machine.

    `synchronous="FULL"` (the default) syncs every transaction to disk before it counts as written. With
    "NORMAL" a power loss may take the last transactions with it; a crash of the process never does.
    `busy_timeout`: seconds to wait for another process that writes.
    """

    can_lead = True
    many_workers = False

    def __init__(self, path: str, *, synchronous: Synchronous = "FULL", busy_timeout: float = 10.0) -> None:
        self.path = path
        self.keys: PayloadKeys | None = None
        self.write_lock = Lock()
        self._busy_timeout = busy_timeout
        self._log_reserved = False
        prepare_file(path, busy_timeout)
        with store_errors(path):
            connection = connect(path, synchronous, busy_timeout=busy_timeout)
            tune_writer(connection)
        self._writing = WritePath(path, connection, self.write_lock, busy_timeout)
        self._reading = ReadPath(path, busy_timeout)
        self._snapshots = SnapshotWriter(path, self.write_lock, busy_timeout)

    def write(self, appends: Sequence[Append]) -> list[Outcome]:
        return self.write_prepared([prepare(append, self.keys) for append in appends]).outcomes

    def write_prepared(self, batch: Sequence[Prepared], *, wait: bool = True) -> Plan:
        return self._writing.write(batch, wait=wait)

    def read_stream(self, stream_id: str, after: int = 0, limit: int | None = None) -> list[Envelope]:
        return self._reading.stream(stream_id, after, limit, self.keys or NO_KEYS)

    def read_log(
        self, after: int = 0, limit: int | None = 1000, topics: Sequence[str] = (), upto: int | None = None
    ) -> list[Envelope]:
        return self._reading.log(after, limit, topics, upto, self.keys or NO_KEYS)

    def read_rows(self, stream_id: str, after: int = 0, limit: int | None = None) -> list[Row]:
        return self._reading.rows(stream_id, after, limit)

    def log_rows(self, after: int = 0, limit: int | None = 1000) -> list[Row]:
        return self._reading.log_rows(after, limit)

    def stream_ids(self, after: str = "", limit: int = 1000) -> list[str]:
        return self._reading.stream_ids(after, limit)

    def head(self, stream_id: str) -> int:
        return self._reading.head(stream_id)

    def last_position(self) -> int:
        return self._reading.last_position()

    def unfinished(self, among: Sequence[str] | None = None) -> list[str]:
        return self._reading.unfinished(among)

    def priorities(self, among: Sequence[str] | None = None) -> dict[str, int]:
        return self._reading.priorities(among)

    def blob(self, sha256: bytes) -> bytes:
        return self._reading.blob(sha256)

    def copy_in(self, rows: Iterable[Row], blobs: Iterable[Blob] = ()) -> int:
        with self.transaction() as connection:
            return copy_in(connection, rows, blobs)

    def put_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshots.put(snapshot)

    def latest_snapshot(self, stream_id: str, at_most: int | None = None) -> Snapshot | None:
        return self._reading.snapshot(stream_id, at_most)

    def drop_snapshots(self, stream_id: str | None = None, below: int | None = None) -> int:
        return self._snapshots.drop(stream_id, below)

    def open_views_writer(self) -> sqlite3.Connection:
        with store_errors(self.path):
            connection = connect(self.path, "NORMAL", busy_timeout=self._busy_timeout, statements=256)
            leave_checkpoints(connection)
            return connection

    def move_log(self, connection: sqlite3.Connection) -> None:
        with suppress(sqlite3.OperationalError):  # somebody else does it now
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        if not self._log_reserved:
            self._log_reserved = True
            with self.write_lock, suppress(sqlite3.Error, OSError):  # it is only faster with it
                reserve_log(connection, self.path)

    def open_views_reader(self) -> sqlite3.Connection:
        with store_errors(self.path):
            return connect_read_only(self.path, busy_timeout=self._busy_timeout)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query over committed data."""
        return self._reading.select(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction of its own, as durable as an append; nothing of it stays when the block
        raises.
        """
        with store_errors(self.path), self._writing.transaction() as connection:
            yield connection

    def close(self) -> None:
        self._snapshots.close()
        self._reading.close()
        self._writing.close()
