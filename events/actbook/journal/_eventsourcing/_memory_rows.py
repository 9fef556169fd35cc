"""Rows in a memory store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from typing import Any

from eventsourcing.persistence import IntegrityError

from actbook.journal._chain import Row
from actbook.journal._known import Head
from actbook.journal._memory import MemoryStore
from actbook.journal._store import Snapshot


class MemoryRowTransaction:
    """Collects what to write; `MemoryRows.transaction` writes it when the block ends well."""

    def __init__(self, store: MemoryStore, tracked: dict[str, int]) -> None:
        self._store = store
        self._tracked = tracked
        self.values: list[Any] = []
        self.snapshots: list[Snapshot] = []
        self.tracks: dict[str, int] = {}

    def head(self, stream_id: str) -> Head | None:
        rows = self._store.read_rows(stream_id, after=-1)
        return (rows[-1].version, rows[-1].hash) if rows else None

    def insert(self, values: list[Any]) -> int:
        self.values = values
        return self._store.last_position() + 1

    def put_snapshot(self, stream_id: str, version: int, state: bytes) -> None:
        snapshot = Snapshot(stream_id, version, state, sha256(state).digest())
        present = [s.version for s in self._store.snapshots(stream_id)] + [s.version for s in self.snapshots]
        if version in present:
            raise IntegrityError(f"Stream {stream_id!r} has a snapshot of version {version}")
        self.snapshots.append(snapshot)

    def track(self, name: str, position: int) -> bool:
        if self._tracked.get(name, position - 1) >= position:
            return False
        self.tracks[name] = position
        return True


class MemoryRows:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._tracked: dict[str, int] = {}

    @contextmanager
    def transaction(self) -> Iterator[MemoryRowTransaction]:
        with self._store.write_lock:
            transaction = MemoryRowTransaction(self._store, self._tracked)
            yield transaction
            self._store.insert(transaction.values)
            self._tracked.update(transaction.tracks)
            for snapshot in transaction.snapshots:
                self._store.keep_snapshot(snapshot)

    def stream(self, stream_id: str, above: int, upto: int, descending: bool, limit: int) -> Iterable[Row]:
        rows = [row for row in self._store.read_rows(stream_id, after=above) if row.version <= upto]
        return _first(limit, reversed(rows) if descending else rows)

    def log(self, first: int, last: int, topics: Sequence[str], limit: int) -> Iterable[Row]:
        rows = self._store.rows(first - 1, last)
        return _first(limit, (row for row in rows if not topics or row.topic in topics))

    def snapshots(
        self, stream_id: str, above: int, upto: int, descending: bool, limit: int
    ) -> Iterable[tuple[int, bytes]]:
        fitting = [s for s in self._store.snapshots(stream_id) if above < s.version <= upto]
        ordered = sorted(fitting, key=lambda s: s.version, reverse=descending)
        return _first(limit, ((snapshot.version, snapshot.state) for snapshot in ordered))

    def last_position(self) -> int:
        return self._store.last_position()

    def tracked(self, name: str) -> int | None:
        return self._tracked.get(name)

    def blob(self, sha256: bytes) -> bytes:
        return self._store.blob(sha256)

    def close(self) -> None:
        self._store.close()


def _first(limit: int, items: Iterable[Any]) -> list[Any]:
    return list(items if limit < 0 else islice(items, limit))
