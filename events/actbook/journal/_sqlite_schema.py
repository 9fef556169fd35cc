"""The tables of a SQLite store, and opening connections to it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from actbook.journal._errors import (
    JournalError,
    StoreBusyError,
    StoreError,
    StoreFormatError,
    StoreFullError,
    StoreIOError,
)

Synchronous = Literal["FULL", "NORMAL"]

APPLICATION_ID = 0x41637442
SCHEMA_VERSION = 2

SCHEMA = """
CREATE TABLE events(
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  stream_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  topic TEXT NOT NULL,
  event_id BLOB NOT NULL,
  at INTEGER NOT NULL,
  hash BLOB NOT NULL,
  state BLOB NOT NULL,
  UNIQUE(stream_id, version)
);
CREATE TABLE given_ids(event_id BLOB PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE unfinished(
  stream_id TEXT PRIMARY KEY,
  position INTEGER NOT NULL,
  priority INTEGER NOT NULL DEFAULT 0,
  waits_on TEXT,
  waits_beyond INTEGER
) WITHOUT ROWID;
CREATE TABLE snapshots(
  stream_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  state BLOB NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY(stream_id, version)
);
CREATE TABLE blobs(
  sha256 BLOB PRIMARY KEY,
  size INTEGER NOT NULL,
  media_type TEXT NOT NULL,
  data BLOB NOT NULL
);
CREATE TABLE tracking(name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

_WAL_SIZE_LIMIT = 64 * 1024 * 1024
_CHECKPOINT_PAGES = 4096
"""Pages in the log at which an append moves what is left of it into the file, so that the log begins again at its start.

The thread of the views has moved most of it before, beside the appends.
"""
_LOG_BYTES = 20 * 1024 * 1024
"""A little more than that many pages."""
_SIGNATURE = """
SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)
FROM pragma_application_id, pragma_user_version
"""
"""One statement, so that another process that is making the file a store shows all of that or nothing."""
_CACHE = "PRAGMA cache_size=-8000"
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_FULL = {sqlite3.SQLITE_FULL}
_FORMAT = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


def connect(
    path: str, synchronous: Synchronous, *, busy_timeout: float = 0.0, statements: int = 64
) -> sqlite3.Connection:
    """A connection in autocommit mode that any thread may use, one at a time."""
    connection = sqlite3.connect(
        path,
        timeout=busy_timeout,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=statements,
    )
    connection.execute(f"PRAGMA synchronous={synchronous}")
    return connection


def connect_read_only(path: str, *, busy_timeout: float) -> sqlite3.Connection:
    """A connection that refuses to write."""
    connection = connect(path, "NORMAL", busy_timeout=busy_timeout)
    connection.execute("PRAGMA query_only=ON")
    return connection


def prepare_file(path: str, patience: float) -> None:
    """Makes the file a store of the current schema unless it is one; raises `StoreFormatError` for anything
    else.

    Waits up to `patience` seconds for other processes that do the same.
    """
    with store_errors(path):
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None)
    try:
        with store_errors(path):
            if not _is_store(connection, path):
                _create(connection, path, patience)
    finally:
        connection.close()


def _is_store(connection: sqlite3.Connection, path: str) -> bool:
    """False for an empty file."""
    application, version, tables = connection.execute(_SIGNATURE).fetchone()
    if not tables and application in (0, APPLICATION_ID):
        return False
    if application != APPLICATION_ID:
        raise StoreFormatError(path, "this SQLite file belongs to another application; name another file")
    if version > SCHEMA_VERSION:
        raise StoreFormatError(
            path, f"a newer actbook wrote it (schema {version}, known {SCHEMA_VERSION}); upgrade"
        )
    if version < SCHEMA_VERSION:
        raise StoreFormatError(
            path,
            f"an unreleased actbook wrote it (schema {version}, known {SCHEMA_VERSION});"
            " name another file, or open it with the version that wrote it",
        )
    return True


def _create(connection: sqlite3.Connection, path: str, patience: float) -> None:
    _use_wal(connection, patience)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _is_store(connection, path):
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(
                "INSERT INTO meta VALUES('schema_version', ?), ('created_at', ?)",
                (str(SCHEMA_VERSION), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())),
            )
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _use_wal(connection: sqlite3.Connection, patience: float) -> None:
    """Changing the journal mode ignores SQLite's busy timeout while another process does the same."""
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.005)


def tune_writer(connection: sqlite3.Connection) -> None:
    """Settings of the connection that appends. Once it is open it waits for other processes in its own way."""
    connection.execute(f"PRAGMA journal_size_limit={_WAL_SIZE_LIMIT}")
    connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
    connection.execute(_CACHE)
    connection.execute("PRAGMA busy_timeout=0")


def leave_checkpoints(connection: sqlite3.Connection) -> None:
    """No commit of this connection moves the log into the file: whoever uses it does that between transactions."""
    connection.execute("PRAGMA wal_autocheckpoint=0")


def reserve_log(connection: sqlite3.Connection, path: str) -> None:
    """Makes the write-ahead log as long as it gets, in a transaction that is rolled back.

    Commits that overwrite a log are twice as fast as those that make the file longer: on ext4 265 µs against 490.
    """
    if os.path.getsize(f"{path}-wal") >= _LOG_BYTES:
        return
    connection.execute("PRAGMA cache_size=16")
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO blobs VALUES(x'', 0, '', zeroblob(?))", (_LOG_BYTES,))
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute(_CACHE)


def is_busy(error: sqlite3.Error) -> bool:
    return _primary_code(error) in _BUSY


@contextmanager
def store_errors(path: str) -> Iterator[None]:
    """Turns errors of the database into those of the journal."""
    try:
        yield
    except sqlite3.Error as error:
        raise as_store_error(path, error) from error


def as_store_error(path: str, error: sqlite3.Error) -> JournalError:
    code, reason = _primary_code(error), str(error)
    if code in _FORMAT:
        return StoreFormatError(path, f"not a SQLite file, or a damaged one ({reason}); restore a backup")
    kind: type[StoreError] = StoreIOError
    if code in _BUSY:
        kind = StoreBusyError
    elif code in _FULL:
        kind = StoreFullError
    return kind(path, reason)


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
