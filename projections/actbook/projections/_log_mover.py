"""The thread that moves the store's log into its file while others write."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread

from actbook.graphs import ActbookError
from actbook.journal import Store


class LogMover:
    """Saves whoever writes from waiting for a disk that takes its time. Used by one thread; its own starts when first needed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._wishes: SimpleQueue[bool] = SimpleQueue()
        self._thread: Thread | None = None

    def wish(self) -> None:
        """Never blocks. A wish while one is being carried out comes true after it; more than that are one."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="actbook-log-mover", daemon=True)
            self._thread.start()
        if self._wishes.empty():
            self._wishes.put(True)

    def stop(self) -> None:
        """Returns when the thread is gone."""
        if self._thread is not None:
            self._wishes.put(False)
            self._thread.join()

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        try:
            while self._wishes.get():
                with suppress(sqlite3.Error, ActbookError):  # an append does it, when the log is long enough
                    connection = connection or self._store.open_views_writer()
                    self._store.move_log(connection)
        finally:
            if connection is not None:
                connection.close()
