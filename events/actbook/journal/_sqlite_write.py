"""Appending to a SQLite store: one transaction per batch, as few calls into SQLite as can be."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from threading import Lock
from typing import Any, TypeVar

from actbook.journal._archived import ever_archived, head_elsewhere
from actbook.journal._errors import JournalClosedError, StoreBusyError
from actbook.journal._known import EMPTY, Head, Where
from actbook.journal._plan import COLUMNS, Closed, Plan
from actbook.journal._prepared import Prepared
from actbook.journal._sqlite_schema import as_store_error, is_busy

T = TypeVar("T")

_CHUNK = 1024
_EXACT = 8
"""Up to so many rows a statement has just as many: nothing is cut off."""
_ID_CHUNK = 512
_HEADS_KEPT = 200_000
_LONGEST_PAUSE = 0.01
_LEADER_PATIENCE = 0.002
"""Seconds that a leader waits for another thread's short transaction: less than the way through the writer's thread costs."""

_HEAD = "SELECT version, hash FROM events WHERE stream_id=? ORDER BY version DESC LIMIT 1"
_GIVEN = (
    "SELECT g.event_id, e.stream_id, e.version, e.position FROM given_ids g JOIN events e USING(position)"
    " WHERE g.event_id IN ({marks})"
)
_OPENED = "stream_id, position, priority, waits_on, waits_beyond"
_OPENED_AGAIN = (
    " ON CONFLICT(stream_id) DO UPDATE SET"
    " priority=excluded.priority, waits_on=excluded.waits_on, waits_beyond=excluded.waits_beyond"
)
_CLOSED = "DELETE FROM unfinished WHERE stream_id IN (SELECT column1 FROM ("
_UNLESS = ") WHERE NOT EXISTS(SELECT 1 FROM events WHERE stream_id=column2 AND version>column3))"
_HEADS = (
    "WITH asked(id) AS (VALUES {marks}) SELECT asked.id, e.version, e.hash FROM asked JOIN events e ON e.position="
    "(SELECT position FROM events WHERE stream_id=asked.id ORDER BY version DESC LIMIT 1)"
)
LAST_POSITION = "SELECT seq FROM sqlite_sequence WHERE name='events'"


class RowInserter:
    """Inserts flat rows with one statement per chunk.

    The `sqlite3` module releases the interpreter lock at every step, and row by row each release is a chance
    to lose it for milliseconds to a busy loop. One multi-row statement is one step. Statements come in sizes
    of powers of two, so few of them are ever compiled; LIMIT cuts off the padding.
    """

    def __init__(self, head: str, columns: int, *, tail: str = "", chunk: int = _CHUNK) -> None:
        self._head, self._tail = head, tail
        self._columns = columns
        self._chunk = chunk
        self._row = "(" + ",".join("?" * columns) + ")"
        self._statements: dict[int, str] = {}

    def insert(self, connection: sqlite3.Connection, rows: list[Any]) -> int:
        """Returns the rowid of the first row; the others follow without gaps."""
        step, rest = self._chunk * self._columns, rows
        while len(rest) > step:
            self._insert_chunk(connection, rest[:step])
            rest = rest[step:]
        last = self._insert_chunk(connection, rest)
        return last - len(rows) // self._columns + 1

    def _insert_chunk(self, connection: sqlite3.Connection, rows: list[Any]) -> int:
        count = len(rows) // self._columns
        size = count if count <= _EXACT else 1 << (count - 1).bit_length()
        sql = self._statements.get(size) or self._statement(size)
        if size > _EXACT:
            rows = [*rows, *([None] * ((size - count) * self._columns)), count]
        return connection.execute(sql, rows).lastrowid or 0

    def _statement(self, size: int) -> str:
        values = "VALUES" + ",".join([self._row] * size)
        body = values if size <= _EXACT else f"SELECT * FROM ({values}) LIMIT ?"
        self._statements[size] = sql = f"{self._head}{body}{self._tail}"
        return sql


EVENTS = RowInserter("INSERT INTO events(stream_id,version,topic,event_id,at,hash,state) ", COLUMNS)


class WritePath:
    """Owns the connection that appends.

    Heads of streams are kept in memory and guarded by the table's uniqueness.
    """

    def __init__(self, path: str, connection: sqlite3.Connection, lock: Lock, patience: float) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = connection
        self._lock = lock
        self._patience = patience
        self._heads: dict[str, Head] = {}
        self._opened = RowInserter(f"INSERT INTO unfinished({_OPENED}) ", 5, tail=_OPENED_AGAIN)
        self._closed = RowInserter(_CLOSED, 3, tail=_UNLESS)
        self._blobs = RowInserter("INSERT OR IGNORE INTO blobs ", 4, chunk=1)
        self._given_ids = RowInserter("INSERT INTO given_ids ", 2)

    def write(self, batch: Sequence[Prepared], *, wait: bool) -> Plan:
        """Writes a batch.

        Raises only when `wait` is false and a lock stays taken, or when the store is closed.
        """
        if not self._lock.acquire(timeout=-1 if wait else _LEADER_PATIENCE):
            raise StoreBusyError(self._path, "another thread is writing")
        try:
            return self._write(self._open_connection(), batch, wait)
        finally:
            self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection inside a transaction, under the lock."""
        with self._lock, self._transaction(self._open_connection(), wait=True):
            yield self._open_connection()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise JournalClosedError
        return self._connection

    def _write(self, connection: sqlite3.Connection, batch: Sequence[Prepared], wait: bool) -> Plan:
        plan = Plan(_Known(connection, self._heads))
        try:
            if not self._commit(connection, plan.add(batch), wait):
                plan = Plan(_ExactlyKnown(connection, self._heads))
                with self._transaction(connection, wait):
                    self._insert(connection, plan.add(batch))
        except sqlite3.Error as error:
            failure = as_store_error(self._path, error)
            if not wait and isinstance(failure, StoreBusyError):
                raise failure from error
            for stream_id in plan.heads:
                self._heads.pop(stream_id, None)
            plan.fail(failure)
            return plan
        self._remember(plan)
        return plan

    def _commit(self, connection: sqlite3.Connection, plan: Plan, wait: bool) -> bool:
        """False when another process wrote to one of the streams meanwhile, or may have: then nothing is
        written.
        """
        if plan.is_unguarded:
            return False
        try:
            if plan.is_empty:
                plan.settle(last_position(connection) + 1)
            elif plan.lifecycle or plan.blobs or plan.given_ids or plan.size > _CHUNK:
                with self._transaction(connection, wait):
                    self._insert(connection, plan)
            else:
                plan.settle(self._insert_at_once(connection, plan.rows, wait))
        except sqlite3.IntegrityError:
            return False
        return True

    def _insert_at_once(self, connection: sqlite3.Connection, rows: list[Any], wait: bool) -> int:
        """In autocommit mode a lone statement is a transaction: one step does it all."""
        try:
            return EVENTS.insert(connection, rows)
        except sqlite3.OperationalError as error:
            if not wait or not is_busy(error):
                raise
        return self._patiently(wait, lambda: EVENTS.insert(connection, rows))

    def _insert(self, connection: sqlite3.Connection, plan: Plan) -> None:
        if plan.blobs:
            self._blobs.insert(connection, [value for blob in plan.blobs.values() for value in blob])
        if plan.rows:
            plan.settle(EVENTS.insert(connection, plan.rows))
        else:
            plan.settle(last_position(connection) + 1)
        if plan.given_ids:
            given = plan.given_ids.items()
            rows = [
                value
                for event_id, where in given
                for value in (event_id, plan.first_position + where.position)
            ]
            self._given_ids.insert(connection, rows)
        opened: list[Any] = []
        closed: list[Any] = []
        for stream_id, entry in plan.lifecycle.items():
            if isinstance(entry, Closed):
                closed += (stream_id, *(entry.unless or (None, None)))
            else:
                row, priority, asleep, _ = entry
                opened += (stream_id, plan.first_position + row, priority, *(asleep or (None, None)))
        if opened:
            self._opened.insert(connection, opened)
        if closed:
            self._closed.insert(connection, closed)

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection, wait: bool) -> Iterator[None]:
        self._patiently(wait, lambda: connection.execute("BEGIN IMMEDIATE"))
        try:
            yield
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")

    def _patiently(self, wait: bool, attempt: Callable[[], T]) -> T:
        """Repeats an attempt while another process holds the database, with growing random pauses."""
        deadline, pause = 0.0, 0.0005
        while True:
            try:
                return attempt()
            except sqlite3.OperationalError as error:
                deadline = deadline or time.monotonic() + self._patience
                if not wait or not is_busy(error) or time.monotonic() > deadline:
                    raise
            time.sleep(pause * random.SystemRandom().random())
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _remember(self, plan: Plan) -> None:
        heads = self._heads
        heads.update(plan.heads)
        if plan.lifecycle:
            for stream_id, entry in plan.lifecycle.items():
                if isinstance(entry, Closed):
                    heads.pop(stream_id, None)
        if len(heads) > _HEADS_KEPT:
            for stream_id in list(islice(heads, len(heads) // 2)):
                del heads[stream_id]


class _Known:
    """Trusts the heads in memory: what another process appended since shows as a violated uniqueness."""

    def __init__(self, connection: sqlite3.Connection, heads: Mapping[str, Head]) -> None:
        self._connection = connection
        self._heads = heads

    def head(self, stream_id: str, expected: int | None) -> Head:
        head = self._heads.get(stream_id)
        if head is not None:
            return head
        return EMPTY if expected == 0 else self.actual_head(stream_id)

    def actual_head(self, stream_id: str) -> Head:
        row: Head | None = self._connection.execute(_HEAD, (stream_id,)).fetchone()
        return row or head_elsewhere(self._connection, stream_id)

    def heads(self, stream_ids: Sequence[str]) -> Mapping[str, Head]:
        unknown = [each for each in stream_ids if each not in self._heads]
        if len(unknown) < 2:
            return {}
        found: dict[str, Head] = {} if ever_archived(self._connection) else dict.fromkeys(unknown, EMPTY)
        for start in range(0, len(unknown), _ID_CHUNK):
            ids = unknown[start : start + _ID_CHUNK]
            size = 1 << (len(ids) - 1).bit_length()
            sql = _HEADS.format(marks=",".join(["(?)"] * size))
            for stream_id, *head in self._connection.execute(sql, ids + [None] * (size - len(ids))):
                found[stream_id] = (head[0], head[1])
        return found

    def recorded(self, event_ids: Sequence[bytes]) -> dict[bytes, Where]:
        found: dict[bytes, Where] = {}
        for start in range(0, len(event_ids), _ID_CHUNK):
            ids = event_ids[start : start + _ID_CHUNK]
            marks = ",".join("?" * len(ids))
            for event_id, *where in self._connection.execute(_GIVEN.format(marks=marks), ids):
                found[event_id] = Where(*where)
        return found


class _ExactlyKnown(_Known):
    """Asks the database: used inside a write transaction, where nobody else can change the answer."""

    def head(self, stream_id: str, expected: int | None) -> Head:
        return self.actual_head(stream_id)


def last_position(connection: sqlite3.Connection) -> int:
    """The highest position that was ever given out."""
    row = connection.execute(LAST_POSITION).fetchone()
    return row[0] if row else 0
