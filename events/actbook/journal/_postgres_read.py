"""Reading a PostgreSQL store. As many connections as threads read at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from threading import Event, Lock
from typing import Any

from actbook.events._envelope import Envelope
from actbook.journal._chain import Row
from actbook.journal._codec import Opener, decode
from actbook.journal._errors import JournalClosedError
from actbook.journal._postgres_link import Connection, Link
from actbook.journal._postgres_schema import Names
from actbook.journal._postgres_url import PostgresUrl
from actbook.journal._store import Snapshot

_COLUMNS = "position, stream_id, version, topic, event_id, at, hash, state"
_UNBOUND = 2**63 - 1


class ReadPath:
    """Answers from committed data. A read that loses its connection is repeated on another."""

    def __init__(self, url: PostgresUrl, names: Names, patience: float, closing: Event) -> None:
        self._url = url
        self._patience = patience
        self._closing = closing
        self._idle: deque[Link] = deque()
        self._all: list[Link] = []
        self._lock = Lock()
        events = f"SELECT {_COLUMNS} FROM {{schema}}.events"
        unfinished = (
            "SELECT stream_id FROM {schema}.unfinished WHERE (waits_on IS NULL OR EXISTS"
            "(SELECT 1 FROM {schema}.events e WHERE e.stream_id=waits_on AND version>waits_beyond))"
        )
        priorities = "SELECT stream_id, priority FROM {schema}.unfinished WHERE priority<>0"
        among = " AND stream_id = ANY(%b::text[])"
        self._stream = names.sql(f"{events} WHERE stream_id=%b AND version>%b ORDER BY version LIMIT %b")
        log = f"{events} WHERE position>%b AND position<=%b"
        self._log = names.sql(f"{log} ORDER BY position LIMIT %b")
        self._log_of = names.sql(f"{log} AND topic = ANY(%b::text[]) ORDER BY position LIMIT %b")
        self._ids = names.sql(
            "SELECT DISTINCT stream_id FROM {schema}.events WHERE stream_id>%b ORDER BY stream_id LIMIT %b"
        )
        self._head = names.sql("SELECT max(version) FROM {schema}.events WHERE stream_id=%b")
        self._last = names.sql("SELECT {last_position}")
        self._unfinished = names.sql(f"{unfinished} ORDER BY position")
        self._unfinished_of = names.sql(f"{unfinished}{among}")
        self._priorities = names.sql(priorities)
        self._priorities_of = names.sql(f"{priorities}{among}")
        self._blob = names.sql("SELECT data FROM {schema}.blobs WHERE sha256=%b")
        self._snapshot = names.sql(
            "SELECT stream_id, version, state, hash FROM {schema}.snapshots"
            " WHERE stream_id=%b AND version<=%b ORDER BY version DESC LIMIT 1"
        )

    def stream(self, stream_id: str, after: int, limit: int | None, keys: Opener) -> list[Envelope]:
        return [decode(row, self.blob, keys) for row in self.rows(stream_id, after, limit)]

    def rows(self, stream_id: str, after: int, limit: int | None) -> list[Row]:
        if "\0" in stream_id:
            return []
        return list(map(Row._make, self.select(self._stream, (stream_id, after, limit))))

    def log(
        self, after: int, limit: int | None, topics: Sequence[str], upto: int | None, keys: Opener
    ) -> list[Envelope]:
        last = _UNBOUND if upto is None else upto
        if topics:
            rows = self.select(self._log_of, (after, last, list(topics), limit))
        else:
            rows = self.select(self._log, (after, last, limit))
        return [decode(Row._make(row), self.blob, keys) for row in rows]

    def log_rows(self, after: int, limit: int | None) -> list[Row]:
        return list(map(Row._make, self.select(self._log, (after, _UNBOUND, limit))))

    def stream_ids(self, after: str, limit: int) -> list[str]:
        return [row[0] for row in self.select(self._ids, (after, limit))]

    def head(self, stream_id: str) -> int:
        if "\0" in stream_id:
            return 0
        return self.select(self._head, (stream_id,))[0][0] or 0

    def last_position(self) -> int:
        position: int = self.select(self._last)[0][0]
        return position

    def unfinished(self, among: Sequence[str] | None) -> list[str]:
        if among is None:
            rows = self.select(self._unfinished)
        else:
            rows = self.select(self._unfinished_of, (_storable(among),))
        return [row[0] for row in rows]

    def priorities(self, among: Sequence[str] | None) -> dict[str, int]:
        if among is None:
            return dict(self.select(self._priorities))
        return dict(self.select(self._priorities_of, (_storable(among),)))

    def blob(self, sha256: bytes) -> bytes:
        rows = self.select(self._blob, (sha256,))
        if not rows:
            raise KeyError(f"big value {sha256.hex()} is missing")
        data: bytes = rows[0][0]
        return data

    def snapshot(self, stream_id: str, at_most: int | None) -> Snapshot | None:
        if "\0" in stream_id:
            return None
        rows = self.select(self._snapshot, (stream_id, _UNBOUND if at_most is None else at_most))
        return Snapshot(*rows[0]) if rows else None

    def select(self, sql: bytes, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""

        def work(connection: Connection) -> list[Any]:
            return connection.execute(sql, parameters, prepare=True, binary=True).fetchall()

        link = self._take()
        try:
            return link.run(work)
        finally:
            self._idle.append(link)

    def close(self) -> None:
        """Waits for queries that are under way."""
        with self._lock:
            for link in self._all:
                link.close()

    def _take(self) -> Link:
        if self._closing.is_set():
            raise JournalClosedError
        try:
            return self._idle.pop()
        except IndexError:
            with self._lock:
                link = Link(self._url, self._patience, self._closing)
                self._all.append(link)
                return link


def _storable(ids: Sequence[str]) -> list[str]:
    return [each for each in ids if "\0" not in each]
