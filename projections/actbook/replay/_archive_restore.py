"""Archived streams come back into the store they left, at the positions they had."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from actbook.journal import Row, Store
from actbook.journal._archive_file import ArchiveFileError, StreamEnd, read_archive
from actbook.journal._archived import ARCHIVE_SCHEMA
from actbook.journal._blobs import Blob
from actbook.replay._archive import ArchiveError, of_file
from actbook.replay._archive_check import CheckedArchive, check_archive
from actbook.replay._entries import entry_hash

_BATCH = 1000
_INSERT = "INSERT INTO events(position, stream_id, version, topic, event_id, at, hash, state) VALUES(?,?,?,?,?,?,?,?)"
_HERE = "SELECT hash FROM events WHERE stream_id=? AND version=?"
_STUB = "SELECT archive, version, hash FROM archived_streams WHERE stream_id=?"


class Restored(NamedTuple):
    """`executions` came back with `events`; both are empty when they had come back before."""

    executions: tuple[str, ...]
    events: int


def restore_archive(store: Store, path: Path) -> Restored:
    """Brings all of a file back in one transaction; what came back before is left as it is. The file stays.

    Blocks. Raises `ArchiveFileError` for a damaged file, `ArchiveError` for one of another store.
    """
    kept = of_file(store)
    checked = check_archive(path)
    if checked.faults:
        raise ArchiveFileError(str(path), f"{checked.faults[0].message}; nothing was restored")
    with kept.transaction() as connection:
        for statement in ARCHIVE_SCHEMA:
            connection.execute(statement)
        archive = _archive_of(connection, checked)
        if archive is None:
            return Restored((), 0)
        leaves = dict(
            connection.execute("SELECT position, leaf FROM archived_events WHERE archive=?", (archive,))
        )
        for table in ("archived_streams", "archived_events"):
            connection.execute(f"DELETE FROM {table} WHERE archive=?", (archive,))
        connection.execute("DELETE FROM archives WHERE id=?", (archive,))
        events = _put_back(connection, path, leaves)
        return Restored(tuple(checked.executions), events)


def _archive_of(connection: sqlite3.Connection, checked: CheckedArchive) -> int | None:
    """Its number here; None when all of it is here already. Raises `ArchiveError` when it is neither."""
    numbers = {_number(connection, checked.path, end) for end in checked.ends.values()}
    if len(numbers) != 1:
        raise ArchiveError(
            f"{checked.path} is not of this store as it is now: parts of it are here, others are not."
        )
    return numbers.pop()


def _number(connection: sqlite3.Connection, path: Path, end: StreamEnd) -> int | None:
    stub = connection.execute(_STUB, (end.stream_id,)).fetchone()
    if stub is not None and stub[1:] == (end.version, end.hash):
        return int(stub[0])
    here = connection.execute(_HERE, (end.stream_id, end.version)).fetchone()
    if stub is None and here == (end.hash,):
        return None
    raise ArchiveError(
        f"{path} is of another store: {end.stream_id} was not archived here. `actbook import` takes exports of any store."
    )


def _put_back(connection: sqlite3.Connection, path: Path, leaves: dict[int, bytes]) -> int:
    count = 0
    batch: list[Row] = []
    for record in _contents(path):
        if isinstance(record, Blob):
            connection.execute("INSERT OR IGNORE INTO blobs VALUES(?,?,?,?)", record)
            continue
        if leaves.pop(record.position, None) != entry_hash(record):
            raise ArchiveError(
                f"{path} is not what left this store: the event at position {record.position} differs."
            )
        batch.append(record)
        count += 1
        if len(batch) == _BATCH:
            connection.executemany(_INSERT, batch)
            batch.clear()
    connection.executemany(_INSERT, batch)
    if leaves:
        raise ArchiveError(f"{path} is not all that left this store: {len(leaves)} events are missing in it.")
    return count


def _contents(path: Path) -> Iterator[Row | Blob]:
    return (record for record in read_archive(path) if isinstance(record, (Row, Blob)))
