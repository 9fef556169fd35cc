"""The coordinator of processes, on any number of machines, that share a PostgreSQL journal."""

from __future__ import annotations

import asyncio
import os
import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

import psycopg

from actbook.journal._coordination import MeetingError, OwnerInfo
from actbook.journal._coordination._forks import no_fork, register, unregister
from actbook.journal._coordination._notices import Notices
from actbook.journal._postgres import PostgresStore
from actbook.journal._postgres_leadership import Leadership
from actbook.journal._postgres_link import Connection, Pauses, connect
from actbook.journal._postgres_membership import Membership

LEASE = 10.0
"""Seconds that a worker stays one without renewing that."""

TICK = 1.0
"""Seconds from one look of a worker to the next: whether it still is one, who is dead, who leads."""

POLL = 5.0
"""The same for a process that runs nothing: whether the log has grown although no notification came."""

_FOREVER = 10 * 365 * 86_400.0


class PostgresCoordinator:
    """One connection of its own listens for commits, renews this worker's lease, and looks after dead ones.

    Every candidate is a worker, and so an owner: of what it claims. One of them leads. Each append of a worker names its epoch,
    so that one that was taken for dead writes nothing more (`StoreFencedError`); then `is_owner` is false until `rejoin`. The
    lease (seconds) is renewed only while the event loop turns. Commits notify by themselves: `ring` has nothing to do.

    With `candidate=False` the process runs nothing and hears bells all the same.
    """

    def __init__(
        self, store: PostgresStore, worker_id: str, candidate: bool = True, lease: float = LEASE
    ) -> None:
        self._store = store
        self._worker_id = worker_id
        self._leadership = Leadership(store)
        self._membership = Membership(store, lease)
        self._joins = candidate
        self._turns = True
        self._tick = min(TICK, self._membership.renew_every) if candidate else POLL
        self._next_look = 0.0
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
        return self._membership.epoch is not None

    @property
    def leads(self) -> bool:
        return self._leadership.is_held

    @property
    def owner(self) -> OwnerInfo | None:
        return self._leadership.owner

    async def start(
        self,
        on_bell: Callable[[], None],
        on_owner: Callable[[], None],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._notices = Notices(self._loop, on_bell, on_owner, on_change)
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

    def rejoin(self, worker_id: str) -> None:
        """Becomes a worker again, as another one; `on_owner` tells when. Nothing of the former one may be on its way any more."""
        self._worker_id = worker_id
        self._joins = True
        with suppress(OSError):
            self._waker.send(b".")

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
        self._membership.back()
        self._join(self._connection)
        self._leadership.seek(self._connection, self._candidacy)

    def _join(self, connection: Connection) -> bool:
        """Whether this process has just become a worker."""
        if not self._joins:
            return False
        self._membership.join(connection, self._worker_id)
        self._joins = False
        return True

    @property
    def _candidacy(self) -> str | None:
        return self._worker_id if self.is_owner else None

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
                if selector.select(max(0.0, self._next_look - time.monotonic())):
                    self._take_in(connection)
                rung, told = self._heard()
                if self._closing.is_set():
                    return
                if told or time.monotonic() >= self._next_look:
                    self._next_look = time.monotonic() + self._tick
                    if self._look(connection):
                        rung = True
                        self._call(Notices.change)
                    rung = self._heard()[0] or rung  # what came in while it looked
                if rung:
                    self._call(Notices.bell)

    def _take_in(self, connection: Connection) -> None:
        with suppress(BlockingIOError):
            told = bool(self._woken.recv(64))
            if told and self._join(connection):
                self._call(Notices.owner)
        low = connection.pgconn
        low.consume_input()
        while (notice := low.notifies()) is not None:
            self._payloads.append(notice.extra.decode())

    def _heard(self) -> tuple[bool, bool]:
        """Whether others committed something, and whether another one may lead. Tells at once of what is free."""
        payloads, self._payloads = set(self._payloads), []
        if Membership.NEWS in payloads:
            self._call(Notices.change)
        return bool(
            payloads - {self._store.token, Leadership.NEWS, Membership.NEWS}
        ), Leadership.NEWS in payloads

    def _look(self, connection: Connection) -> bool:
        """What nobody told of. Whether there is news in the log."""
        led = self.leads
        if self.is_owner and not self._stays(connection):
            self._leadership.release(connection)
            self._call(Notices.change)
        self._leadership.seek(connection, self._candidacy)
        if self.leads != led:
            self._call(Notices.change)
        last = self._store.names.sql("SELECT {last_position}")
        row = connection.execute(last).fetchone()
        position = row[0] if row else 0
        news, self._position = position > self._position, position
        return news

    def _stays(self, connection: Connection) -> bool:
        """Whether this is a worker still. While the event loop stands it lets its lease run out."""
        if not self._turns:
            return True
        self._turns = False
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._turned)
        if not self._membership.renew(connection):
            return False
        self._membership.reap(connection)
        return True

    def _turned(self) -> None:
        self._turns = True

    def _reconnect(self) -> None:
        pauses = Pauses(_FOREVER, self._closing)
        while not self._closing.is_set():
            self._hang_up()
            try:
                was_owner = self.is_owner
                self._attend()
            except Exception:
                # Whatever is wrong with the server: it is asked again, at growing intervals, until the end of this process.
                if not pauses.rest():
                    return
            else:
                if self.is_owner and not was_owner:
                    self._call(Notices.owner)
                self._call(Notices.change)
                self._call(Notices.bell)
                return

    def _call(self, notice: Callable[[Notices], None]) -> None:
        if self._notices is not None and self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(notice, self._notices)

    def _let_go(self) -> None:
        if self._connection is not None and not self._connection.closed:
            with suppress(psycopg.Error):
                self._leadership.release(self._connection)
                self._membership.leave(self._connection)
        self._hang_up()
        self._waker.close()
        self._woken.close()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
