"""A store with a bit of everything that is then archived, and what one can see of a store from outside."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.replay.evidence import KEY

from actbook.journal import Fault, SQLiteStore
from actbook.projections import compare_views
from actbook.replay import (
    Choice,
    archive_executions,
    discard_executions,
    ended_trees,
    recorded_events,
    verify_store,
    views_of,
)
from actbook.replay.proof import Checkpoint

AT = 1_800_000_000_000_000


class Shelf:
    """A copy of the store to work on, and the checkpoint that somebody kept of it."""

    def __init__(self, folder: Path, original: Path, note: str) -> None:
        self.path = folder / "store.db"
        self.file = folder / "one.archive"
        self.kept = Checkpoint.parse(note)
        shutil.copy(original, self.path)
        self.before = self.content()
        self.store = SQLiteStore(str(self.path))

    def chosen(self) -> list[str]:
        return ended_trees(self.store, Choice())

    def archive(self) -> int:
        return archive_executions(self.store, self.chosen(), self.file, AT)

    def discard(self) -> int:
        return discard_executions(self.store, self.chosen(), AT)

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def execute(self, sql: str, *parameters: Any) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            assert connection.execute(sql, parameters).rowcount > 0, sql

    def content(self) -> list[Any]:
        """What has to be the same after an archive came back."""
        tables = (
            ("events", "position"),
            ("blobs", "sha256"),
            ("given_ids", "event_id"),
            ("executions", "id"),
            ("node_executions", "id"),
        )
        return [self.rows(f"SELECT * FROM {table} ORDER BY {key}") for table, key in tables]

    def faults(self) -> list[Fault]:
        """Of the log, of the checkpoint that was kept, and of the views."""
        checked = verify_store(self.path, keys=[KEY.public], checkpoints=[self.kept])
        faults = [fault for each in checked for fault in each.faults]
        with views_of(self.path) as connection:
            return faults + compare_views(connection, recorded_events(self.path))
