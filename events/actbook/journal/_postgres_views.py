"""Where the views of a PostgreSQL journal are: in an SQLite file beside the process, since they can be made again from the log.

Processes of one user on one machine share the file, as they share the file of an SQLite store.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from threading import Lock

from actbook.journal._errors import ViewsFileError
from actbook.journal._memory_views import MemoryViews
from actbook.journal._sqlite_schema import connect, connect_read_only, store_errors

_MEMORY = "memory:"
_TRACKING = (
    "CREATE TABLE IF NOT EXISTS tracking(name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID"
)
_STATEMENTS = 256


class PostgresViews:
    """`place` is a path, `memory:`, or empty for a file in the user's cache folder that is named after the store."""

    def __init__(self, place: str, store_id: str, patience: float) -> None:
        self._memory = MemoryViews() if place == _MEMORY else None
        self.path = place or str(_cache() / f"views-{store_id}.db")
        self._patience = patience
        self._made = False
        self._making = Lock()

    def connect(self) -> sqlite3.Connection:
        """For writing. Raises `StoreIOError` and its like about the file."""
        if self._memory is not None:
            return self._memory.connect()
        self._make()
        with store_errors(self.path):
            return connect(self.path, "NORMAL", busy_timeout=self._patience, statements=_STATEMENTS)

    def connect_read_only(self) -> sqlite3.Connection:
        if self._memory is not None:
            return self._memory.connect(read_only=True)
        self._make()
        with store_errors(self.path):
            return connect_read_only(self.path, busy_timeout=self._patience)

    def close(self) -> None:
        if self._memory is not None:
            self._memory.close()

    def _make(self) -> None:
        """Only this user may read it: it shows what the journal holds."""
        with self._making:
            if self._made:
                return
            path = Path(self.path)
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            except OSError as error:
                raise ViewsFileError(self.path, error.strerror or str(error)) from error
            with store_errors(self.path):
                connection = connect(self.path, "NORMAL", busy_timeout=self._patience)
                try:
                    connection.execute("PRAGMA journal_mode=WAL")
                    connection.execute(_TRACKING)
                finally:
                    connection.close()
            self._made = True


def _cache() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "actbook"
