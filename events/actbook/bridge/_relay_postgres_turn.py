"""The turn of a relay as a lock in PostgreSQL, held by a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from threading import Event, Thread

import psycopg

from actbook.bridge._relay_rows import TURN_LOCK
from actbook.journal._postgres import PostgresStore
from actbook.journal._postgres_link import Connection, Pauses, connect

_FOREVER = 10 * 365 * 86_400.0


class PostgresTurn:
    """The server hands the lock on when the connection of its holder ends, and wakes who waits: nothing polls.

    A holder whose connection was lost does not notice here; the epoch in the ledger tells it when it records something.
    """

    def __init__(self, store: PostgresStore, name: str) -> None:
        self._store = store
        digest = sha256(f"{store.names.schema}/{name}".encode()).digest()
        self._key = int.from_bytes(digest[:4], "big", signed=True)
        self._connection: Connection | None = None
        self._closing = Event()
        self._thread: Thread | None = None
        self.is_owner = False

    async def start(self, on_bell: Callable[[], None], on_owner: Callable[[], None]) -> None:
        """Waits in a thread; there are no bells."""
        loop = asyncio.get_running_loop()

        def mine() -> None:
            self.is_owner = True
            on_owner()

        def wait() -> None:
            if self._wait():
                with suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(mine)

        self._thread = Thread(target=wait, name="actbook-relay-turn", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        self._closing.set()
        self.is_owner = False
        if self._thread is not None:
            await asyncio.to_thread(self._end, self._thread)

    def _wait(self) -> bool:
        pauses = Pauses(_FOREVER, self._closing)
        while not self._closing.is_set():
            try:
                self._connection = connect(self._store.url, self._store.patience)
                self._connection.execute("SET lock_timeout = 0")
                self._connection.execute("SELECT pg_advisory_lock(%s, %s)", (TURN_LOCK, self._key))
                return True
            except psycopg.Error:
                self._hang_up()
                if not pauses.rest():
                    return False
        return False

    def _end(self, thread: Thread) -> None:
        """A wait that begins behind the first request to end is asked again."""
        while thread.is_alive():
            connection = self._connection
            if connection is not None:
                with suppress(psycopg.Error):
                    connection.cancel()
            thread.join(0.05)
        self._hang_up()

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
