"""What verification reads: a store that is open, or a file that nothing is written to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from actbook.journal import Fault, Row, Snapshot, SQLiteStore, Store, StoreFormatError
from actbook.journal._sqlite_schema import APPLICATION_ID, store_errors
from actbook.replay._tables import (
    faults_of_doubles,
    faults_of_lost_ids,
    faults_of_media_types,
    faults_of_meta,
    faults_of_notes,
    faults_of_sleepers,
    faults_of_unknown_ids,
)

_PAGE = 1000
_COLUMNS = ", ".join(Row._fields)
_TYPES: tuple[tuple[str, type, Any], ...] = (
    ("position", int, 0),
    ("stream_id", str, ""),
    ("version", int, 0),
    ("topic", str, ""),
    ("event_id", bytes, b""),
    ("at", int, 0),
    ("hash", bytes, b""),
    ("state", bytes, b"\xc0"),
)


_CHECKS = (
    faults_of_meta,
    faults_of_lost_ids,
    faults_of_media_types,
    faults_of_sleepers,
    faults_of_notes,
    faults_of_doubles,
    faults_of_unknown_ids,
)
_KINDS = tuple(kind for _, kind, _ in _TYPES)
_BLOB = "SELECT data FROM blobs WHERE sha256=?"
_FORGOTTEN = (
    "SELECT 1 FROM (SELECT event_id FROM events WHERE stream_id=? ORDER BY version DESC LIMIT 1) e"
    " WHERE e.event_id NOT IN (SELECT event_id FROM given_ids) AND NOT EXISTS(SELECT 1 FROM unfinished WHERE stream_id=?)"
)
"""All ids of imported events are known as given ones."""
_BESIDE = {"given_ids", "unfinished", "snapshots", "blobs"}


class Evidence(Protocol):
    """Everything comes as it is stored, however damaged; a value of a type that the column never has is left blank."""

    connection: sqlite3.Connection
    """To the tables beside the events."""

    def stream_ids(self) -> Iterator[object]:
        """Of all events; each should be a text."""
        ...

    def rows(self, stream_id: str) -> Iterator[Row]:
        """A stream in the order of its versions."""
        ...

    def log(self) -> Iterator[Row]:
        """All events in the order of their positions."""
        ...

    def head(self, stream_id: str) -> int:
        """Version of the last event of a stream."""
        ...

    def last_position(self) -> int:
        """The highest position that was ever given out."""
        ...

    def blob(self, digest: bytes) -> bytes:
        """A big value; raises `KeyError` when it is missing or not what its digest says."""
        ...

    def snapshots(self, stream_id: str) -> Iterator[Snapshot]:
        """All of a stream, oldest first."""
        ...

    def is_forgotten(self, stream_id: str) -> bool:
        """Is an execution that goes on missing in the list by which it is taken up again, though it was not imported?"""
        ...

    def faults_of_tables(self) -> Iterator[Fault]:
        """What is wrong with the tables beside the events."""
        ...


@contextmanager
def evidence_of(source: Store | Path | str) -> Iterator[Evidence]:
    """Of a store that is open, or of the file at a path. A file is looked at as it is at one moment."""
    path = source.path if isinstance(source, SQLiteStore) else source
    if isinstance(path, Path | str):
        with store_errors(str(path)):
            connection = _open_file(Path(path))
            try:
                yield FileEvidence(connection)
            except UnicodeDecodeError as error:
                # SQLite cites in its message what it could not read.
                raise StoreFormatError(str(path), "the file is damaged: bring a copy of it back") from error
            finally:
                connection.close()
        return
    connection = path.open_views_reader()
    try:
        yield StoreEvidence(path, connection)
    finally:
        connection.close()


def _open_file(path: Path) -> sqlite3.Connection:
    """Without a log beside it nobody writes to the file, and SQLite needs to write nothing either to read it."""
    if not path.is_file():
        raise StoreFormatError(str(path), "there is no such file; name a store, or a copy of one")
    log = path.with_name(path.name + "-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=10.0,
    )
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION_ID:
            raise StoreFormatError(str(path), "this is no actbook store; name another file")
        connection.execute("BEGIN")
    except BaseException:
        connection.close()
        raise
    return connection


class FileEvidence:
    """Of an SQLite file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._sound: dict[bytes, bool] = {}
        tables = self._select("SELECT name FROM sqlite_master WHERE type='table'")
        self._missing = _BESIDE.difference(name for (name,) in tables)

    def stream_ids(self) -> Iterator[object]:
        return (row[0] for row in self._select("SELECT DISTINCT stream_id FROM events ORDER BY stream_id"))

    def rows(self, stream_id: str) -> Iterator[Row]:
        sql = f"SELECT {_COLUMNS} FROM events WHERE stream_id=? ORDER BY version"
        return map(_typed, self._select(sql, stream_id))

    def log(self) -> Iterator[Row]:
        return map(_typed, self._select(f"SELECT {_COLUMNS} FROM events ORDER BY position"))

    def head(self, stream_id: str) -> int:
        found = self._one("SELECT max(version) FROM events WHERE stream_id=?", stream_id)
        return found if isinstance(found, int) else 0

    def last_position(self) -> int:
        found = self._one("SELECT max(seq) FROM sqlite_sequence WHERE name='events'")
        return found if isinstance(found, int) else 0

    def blob(self, digest: bytes) -> bytes:
        data = None if "blobs" in self._missing else self._one(_BLOB, digest)
        if not isinstance(data, bytes):
            raise KeyError(f"big value {digest.hex()} is missing")
        sound = self._sound.get(digest)
        if sound is None:
            sound = sha256(data).digest() == digest
            if len(self._sound) < _PAGE:
                self._sound[digest] = sound
        if not sound:
            raise KeyError(f"big value {digest.hex()} was edited")
        return data

    def snapshots(self, stream_id: str) -> Iterator[Snapshot]:
        if "snapshots" in self._missing:
            return iter(())
        sql = "SELECT stream_id, version, state, hash FROM snapshots WHERE stream_id=? ORDER BY version"
        return map(Snapshot._make, self._select(sql, stream_id))

    def is_forgotten(self, stream_id: str) -> bool:
        if self._missing:
            return False
        return self._one(_FORGOTTEN, stream_id, stream_id) is not None

    def faults_of_tables(self) -> Iterator[Fault]:
        for (text,) in self._select("PRAGMA integrity_check(20)"):
            if text != "ok":
                yield Fault("", 0, 0, "index", f"SQLite's integrity check: {text}")
        if self._missing:
            yield Fault("", 0, 0, "index", f"tables are missing: {', '.join(sorted(self._missing))}")
            return
        yield from self._faults_of_ids()
        yield from self._faults_of_blobs()
        for check in _CHECKS:
            yield from check(self.connection)
        lost = (
            "SELECT stream_id, position FROM unfinished WHERE stream_id NOT IN (SELECT stream_id FROM events)"
        )
        for stream_id, position in self._select(lost):
            yield Fault(
                str(stream_id), 0, _number(position), "index", "listed as unfinished, and has no events"
            )
        orphans = (
            "SELECT stream_id, version FROM snapshots WHERE stream_id NOT IN (SELECT stream_id FROM events)"
        )
        for stream_id, version in self._select(orphans):
            yield Fault(
                str(stream_id), _number(version), 0, "snapshot", "a snapshot of a stream that has no events"
            )

    def _faults_of_ids(self) -> Iterator[Fault]:
        sql = (
            "SELECT e.stream_id, e.version, e.position, g.event_id FROM given_ids g JOIN events e USING(position)"
            " WHERE e.event_id IS NOT g.event_id"
        )
        for stream_id, version, position, event_id in self._select(sql):
            shown = event_id.hex() if isinstance(event_id, bytes) else repr(event_id)
            text = f"the index of given ids names {shown} for this event, which has another id"
            yield Fault(str(stream_id), _number(version), _number(position), "index", text)

    def _faults_of_blobs(self) -> Iterator[Fault]:
        for digest, size, data in self._select("SELECT sha256, size, data FROM blobs"):
            shown = digest.hex() if isinstance(digest, bytes) else repr(digest)
            if not isinstance(data, bytes) or sha256(data).digest() != digest:
                yield Fault(
                    "", 0, 0, "blob", f"big value {shown} was edited: its content has another SHA-256"
                )
            elif len(data) != size:
                yield Fault("", 0, 0, "blob", f"big value {shown} has {len(data)} bytes, not {size}")

    def _select(self, sql: str, *parameters: Any) -> Iterator[Any]:
        return iter(self.connection.execute(sql, parameters))

    def _one(self, sql: str, *parameters: Any) -> Any:
        row = self.connection.execute(sql, parameters).fetchone()
        return row[0] if row else None


