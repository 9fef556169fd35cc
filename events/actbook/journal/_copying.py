"""Recorded events of another store, kept as they are: the same versions, ids, times and hashes, at new positions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice

from actbook.journal._blobs import Blob
from actbook.journal._chain import Row
from actbook.journal._errors import ConflictError
from actbook.journal._sqlite_write import EVENTS

_BATCH = 1024
_HEAD = "SELECT max(version) FROM events WHERE stream_id=?"


class Heads:
    """Where each stream stands while rows are added to it; asks once per stream."""

    def __init__(self) -> None:
        self._versions: dict[str, int] = {}

    def knows(self, stream_id: str) -> bool:
        return stream_id in self._versions

    def begin(self, stream_id: str, version: int) -> None:
        self._versions[stream_id] = version

    def advance(self, row: Row) -> None:
        """Raises `ConflictError` unless the row is the next one of its stream."""
        head = self._versions[row.stream_id]
        if row.version != head + 1:
            raise ConflictError(row.stream_id, row.version - 1, head)
        self._versions[row.stream_id] = row.version


def copy_in(connection: sqlite3.Connection, rows: Iterable[Row], blobs: Iterable[Blob]) -> int:
    """Adds the rows in order, inside the caller's transaction; returns how many. Their positions are not looked at."""
    for blob in blobs:
        connection.execute("INSERT OR IGNORE INTO blobs VALUES(?,?,?,?)", blob)
    count, heads = 0, Heads()
    for batch in _batches(rows):
        for row in batch:
            if not heads.knows(row.stream_id):
                heads.begin(row.stream_id, connection.execute(_HEAD, (row.stream_id,)).fetchone()[0] or 0)
            heads.advance(row)
        first = EVENTS.insert(connection, flat(batch))
        # Which ids were given by their writers is not told by an event; knowing them all refuses none that is new.
        ids = ((row.event_id, first + index) for index, row in enumerate(batch))
        connection.executemany("INSERT OR IGNORE INTO given_ids VALUES(?,?)", ids)
        count += len(batch)
    return count


def flat(rows: Iterable[Row]) -> list[object]:
    """The values of the rows one behind the other, without positions and in the order of a plan."""
    return [value for row in rows for value in row[1:]]


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(rows)
    while batch := list(islice(rest, _BATCH)):
        yield batch
