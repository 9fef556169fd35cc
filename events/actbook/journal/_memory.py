"""A store in memory: the same rows as in a database, gone with the process."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from actbook.events._envelope import Append, Envelope
from actbook.journal._blobs import Blob
from actbook.journal._chain import Row
from actbook.journal._codec import NO_KEYS, decode
from actbook.journal._copying import Heads, flat
from actbook.journal._errors import JournalClosedError, StoreBusyError
from actbook.journal._known import EMPTY, Head, Where
from actbook.journal._memory_views import MemoryViews
from actbook.journal._plan import COLUMNS, Closed, Opened, Outcome, Plan
from actbook.journal._prepared import Prepared, prepare
from actbook.journal._store import Snapshot

if TYPE_CHECKING:
    from actbook.journal._payload_keys import PayloadKeys


class _Known:
    """Everything is in memory, so everything is known."""

    def __init__(self, streams: Mapping[str, Sequence[Row]], ids: Mapping[bytes, Where]) -> None:
        self._streams = streams
        self._ids = ids

    def head(self, stream_id: str, expected: int | None) -> Head:
        return self.actual_head(stream_id)

    def actual_head(self, stream_id: str) -> Head:
        rows = self._streams.get(stream_id)
        return (rows[-1].version, rows[-1].hash) if rows else EMPTY

    def heads(self, stream_ids: Sequence[str]) -> Mapping[str, Head]:
        return {}

    def recorded(self, event_ids: Sequence[bytes]) -> Mapping[bytes, Where]:
        return {event_id: self._ids[event_id] for event_id in event_ids if event_id in self._ids}


class MemoryStore:
    """Events in lists. Readers see whole transactions only."""

    can_lead = True
    many_workers = False

    def __init__(self) -> None:
        self.write_lock = Lock()
        self.keys: PayloadKeys | None = None
        self._log: list[Row] = []
        self._streams: dict[str, list[Row]] = {}
        self._ids: dict[bytes, Where] = {}
        self._unfinished: dict[str, Opened] = {}
        self._blobs: dict[bytes, bytes] = {}
        self._snapshots: dict[str, dict[int, Snapshot]] = {}
        self._views = MemoryViews()
        self._closed = False

    def write(self, appends: Sequence[Append]) -> list[Outcome]:
        return self.write_prepared([prepare(append, self.keys) for append in appends]).outcomes

    def write_prepared(self, batch: Sequence[Prepared], *, wait: bool = True) -> Plan:
        if not self.write_lock.acquire(blocking=wait):
            raise StoreBusyError("memory:", "another thread is writing")
        try:
            if self._closed:
                raise JournalClosedError
            plan = Plan(_Known(self._streams, self._ids)).add(batch)
            plan.settle(len(self._log) + 1)
            self._keep(plan)
            return plan
        finally:
            self.write_lock.release()

    def read_stream(self, stream_id: str, after: int = 0, limit: int | None = None) -> list[Envelope]:
        keys = self.keys or NO_KEYS
        return [decode(row, self.blob, keys) for row in self.read_rows(stream_id, after, limit)]

    def read_log(
        self, after: int = 0, limit: int | None = 1000, topics: Sequence[str] = (), upto: int | None = None
    ) -> list[Envelope]:
        rows = self.rows(after, upto)
        if topics:
            rows = [row for row in rows if row.topic in topics]
        keys = self.keys or NO_KEYS
        return [decode(row, self.blob, keys) for row in rows[:limit]]

    def read_rows(self, stream_id: str, after: int = 0, limit: int | None = None) -> list[Row]:
        rows = self._streams.get(stream_id, [])
        start = bisect_right(rows, after, key=_version)
        return rows[start : None if limit is None else start + limit]

    def log_rows(self, after: int = 0, limit: int | None = 1000) -> list[Row]:
        return self.rows(after, None if limit is None else after + limit)

    def stream_ids(self, after: str = "", limit: int = 1000) -> list[str]:
        ids = sorted(self._streams.copy())
        start = bisect_right(ids, after)
        return ids[start : start + limit]

    def head(self, stream_id: str) -> int:
        rows = self._streams.get(stream_id)
        return rows[-1].version if rows else 0

    def last_position(self) -> int:
        return len(self._log)

    def unfinished(self, among: Sequence[str] | None = None) -> list[str]:
        opened = self._opened(among)
        return sorted(filter(self._is_awake, opened), key=lambda stream_id: opened[stream_id].row)

    def priorities(self, among: Sequence[str] | None = None) -> dict[str, int]:
        return {s: opened.priority for s, opened in self._opened(among).items() if opened.priority}

    def _opened(self, among: Sequence[str] | None) -> dict[str, Opened]:
        opened = self._unfinished.copy()
        return opened if among is None else {s: opened[s] for s in among if s in opened}

    def _is_awake(self, stream_id: str) -> bool:
        opened = self._unfinished.get(stream_id)
        return opened is not None and (
            opened.asleep is None or self.head(opened.asleep[0]) > opened.asleep[1]
        )

    def blob(self, sha256: bytes) -> bytes:
        return self._blobs[sha256]

    def copy_in(self, rows: Iterable[Row], blobs: Iterable[Blob] = ()) -> int:
        added, heads = list(rows), Heads()
        with self.write_lock:
            for row in added:
                if not heads.knows(row.stream_id):
                    heads.begin(row.stream_id, self.head(row.stream_id))
                heads.advance(row)
            self._blobs.update((blob.sha256, blob.data) for blob in blobs)
            self.insert(flat(added))
        return len(added)

    def put_snapshot(self, snapshot: Snapshot) -> None:
        with self.write_lock:
            self.keep_snapshot(snapshot)

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        """`put_snapshot` for who holds `write_lock`."""
        self._snapshots.setdefault(snapshot.stream_id, {})[snapshot.version] = snapshot

    def snapshots(self, stream_id: str) -> list[Snapshot]:
        """All snapshots of a stream."""
        return list(self._snapshots.get(stream_id, {}).values())

    def latest_snapshot(self, stream_id: str, at_most: int | None = None) -> Snapshot | None:
        with self.write_lock:
            versions = self._snapshots.get(stream_id, {})
            fitting = [version for version in versions if at_most is None or version <= at_most]
            return versions[max(fitting)] if fitting else None

    def drop_snapshots(self, stream_id: str | None = None, below: int | None = None) -> int:
        dropped = 0
        with self.write_lock:
            for versions in [self._snapshots.get(stream_id, {})] if stream_id else self._snapshots.values():
                for version in [v for v in versions if below is None or v < below]:
                    del versions[version]
                    dropped += 1
        return dropped

    def move_log(self, connection: sqlite3.Connection) -> None:
        """There is none."""

    def open_views_writer(self) -> sqlite3.Connection:
        return self._views.connect()

    def open_views_reader(self) -> sqlite3.Connection:
        return self._views.connect(read_only=True)

    def close(self) -> None:
        self._closed = True
        self._views.close()

    def insert(self, values: list[Any]) -> int:
        """Adds encoded events, flat as in a `Plan`, under `write_lock`; returns the position of the first
        one.
        """
        first = len(self._log) + 1
        rows = [
            Row(first + index, *values[index * COLUMNS : (index + 1) * COLUMNS])
            for index in range(len(values) // COLUMNS)
        ]
        for row in rows:
            self._streams.setdefault(row.stream_id, []).append(row)
            self._ids[row.event_id] = Where(row.stream_id, row.version, row.position)
        self._log += rows
        return first

    def rows(self, after: int = 0, upto: int | None = None) -> list[Row]:
        """The log as it is stored."""
        return self._log[max(after, 0) : upto]

    def _keep(self, plan: Plan) -> None:
        self._blobs.update((blob.sha256, blob.data) for blob in plan.blobs.values())
        first = self.insert(plan.rows)
        for stream_id, opened in plan.lifecycle.items():
            if isinstance(opened, Closed):
                if opened.unless is None or self.head(opened.unless[0]) <= opened.unless[1]:
                    self._unfinished.pop(stream_id, None)
            else:
                before = self._unfinished.get(stream_id)
                position = before.row if before is not None else first + opened.row
                self._unfinished[stream_id] = opened._replace(row=position)


def _version(row: Row) -> int:
    return row.version
