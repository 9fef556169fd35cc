"""The factory for SQLite."""

from __future__ import annotations

from actbook.journal._eventsourcing._factory import JournalFactory
from actbook.journal._eventsourcing._rows import Rows
from actbook.journal._eventsourcing._sqlite_rows import SQLiteRows
from actbook.journal._sqlite import SQLiteStore


class SQLiteFactory(JournalFactory):
    """Opens the journal's file that `SQLITE_DBNAME` names."""

    SQLITE_DBNAME = "SQLITE_DBNAME"
    SQLITE_LOCK_TIMEOUT = "SQLITE_LOCK_TIMEOUT"

    def open_rows(self) -> Rows:
        path = self.env.get(self.SQLITE_DBNAME)
        if not path:
            raise OSError(f"SQLite file not named: set {self.SQLITE_DBNAME}")
        timeout = (self.env.get(self.SQLITE_LOCK_TIMEOUT) or "").strip() or "10"
        try:
            seconds = float(timeout)
        except ValueError:
            raise OSError(f"{self.SQLITE_LOCK_TIMEOUT} {timeout!r} is not a number of seconds") from None
        return SQLiteRows(SQLiteStore(path, busy_timeout=seconds))
