"""A thread with a read-only connection of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from actbook.journal import Store

T = TypeVar("T")


class Reading:
    """Runs one piece of reading after the other, off the event loop. The thread starts with the first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: sqlite3.Connection | None = None
        self._executor = ThreadPoolExecutor(1, "actbook-queries")

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Result of `work`."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, work)

    async def close(self) -> None:
        """Waits for what runs. May be called twice."""
        await asyncio.to_thread(self._close)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._store.open_views_reader()
        return work(self._connection)

    def _close(self) -> None:
        self._executor.shutdown()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
