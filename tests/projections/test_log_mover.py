"""The log is moved into the file beside those who write, and a failure to do so harms nobody."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event, active_count
from typing import Any

from tests.journal.samples import append

from actbook.journal import SQLiteStore
from actbook.projections._log_mover import LogMover


class Slow:
    """Moves when it is let, and fails at first."""

    def __init__(self) -> None:
        self.begun, self.go_on = Event(), Event()
        self.moves = 0

    def open_views_writer(self) -> sqlite3.Connection:
        return sqlite3.connect(":memory:", check_same_thread=False)

    def move_log(self, connection: sqlite3.Connection) -> None:
        self.moves += 1
        self.begun.set()
        assert self.go_on.wait(60)
        if self.moves == 1:
            raise sqlite3.OperationalError("disk I/O error")


def test_a_wish_moves_the_log(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with closing(SQLiteStore(str(path))) as store:
        store.write([append("s", 0, *"abc")])
        before = path.read_bytes()
        mover = LogMover(store)
        mover.wish()
        mover.stop()
        assert path.read_bytes() != before


def test_wishes_that_come_meanwhile_are_one_and_a_failure_is_not_the_end() -> None:
    slow: Any = Slow()
    mover = LogMover(slow)
    mover.wish()
    assert slow.begun.wait(60)
    for _ in range(5):
        mover.wish()
    slow.go_on.set()
    mover.stop()
    assert slow.moves == 2


def test_without_a_wish_there_is_no_thread() -> None:
    slow: Any = Slow()
    before = active_count()
    mover = LogMover(slow)
    assert active_count() == before
    mover.stop()
    assert slow.moves == 0
