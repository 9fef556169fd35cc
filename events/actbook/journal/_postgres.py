"""A store in a PostgreSQL schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

import psycopg

from actbook.events._envelope import Append, Envelope
from actbook.journal._blobs import Blob
from actbook.journal._chain import Row
from actbook.journal._codec import NO_KEYS
from actbook.journal._copying import Heads, flat
from actbook.journal._plan import Outcome, Plan
from actbook.journal._postgres_errors import store_errors
from actbook.journal._postgres_link import Connection, Link, connect
from actbook.journal._postgres_read import ReadPath
from actbook.journal._postgres_schema import Names, prepare_schema
from actbook.journal._postgres_url import parse_postgres_url
from actbook.journal._postgres_views import PostgresViews
from actbook.journal._postgres_write import WritePath, check_stream_id, head_of
from actbook.journal._prepared import Prepared, prepare
from actbook.journal._store import Snapshot

if TYPE_CHECKING:
    from actbook.journal._payload_keys import PayloadKeys

_COPIED = 1024


class PostgresStore:
    """Events in a schema of a PostgreSQL database, shared by any number of processes and machines.

    The URL is what the client library takes, and `?schema=` (default `actbook`) and `?views=`: the local file of the views,
    or `memory:`. The schema is made when it is missing. `patience`: seconds to wait for a lost server to come back and for
    locks of others.
    """

    can_lead = False
    many_workers = True

    def __init__(self, url: str, *, patience: float = 10.0) -> None:
        self.url = parse_postgres_url(url)
        self.path = self.url.shown
        self.patience = patience
        self.keys: PayloadKeys | None = None
        self.write_lock = Lock()  # of the views alone: the journal's own writes are in another database
        self.names = Names(self.url.schema)
        self._claim = self.names.sql("SELECT * FROM {schema}.claim(%b::bigint, %b::bigint, %b::text[])")
        self._own_row = self.names.sql("SELECT 1 FROM {schema}.workers WHERE epoch=%b FOR UPDATE")
        self._claimed = self.names.sql("SELECT stream_id, priority FROM {schema}.unfinished WHERE worker=%b")
        self._closing = Event()
        with store_errors(self.path):
            connection = connect(self.url, patience)
            try:
                self.store_id = prepare_schema(connection, self.url)
            finally:
                connection.close()
        self._writing_link = Link(self.url, patience, self._closing)
        self._snapshot_link = Link(self.url, patience, self._closing)
        self._claim_link = Link(self.url, patience, self._closing)
        self._writing = WritePath(self.url, self.names, self._writing_link)
        self._reading = ReadPath(self.url, self.names, patience, self._closing)
        self._views = PostgresViews(self.url.views, self.store_id, patience)

    @property
    def token(self) -> str:
        """What the notifications of this store's commits carry."""
        return self._writing.token

    @property
    def fence(self) -> int | None:
        """The epoch of this worker. Appends fail with `StoreFencedError` once it was dismissed."""
        return self._writing.fence

    @fence.setter
    def fence(self, epoch: int | None) -> None:
        self._writing.fence = epoch

    def write(self, appends: Sequence[Append]) -> list[Outcome]:
        return self.write_prepared([prepare(append, self.keys) for append in appends]).outcomes

    def write_prepared(self, batch: Sequence[Prepared], *, wait: bool = True) -> Plan:
        return self._writing.write(batch)

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

    def claim(self, count: int, among: Sequence[str] | None = None) -> list[tuple[str, int]]:
        """Takes free streams for this worker, the most urgent first: ids and priorities. Raises `StoreFencedError`."""
        parameters = (self.fence, count, None if among is None else list(among))
        with self._claim_link.lock, store_errors(self.path):
            # Not repeated when the connection is lost: it may have happened, see `claimed`.
            connection = self._claim_link.connection()
            try:
                rows = connection.execute(self._claim, parameters, prepare=True, binary=True).fetchall()
            except psycopg.Error as error:
                self._claim_link.forgive(error)
                raise
        return [(row[0], row[1]) for row in sorted(rows, key=lambda row: (-row[1], row[2]))]

    def claimed(self) -> list[tuple[str, int]]:
        """What this worker has: ids and priorities."""

        def work(connection: Connection) -> list[tuple[str, int]]:
            with connection.transaction():
                # A claim whose answer was lost may be about to commit: this waits for it.
                connection.execute(self._own_row, (self.fence,))
                return connection.execute(self._claimed, (self.fence,), binary=True).fetchall()

        return self._claim_link.run(work)

    def blob(self, sha256: bytes) -> bytes:
        return self._reading.blob(sha256)

    def copy_in(self, rows: Iterable[Row], blobs: Iterable[Blob] = ()) -> int:
        given = self.names.sql(
            "INSERT INTO {schema}.given_ids SELECT id, %s::bigint + n - 1 FROM unnest(%s::bytea[])"
            " WITH ORDINALITY AS t(id, n) ON CONFLICT DO NOTHING"
        )
        count, heads, rest = 0, Heads(), iter(rows)
        with self.transaction() as connection:
            self._writing.put_blobs(connection, blobs)
            while batch := list(islice(rest, _COPIED)):
                for row in batch:
                    if not heads.knows(row.stream_id):
                        check_stream_id(row.stream_id)
                        heads.begin(
                            row.stream_id, (head_of(connection, self.names, row.stream_id) or (0,))[0]
                        )
                    heads.advance(row)
                first = self.insert(connection, flat(batch))
                connection.execute(given, (first, [row.event_id for row in batch]))
                count += len(batch)
        return count

    def put_snapshot(self, snapshot: Snapshot) -> None:
        sql = self.names.sql(
            "INSERT INTO {schema}.snapshots(stream_id, version, state, hash) VALUES(%b, %b, %b, %b)"
            " ON CONFLICT (stream_id, version) DO UPDATE SET state=excluded.state, hash=excluded.hash"
        )
        check_stream_id(snapshot.stream_id)
        self._snapshot_link.run(lambda connection: connection.execute(sql, snapshot, prepare=True))

    def latest_snapshot(self, stream_id: str, at_most: int | None = None) -> Snapshot | None:
        return self._reading.snapshot(stream_id, at_most)

    def drop_snapshots(self, stream_id: str | None = None, below: int | None = None) -> int:
        sql = self.names.sql(
            "DELETE FROM {schema}.snapshots WHERE (%s::text IS NULL OR stream_id=%s)"
            " AND (%s::bigint IS NULL OR version<%s)"
        )
        parameters = (stream_id, stream_id, below, below)
        return self._snapshot_link.run(lambda connection: connection.execute(sql, parameters).rowcount)

    def move_log(self, connection: sqlite3.Connection) -> None:
        """The server looks after its own log, and SQLite after that of the views."""

    def open_views_writer(self) -> sqlite3.Connection:
        return self._views.connect()

    def open_views_reader(self) -> sqlite3.Connection:
        return self._views.connect_read_only()

    def query(self, sql: bytes, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query over committed data."""
        return self._reading.select(sql, parameters)

    def insert(self, connection: Connection, rows: list[Any]) -> int:
        """Adds events, flat as in a `Plan`, in a `transaction`; the position of the first one."""
        return self._writing.insert(connection, rows)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction during which nobody else appends; nothing of it stays when the block raises.

        It is not repeated when the connection is lost.
        """
        with store_errors(self.path):
            try:
                with self._writing.transaction() as connection:
                    yield connection
            except psycopg.Error as error:
                self._writing_link.forgive(error)
                raise

    def close(self) -> None:
        self._closing.set()
        self._snapshot_link.close()
        self._claim_link.close()
        self._reading.close()
        self._writing_link.close()
        self._views.close()
