"""The two tables of the relays, in whichever database the store is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from actbook.journal import MemoryStore, SQLiteStore, Store

if TYPE_CHECKING:
    from actbook.journal._postgres import PostgresStore
    from actbook.journal._postgres_link import Connection

T = TypeVar("T")

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS {relays}(
  name TEXT PRIMARY KEY,
  position {integer} NOT NULL,
  epoch {integer} NOT NULL,
  worker TEXT NOT NULL,
  claimed_at {integer} NOT NULL,
  advanced_at {integer} NOT NULL
)""",
    """CREATE TABLE IF NOT EXISTS {set_aside}(
  name TEXT NOT NULL,
  position {integer} NOT NULL,
  event_id {bytes} NOT NULL,
  stream_id TEXT NOT NULL,
  version {integer} NOT NULL,
  topic TEXT NOT NULL,
  reason TEXT NOT NULL,
  at {integer} NOT NULL,
  PRIMARY KEY(name, position)
)""",
)
_TYPES = {"integer": "INTEGER", "bytes": "BLOB"}
_POSTGRES_TYPES = {"integer": "bigint", "bytes": "bytea"}


class Result(Protocol):
    """What a statement did, or found."""

    @property
    def rowcount(self) -> int: ...

    def fetchall(self) -> list[Any]: ...


Execute = Callable[[str, Sequence[Any]], Result]
"""Runs a statement with `{relays}` and `{set_aside}` for the tables and `?` for values."""


class Rows(Protocol):
    """One connection. Every method may be called from any thread and blocks."""

    def run(self, work: Callable[[Execute], T]) -> T:
        """Result of the work, done as one transaction; on PostgreSQL it is repeated when the connection was lost."""
        ...

    def close(self) -> None: ...


def rows_of(store: Store) -> Rows:
    """The tables are made when they are missing."""
    if not isinstance(store, SQLiteStore | MemoryStore):
        from actbook.journal._postgres import PostgresStore

        if isinstance(store, PostgresStore):
            return _PostgresRows(store)
    return _SQLiteRows(store)


class _SQLiteRows:
    def __init__(self, store: Store) -> None:
        self._store_lock = store.write_lock
        self._lock = Lock()
        self._connection = store.open_views_writer()
        names = {"relays": "relays", "set_aside": "relay_set_aside"}
        self._names = names
        self.run(lambda execute: [execute(each, ()) for each in _SCHEMA])

    def run(self, work: Callable[[Execute], T]) -> T:
        connection = self._connection
        with self._lock, self._store_lock:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._execute)
                connection.execute("COMMIT")
                return result
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _execute(self, statement: str, values: Sequence[Any]) -> Result:
        return self._connection.execute(statement.format(**self._names, **_TYPES), values)


class _PostgresRows:
    def __init__(self, store: PostgresStore) -> None:
        from actbook.journal._postgres_link import Link

        schema = f'"{store.names.schema}"'
        self._names = {"relays": f"{schema}.relays", "set_aside": f"{schema}.relay_set_aside"}
        self._closing = Event()
        self._link = Link(store.url, store.patience, self._closing)
        try:
            self._make(store)
        except BaseException:
            self._link.close()
            raise

    def run(self, work: Callable[[Execute], T]) -> T:
        def once(connection: Connection) -> T:
            def execute(statement: str, values: Sequence[Any]) -> Result:
                text = statement.format(**self._names, **_POSTGRES_TYPES).replace("?", "%s")
                return connection.execute(text.encode(), values)

            with connection.transaction():
                return work(execute)

        return self._link.run(once)

    def close(self) -> None:
        self._closing.set()
        self._link.close()

    def _make(self, store: PostgresStore) -> None:
        """Two processes that make the same table at once would fail each other."""
        key = store.names.key

        def work(execute: Execute) -> None:
            execute("SELECT pg_advisory_xact_lock(?, ?)", (MAKING_LOCK, key))
            for each in _SCHEMA:
                execute(each, ())

        self.run(work)


MAKING_LOCK = 0x41634B51
TURN_LOCK = 0x41634B52
"""Classes of advisory locks in PostgreSQL."""
