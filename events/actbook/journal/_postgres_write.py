"""Appending to a PostgreSQL store: one transaction and, nearly always, one round trip per batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from secrets import token_hex
from typing import Any

import psycopg
from psycopg.errors import UniqueViolation

from actbook.journal._errors import StreamIdError
from actbook.journal._known import EMPTY, Head, Where
from actbook.journal._plan import Closed, Plan
from actbook.journal._postgres_arrays import BESIDE_ARRAYS, EVENT_ARRAYS, beside_arrays, chunks, event_arrays
from actbook.journal._postgres_errors import as_store_error
from actbook.journal._postgres_link import Connection, Link
from actbook.journal._postgres_schema import Names
from actbook.journal._postgres_url import PostgresUrl
from actbook.journal._prepared import Prepared

_HEADS_KEPT = 200_000


class WritePath:
    """Owns the connection that appends.

    Heads of streams are kept in memory and guarded by the table's uniqueness. When the connection is lost in the middle of a
    commit, whether it happened is looked up by the ids of its events before it is tried again.
    """

    def __init__(self, url: PostgresUrl, names: Names, link: Link) -> None:
        self._url = url
        self._link = link
        self._names = names
        self._heads: dict[str, Head] = {}
        self.token = token_hex(8)
        """Marks the notifications of commits made here."""
        self.fence: int | None = None
        """The epoch of this worker; nothing is written once it was dismissed. None: no worker."""
        append = f"{{schema}}.append(%b::bigint, %b::text, {EVENT_ARRAYS})"
        self._lock = names.sql("SELECT {schema}.lock_log(%b::bigint)")
        self._append = names.sql(f"SELECT {append}")
        self._append_all = names.sql(
            f"SELECT {{schema}}.append_beside({append}, %b::bigint, {BESIDE_ARRAYS})"
        )
        self._beside = names.sql(f"SELECT {{schema}}.append_beside(%b::bigint, %b::bigint, {BESIDE_ARRAYS})")
        self._blob = names.sql("INSERT INTO {schema}.blobs VALUES(%b, %b, %b, %b) ON CONFLICT DO NOTHING")
        self._written = names.sql(
            "SELECT position, event_id FROM {schema}.events WHERE stream_id=%b AND version=%b"
        )

    def write(self, batch: Sequence[Prepared]) -> Plan:
        """Writes a batch. Raises only when the store is closed."""
        with self._link.lock:
            attempt = _Attempt(batch)
            pauses = self._link.pauses()
            while True:
                try:
                    plan = self._try(self._link.connection(), attempt)
                    self._remember(plan)
                    return plan
                except psycopg.Error as error:
                    if not self._link.forgive(error) or not pauses.rest():
                        return self._fail(attempt, as_store_error(self._url.shown, error))
                    attempt.in_doubt = attempt.plan is not None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """The connection inside a transaction that nobody else appends meanwhile."""
        with self._link.lock:
            connection = self._link.connection()
            with connection.transaction():
                self.lock(connection)
                yield connection

    def lock(self, connection: Connection) -> int:
        """Keeps others from appending until the transaction ends; the last position. Raises when fenced off."""
        return _int(connection.execute(self._lock, (self.fence,), prepare=True))

    def insert(self, connection: Connection, rows: list[Any]) -> int:
        """Adds flat rows, in a transaction when they are many; the position of the first one."""
        first = 0
        for chunk in chunks(rows):
            done = connection.execute(
                self._append, (self.fence, self.token, *event_arrays(chunk)), prepare=True
            )
            first = first or _int(done)
        return first

    def put_blobs(self, connection: Connection, blobs: Iterable[Sequence[object]]) -> None:
        for blob in blobs:
            connection.execute(self._blob, tuple(blob))

    def _try(self, connection: Connection, attempt: _Attempt) -> Plan:
        if attempt.in_doubt and self._settle_written(connection, attempt):
            return attempt.known()
        if not attempt.exact:
            try:
                if attempt.plan is None:
                    attempt.plan = Plan(_Known(connection, self._names, self._heads)).add(attempt.batch)
                if not attempt.plan.is_unguarded:
                    self._commit(connection, attempt.plan)
                    return attempt.plan
            except UniqueViolation:
                if self._settle_written(connection, attempt):
                    return attempt.known()
            attempt.exact = True
        return self._write_exactly(connection, attempt)

    def _commit(self, connection: Connection, plan: Plan) -> None:
        if plan.is_empty:
            plan.settle(_int(connection.execute(self._names.sql("SELECT {last_position}"))) + 1)
            return
        pieces = list(chunks(plan.rows)) if plan.rows else []
        if plan.blobs or len(pieces) > 1:
            with connection.transaction():
                first = self._insert(connection, plan)
        elif pieces and not (plan.lifecycle or plan.given_ids):
            first = self.insert(connection, plan.rows)
        elif pieces:
            events = (self.fence, self.token, *event_arrays(plan.rows))
            first = _int(
                connection.execute(
                    self._append_all, (*events, self.fence, *beside_arrays(plan)), prepare=True
                )
            )
        else:
            with connection.transaction():
                first = self._insert(connection, plan)
        plan.settle(first)

    def _insert(self, connection: Connection, plan: Plan) -> int:
        """In a transaction; the first position."""
        last = self.lock(connection)
        self.put_blobs(connection, plan.blobs.values())
        first = self.insert(connection, plan.rows) if plan.rows else last + 1
        if plan.lifecycle or plan.given_ids:
            connection.execute(self._beside, (first, self.fence, *beside_arrays(plan)), prepare=True)
        return first

    def _write_exactly(self, connection: Connection, attempt: _Attempt) -> Plan:
        """Another process wrote to one of the streams, or may have: nobody does while this looks and writes."""
        attempt.plan = None
        with connection.transaction():
            last = self.lock(connection)
            plan = Plan(_ExactlyKnown(connection, self._names, self._heads)).add(attempt.batch)
            attempt.plan = plan
            first = last + 1 if plan.is_empty else self._insert(connection, plan)
        plan.settle(first)
        return plan

    def _settle_written(self, connection: Connection, attempt: _Attempt) -> bool:
        """Whether the plan was committed although nobody said so.

        Waits until no append is under way, the one in doubt included.
        """
        plan, attempt.in_doubt = attempt.plan, False
        if plan is None or not plan.rows:
            return False
        stream_id, version, _, event_id = plan.rows[:4]
        with connection.transaction():
            connection.execute(self._lock, (None,))
            row = connection.execute(self._written, (stream_id, version)).fetchone()
        if row is None or bytes(row[1]) != event_id:
            return False
        plan.settle(row[0])
        return True

    def _fail(self, attempt: _Attempt, error: Exception) -> Plan:
        plan = attempt.plan or Plan(_Nothing()).add(attempt.batch)
        for stream_id in plan.heads:
            self._heads.pop(stream_id, None)
        plan.fail(error)
        return plan

    def _remember(self, plan: Plan) -> None:
        heads = self._heads
        heads.update(plan.heads)
        for stream_id, entry in plan.lifecycle.items():
            if isinstance(entry, Closed):
                heads.pop(stream_id, None)
        if len(heads) > _HEADS_KEPT:
            for stream_id in list(islice(heads, len(heads) // 2)):
                del heads[stream_id]


class _Attempt:
    """A batch on its way. The plan stays the same while it may have been written."""

    def __init__(self, batch: Sequence[Prepared]) -> None:
        self.batch = batch
        self.plan: Plan | None = None
        self.exact = False
        self.in_doubt = False

    def known(self) -> Plan:
        assert self.plan is not None
        return self.plan


class _Known:
    """Trusts the heads in memory: what another process appended since shows as a violated uniqueness."""

    def __init__(self, connection: Connection, names: Names, heads: Mapping[str, Head]) -> None:
        self._connection = connection
        self._heads = heads
        self._names = names

    def head(self, stream_id: str, expected: int | None) -> Head:
        head = self._heads.get(stream_id)
        if head is not None:
            return head
        check_stream_id(stream_id)
        return EMPTY if expected == 0 else self.actual_head(stream_id)

    def actual_head(self, stream_id: str) -> Head:
        return head_of(self._connection, self._names, stream_id) or EMPTY

    def heads(self, stream_ids: Sequence[str]) -> Mapping[str, Head]:
        unknown = [each for each in stream_ids if each not in self._heads and "\0" not in each]
        if len(unknown) < 2:
            return {}
        sql = self._names.sql(
            "SELECT id, version, hash FROM unnest(%b::text[]) AS a(id) LEFT JOIN LATERAL (SELECT version, hash"
            " FROM {schema}.events WHERE stream_id=a.id ORDER BY version DESC LIMIT 1) e ON true"
        )
        rows = self._connection.execute(sql, (unknown,), prepare=True, binary=True)
        return {
            each: EMPTY if version is None else (version, bytes(digest)) for each, version, digest in rows
        }

    def recorded(self, event_ids: Sequence[bytes]) -> dict[bytes, Where]:
        sql = self._names.sql(
            "SELECT g.event_id, e.stream_id, e.version, e.position FROM {schema}.given_ids g"
            " JOIN {schema}.events e USING(position) WHERE g.event_id = ANY(%b::bytea[])"
        )
        rows = self._connection.execute(sql, (list(event_ids),), prepare=True, binary=True)
        return {bytes(event_id): Where(*where) for event_id, *where in rows}


class _ExactlyKnown(_Known):
    """Asks the database: used while nobody else can change the answer."""

    def head(self, stream_id: str, expected: int | None) -> Head:
        check_stream_id(stream_id)
        return self.actual_head(stream_id)


def check_stream_id(stream_id: str) -> None:
    """Raises `StreamIdError` for what the database's texts can't hold."""
    if "\0" in stream_id:
        raise StreamIdError(stream_id, "PostgreSQL's texts have no null character")


def head_of(connection: Connection, names: Names, stream_id: str) -> Head | None:
    sql = names.sql(
        "SELECT version, hash FROM {schema}.events WHERE stream_id=%b ORDER BY version DESC LIMIT 1"
    )
    row = connection.execute(sql, (stream_id,), prepare=True, binary=True).fetchone()
    return None if row is None else (row[0], bytes(row[1]))


class _Nothing:
    """Stands for a store that can't be asked: whatever is expected is there, since all of it fails anyway."""

    def head(self, stream_id: str, expected: int | None) -> Head:
        return (expected or 0, EMPTY[1])

    def actual_head(self, stream_id: str) -> Head:
        return EMPTY

    def heads(self, stream_ids: Sequence[str]) -> Mapping[str, Head]:
        return {}

    def recorded(self, event_ids: Sequence[bytes]) -> dict[bytes, Where]:
        return {}


def _int(done: psycopg.Cursor[tuple[Any, ...]]) -> int:
    row = done.fetchone()
    assert row is not None
    return int(row[0])
