"""The coordinator of processes, on any number of machines, that share a PostgreSQL journal."""

from __future__ import annotations

import asyncio
import os
import selectors
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

import psycopg

from actbook.journal._coordination import MeetingError, OwnerInfo
from actbook.journal._coordination._forks import no_fork, register, unregister
from actbook.journal._coordination._notices import Notices
from actbook.journal._postgres import PostgresStore
from actbook.journal._postgres_link import Connection, Pauses, connect
from actbook.journal._postgres_ownership import Ownership

CANDIDATE_POLL = 1.0
"""Seconds after which a candidate tries for the ownership although nobody told it that it is free: its owner was killed."""

POLL = 5.0
"""Seconds after which the log is looked at although no notification came."""

_FOREVER = 10 * 365 * 86_400.0


class PostgresCoordinator:
    """One connection of its own listens for commits and, for the owner, holds the lock that makes it that.

    The lock says that the owner lives, the epoch in the table `owner` who it is: each append of an owner names its epoch, so that
    one that lost touch and was succeeded writes nothing more (`StoreFencedError`). One that finds nobody in its place when it is
    back goes on. Commits notify by themselves: `ring` has nothing to do.

    With `candidate=False` the process never becomes the owner and hears bells all the same. A process that is stopped keeps its
    ownership as long as its machine holds the connection.
    """

    def __init__(self, store: PostgresStore, worker_id: str, candidate: bool = True) -> None:
        self._store = store
        self._candidate = candidate
        self._ownership = Ownership(store, worker_id)
        self._connection: Connection | None = None
        self._notices: Notices | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._closing = Event()
        self._position = 0
        self._payloads: list[str] = []
        self._waker, self._woken = socket.socketpair()
        self._woken.setblocking(False)

    @property
    def is_owner(self) -> bool:
        return self._ownership.is_held

    @property
    def owner(self) -> OwnerInfo | None:
        return self._ownership.owner

    async def start(self, on_bell: Callable[[], None], on_owner: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._notices = Notices(self._loop, on_bell, on_owner)
        try:
            await asyncio.to_thread(self._attend)
        except psycopg.Error as error:
            self._let_go()
            raise MeetingError(self._store.path, str(error)) from error
        except BaseException:
            self._let_go()
            raise
        register(self)
        if self.is_owner:
            self._notices.owner()
        # What was committed before it listened, and after somebody read, rang for nobody.
        self._notices.bell()
        self._thread = Thread(target=self._watch, name="actbook-coordinator", daemon=True)
        self._thread.start()

    def ring(self) -> None:
        """Each commit has told the others."""

    async def close(self) -> None:
        if self._closing.is_set():
            return
        self._closing.set()
        unregister(self)
        if self._notices is not None:
            self._notices.silence()
        with suppress(OSError):  # closed already when the start failed
            self._waker.send(b".")
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._let_go)

    def abandon(self) -> None:
        """In a forked child: closes its copy of the socket, or the server would take the parent for alive as long as the child."""
        if self._connection is not None:
            with suppress(OSError, psycopg.Error):
                os.close(self._connection.fileno())

    # -- on a thread -------------------------------------------------------------------------------------------------

    def _attend(self) -> None:
        """Listens first, then finds out what there is: nothing falls between."""
        with no_fork:
            self._connection = connect(self._store.url, self._store.patience)
        # Notifications that arrive during a query come by the handler.
        self._connection.add_notify_handler(lambda notice: self._payloads.append(notice.payload))
        self._connection.execute(self._store.names.sql('LISTEN "{channel}"'))
        self._position = self._store.last_position()
        self._seek(self._connection)

    def _seek(self, connection: Connection) -> bool:
        """Whether this process has just become the owner."""
        before = self.is_owner
        self._ownership.seek(connection, self._candidate)
        return self.is_owner and not before

    def _watch(self) -> None:
        while not self._closing.is_set():
            try:
                assert self._connection is not None
                self._listen(self._connection)
            except (psycopg.Error, OSError):
                self._reconnect()

    def _listen(self, connection: Connection) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._closing.is_set():
                ready = selector.select(self._pause)
                if ready:
                    self._take_in(connection)
                rung, told = self._heard()
                if self._closing.is_set():
                    return
                if not ready or told:
                    rung = self._look(connection) or rung
                    rung = self._heard()[0] or rung  # what came in while it looked
                if rung:
                    self._call(Notices.bell)

    @property
    def _pause(self) -> float:
        waits = self._candidate and not self.is_owner and not self._ownership.is_lost
        return CANDIDATE_POLL if waits else POLL

    def _take_in(self, connection: Connection) -> None:
        low = connection.pgconn
        low.consume_input()
        while (notice := low.notifies()) is not None:
            self._payloads.append(notice.extra.decode())

    def _heard(self) -> tuple[bool, bool]:
        """Whether others committed something, and whether the ownership changed."""
        payloads, self._payloads = self._payloads, []
        told = self._ownership.NEWS in payloads
        return any(payload not in (self._store.token, self._ownership.NEWS) for payload in payloads), told

    def _look(self, connection: Connection) -> bool:
        """What nobody told of. Whether there is news in the log."""
        if self._seek(connection):
            self._call(Notices.owner)
        last = self._store.names.sql("SELECT {last_position}")
        row = connection.execute(last).fetchone()
        position = row[0] if row else 0
        news, self._position = position > self._position, position
        return news

    def _reconnect(self) -> None:
        pauses = Pauses(_FOREVER, self._closing)
        while not self._closing.is_set():
            self._hang_up()
            try:
                before = self.is_owner
                self._attend()
            except Exception:
                # Whatever is wrong with the server: it is asked again, at growing intervals, until the end of this process.
                if not pauses.rest():
                    return
            else:
                if self.is_owner and not before:
                    self._call(Notices.owner)
                self._call(Notices.bell)
                return

    def _call(self, notice: Callable[[Notices], None]) -> None:
        if self._notices is not None and self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(notice, self._notices)

    def _let_go(self) -> None:
        if self._connection is not None and not self._connection.closed:
            with suppress(psycopg.Error):
                self._ownership.release(self._connection)
        self._hang_up()
        self._waker.close()
        self._woken.close()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
