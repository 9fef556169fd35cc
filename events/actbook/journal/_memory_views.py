"""Tables of projections over a memory store: a private SQLite database in memory that several connections
share.
"""

from __future__ import annotations

import sqlite3
from itertools import count

_numbers = count(1)


class MemoryViews:
    """The database lives as long as this object keeps its own connection open.

    Unlike in a file, a reader waits while another connection has a write transaction open.
    """

    def __init__(self) -> None:
        self._uri = f"file:/actbook-views-{next(_numbers)}?vfs=memdb"
        self._keeper: sqlite3.Connection | None = None

    def connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        if self._keeper is None:
            self._keeper = self._open()
            self._keeper.execute(
                "CREATE TABLE tracking(name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID"
            )
        connection = self._open()
        if read_only:
            connection.execute("PRAGMA query_only=ON")
        return connection

    def close(self) -> None:
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10.0
        )
