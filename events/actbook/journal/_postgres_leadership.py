"""Which worker of a PostgreSQL journal does what only one may: a lock that ends with its connection."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

from actbook.journal._coordination import OwnerInfo
from actbook.journal._postgres import PostgresStore
from actbook.journal._postgres_link import Connection
from actbook.journal._postgres_schema import Names

_TAKEN = (
    "SELECT count(*) > 0 FROM pg_locks WHERE locktype='advisory' AND granted AND objsubid=2"
    " AND database=(SELECT oid FROM pg_database WHERE datname=current_database())"
    " AND classid={owner_class}::bigint::oid AND objid=({key}::bigint & 4294967295)::oid"
)
_READ = "SELECT epoch, worker_id, pid, started_at FROM {schema}.owner"


class Leadership:
    """Used on one thread at a time; the properties from any.

    Whoever lost its connection, and was not succeeded meanwhile, goes on. Two may take themselves for the leader for a moment:
    what leaders do bears that, since every write of theirs says which version it expects.
    """

    NEWS = "owner"
    """Payload of the notification that somebody became the leader, or is it no longer."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._epoch: int | None = None
        self.is_held = False
        self.owner: OwnerInfo | None = None
        sql = store.names.sql
        self._lock = sql("SELECT pg_try_advisory_lock({owner_lock})")
        self._unlock = sql("SELECT pg_advisory_unlock({owner_lock})")
        self._held = sql(f"{_TAKEN} AND pid=pg_backend_pid()")
        self._read = sql(_READ)
        self._raise = sql(
            "UPDATE {schema}.owner SET epoch=epoch+1, worker_id=%s, pid=%s, started_at=%s"
            " RETURNING epoch, worker_id, pid, started_at"
        )
        self._tell = sql("SELECT pg_notify('{channel}', %s)")

    def seek(self, connection: Connection, worker_id: str | None) -> None:
        """Finds out who leads, and becomes it as this worker if nobody does. Raises errors of the client library."""
        if self._epoch is not None and not self._still_leads(connection):
            self._epoch, self.is_held = None, False
        if self._epoch is None:
            if worker_id is not None and self._try(connection):
                self._take(connection, worker_id)
            else:
                self.owner = find_owner(connection, self._store.names)

    def release(self, connection: Connection) -> None:
        """Lets the next one in at once."""
        if self.is_held:
            self._epoch, self.is_held = None, False
            self.owner = None
            connection.execute(self._unlock)
            connection.execute(self._tell, (self.NEWS,))

    def _try(self, connection: Connection) -> bool:
        row = connection.execute(self._lock).fetchone()
        return row is not None and bool(row[0])

    def _take(self, connection: Connection, worker_id: str) -> None:
        try:
            with connection.transaction():
                values = (worker_id, os.getpid(), time.time_ns() // 1000)
                row = connection.execute(self._raise, values).fetchone()
                connection.execute(self._tell, (self.NEWS,))
        except BaseException:
            if not connection.closed:
                connection.execute(self._unlock)
            raise
        assert row is not None
        self._epoch = row[0]
        self.owner = _info(row)
        self.is_held = True

    def _still_leads(self, connection: Connection) -> bool:
        """The lock is gone with a lost connection; the place is not, unless somebody else took it."""
        row = connection.execute(self._read).fetchone()
        if row is None or row[0] != self._epoch:
            return False
        held = connection.execute(self._held).fetchone()
        return (held is not None and bool(held[0])) or self._try(connection)


def find_owner(connection: Connection, names: Names) -> OwnerInfo | None:
    """The worker that leads, seen from outside; None when nobody does."""
    taken = connection.execute(names.sql(_TAKEN)).fetchone()
    row = connection.execute(names.sql(_READ)).fetchone()
    if taken is None or not taken[0] or row is None or not row[0]:
        return None
    return _info(row)


def _info(row: tuple[int, str, int, int]) -> OwnerInfo:
    _, worker_id, pid, started_at = row
    return OwnerInfo(pid, worker_id, datetime.fromtimestamp(started_at / 1e6, UTC))