class StoreEvidence:
    """Of any open store."""

    def __init__(self, store: Store, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._store = store
        self._last = store.last_position()

    def stream_ids(self) -> Iterator[object]:
        after = ""
        while page := self._store.stream_ids(after, _PAGE):
            yield from page
            after = page[-1]

    def rows(self, stream_id: str) -> Iterator[Row]:
        after = -1
        while page := self._store.read_rows(stream_id, after, _PAGE):
            yield from (row for row in page if row.position <= self._last)
            after = page[-1].version

    def log(self) -> Iterator[Row]:
        after = 0
        while page := self._store.log_rows(after, _PAGE):
            yield from (row for row in page if row.position <= self._last)
            after = page[-1].position

    def head(self, stream_id: str) -> int:
        return self._store.head(stream_id)

    def last_position(self) -> int:
        return self._last

    def blob(self, digest: bytes) -> bytes:
        data = self._store.blob(digest)
        if sha256(data).digest() != digest:
            raise KeyError(f"big value {digest.hex()} was edited")
        return data

    def snapshots(self, stream_id: str) -> Iterator[Snapshot]:
        found, below = [], None
        while (snapshot := self._store.latest_snapshot(stream_id, below)) is not None:
            found.append(snapshot)
            below = snapshot.version - 1
        return reversed(found)

    def is_forgotten(self, stream_id: str) -> bool:
        return False

    def faults_of_tables(self) -> Iterator[Fault]:
        return iter(())


def _typed(values: tuple[Any, ...]) -> Row:
    """A value that was put in place of one of another type is left blank: then the hash does not match."""
    if tuple(map(type, values)) == _KINDS:
        return Row._make(values)
    pairs = zip(values, _TYPES, strict=True)
    return Row._make(value if type(value) is kind else blank for value, (_name, kind, blank) in pairs)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
