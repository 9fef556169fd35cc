"""The write-ahead log is made as long as it gets, once, and begins again at its start."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from tests.journal.samples import append

from actbook.journal import SQLiteStore


def test_the_log_is_reserved_once_and_nothing_of_that_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with closing(SQLiteStore(str(path))) as store, closing(store.open_views_writer()) as connection:
        store.write([append("s", 0, *"abc")])
        before = os.path.getsize(f"{path}-wal")
        store.move_log(connection)
        reserved = os.path.getsize(f"{path}-wal")
        assert reserved > 10 * before
        assert [event.version for event in store.read_stream("s")] == [1, 2, 3]
        assert store.query("SELECT count(*) FROM blobs") == [(0,)]
        for number in range(6000):
            store.write([append("s", 3 + number, "x")])
            if not number % 800:
                store.move_log(connection)
        assert os.path.getsize(f"{path}-wal") == reserved, "the log went on behind what was reserved"
        assert os.path.getsize(path) < reserved
