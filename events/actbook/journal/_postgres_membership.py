"""A worker's row in a PostgreSQL journal: alive as long as it is there, and taken away when nobody renews it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable

from actbook.journal._postgres import PostgresStore
from actbook.journal._postgres_link import Connection

MISSING = 3.0
"""Seconds without a connection after which a worker counts as dead, though its lease would last longer."""

_HELD = (
    "EXISTS(SELECT 1 FROM pg_locks WHERE locktype='advisory' AND granted AND objsubid=1"
    " AND database=(SELECT oid FROM pg_database WHERE datname=current_database())"
    " AND classid={worker_locks}::bigint::oid AND objid=(epoch & 4294967295)::oid)"
)


class Membership:
    """Used on one thread at a time; the properties from any.

    Whose lease ran out is dismissed by whoever sees it first, and so is one that had no connection for a while: a process that
    was killed need not be waited for as long as one whose machine may be back. A server that was started again has nobody's
    connection yet: of those that have not been seen since, only leases count. Dismissal frees what the worker had claimed, and
    keeps it from writing.
    """

    NEWS = "free"
    """Payload of the notification that there is something to claim, or was."""

    def __init__(
        self, store: PostgresStore, lease: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._lease = lease
        self._clock = clock
        self._renewed = 0.0
        self._locked = False
        self._seen: dict[int, float] = {}
        self.epoch: int | None = None
        sql = store.names.sql
        self._new = sql("SELECT nextval('{schema}.epochs')")
        self._lock = sql(
            "SELECT pg_try_advisory_lock(({worker_locks}::bigint << 32) | (%s::bigint & 4294967295))"
        )
        self._join = sql(
            "INSERT INTO {schema}.workers VALUES(%s, %s, %s, %s, %s, clock_timestamp(), make_interval(secs => %s))"
        )
        self._renew = sql("UPDATE {schema}.workers SET renewed_at=clock_timestamp() WHERE epoch=%s")
        self._others = sql(
            f"SELECT epoch, clock_timestamp() > renewed_at + lease, {_HELD}, renewed_at > pg_postmaster_start_time()"
            " FROM {schema}.workers WHERE epoch<>%s"
        )
        self._dismiss = sql("SELECT {schema}.dismiss(%s::bigint[], %s::bigint[])")

    @property
    def renew_every(self) -> float:
        """Seconds."""
        return self._lease / 3

    def join(self, connection: Connection, worker_id: str) -> None:
        """Becomes a worker, under a number that no other ever had."""
        row = connection.execute(self._new).fetchone()
        assert row is not None
        epoch: int = row[0]
        self._locked = self._try_lock(connection, epoch)
        values = (epoch, worker_id, socket.gethostname(), os.getpid(), time.time_ns() // 1000, self._lease)
        connection.execute(self._join, values)
        self._renewed = self._clock()
        self.epoch = epoch
        self._store.fence = epoch

    def back(self) -> None:
        """The connection is another one now: what was locked with it is not."""
        self._locked = False
        self._seen.clear()

    def renew(self, connection: Connection) -> bool:
        """Whether it still is a worker. Writes when it is time to."""
        if self.epoch is None:
            return False
        if not self._locked:
            self._locked = self._try_lock(connection, self.epoch)
        if self._clock() - self._renewed < self.renew_every:
            return True
        if connection.execute(self._renew, (self.epoch,)).rowcount == 0:
            self.epoch = None
            return False
        self._renewed = self._clock()
        return True

    def reap(self, connection: Connection) -> None:
        """Dismisses workers that are dead."""
        now, before = self._clock(), self._seen
        gone: list[int] = []
        overdue: list[int] = []
        self._seen = {}
        for epoch, expired, held, was_here in connection.execute(self._others, (self.epoch or 0,)).fetchall():
            if held:
                self._seen[epoch] = now
            elif was_here or epoch in before:
                self._seen[epoch] = since = before.get(epoch, now)
                if now - since >= min(MISSING, self._lease):
                    gone.append(epoch)
            if expired:
                overdue.append(epoch)
        if gone or overdue:
            connection.execute(self._dismiss, (gone, overdue))

    def leave(self, connection: Connection) -> None:
        """Lets others have at once what it had claimed."""
        if self.epoch is not None:
            connection.execute(self._dismiss, ([self.epoch], []))
            self.epoch = None

    def _try_lock(self, connection: Connection, epoch: int) -> bool:
        row = connection.execute(self._lock, (epoch,)).fetchone()
        return row is not None and bool(row[0])
