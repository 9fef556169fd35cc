"""The thread that keeps the tables up with the log."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from actbook.journal import Recorded, Store
from actbook.journal._archived_log import ArchivedLog
from actbook.projections._applying import Applying
from actbook.projections._feed import FILL, Batch, Feed
from actbook.projections._lanes import Group, Lanes
from actbook.projections._log_mover import LogMover
from actbook.projections._parking import describe
from actbook.projections._projection import Projection
from actbook.projections._tracking import SupersededError, Tracking

PACE = 0.004
"""Seconds from the beginning of a turn, or the first news after a sleep, to the next turn, unless somebody waits: what is committed
meanwhile shares a transaction.
"""

BUSY_PACE = 0.05
"""The same while commits keep coming: each turn holds the store's write lock for a moment, and steps wait for that."""

CHECKPOINT = 2048
"""Events in the tables after which the log is moved into the file: not by the appends, which go on meanwhile."""

_FIRST_PATIENCE = 0.05
_MOST_PATIENCE = 5.0
_LAST_WORK = 2.0

Command = Callable[[], None]
Message = Recorded | int | Command | None
"""Events that were committed, how far the log goes, something to do on the thread, or the request to end."""


class Worker:
    """Sleeps until it gets a message. `put` and `hasten` are for other threads; commands run on this one.

    `busy`: whether commits are on their way. A turn applies at most one batch to the most advanced tables and one to those
    furthest behind. While the process commits events, the thread computes for half of the time at most. `progressed` is called on this
    thread after a turn, if `awaited`.
    """

    def __init__(
        self,
        store: Store,
        projections: Sequence[Projection],
        progressed: Callable[[], None],
        busy: Callable[[], bool],
    ) -> None:
        self._store = store
        self._busy = busy
        self._projections = projections
        self._progressed = progressed
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        self._resting = Lock()
        self._resting.acquire()
        self._thread = Thread(target=self._run, name="actbook-projections", daemon=True)
        self._connection: sqlite3.Connection | None = None
        self._prepared = False
        self._following = False
        self._stale = False
        self._news = False
        self._patience = _FIRST_PATIENCE
        self._deadline: float | None = None
        self._earliest = 0.0
        self._fair = 0.0
        self._begun = 0.0
        self._woken = 0.0
        self._unmoved = 0
        self._log_mover = LogMover(store)
        self.feed = Feed(store)
        self.awaited = False
        self.failure = ""
        self.positions: Mapping[str, int] = {}
        self.rebuilding: frozenset[str] = frozenset()

    def start(self) -> None:
        self._thread.start()

    def put(self, message: Message) -> None:
        """Never blocks."""
        self._inbox.put(message)

    def hasten(self) -> None:
        """Ends a rest. Always called on one and the same thread."""
        if self._resting.locked():
            self._resting.release()

    def join(self) -> None:
        self._thread.join()

    def prepare(self) -> None:
        """Creates or upgrades the tables. First command."""
        self._connection = self._store.open_views_writer()
        self.feed.archived = ArchivedLog(self._connection)
        tracking = Tracking(self._connection, self._store.write_lock)
        self.applying = Applying(tracking)
        self.lanes = Lanes(self._projections, tracking)
        self.lanes.ensure()
        self._prepared = True

    def reload(self) -> None:
        """Finds out what other processes did to the tables. A command."""
        self.lanes.load()

    def look(self) -> None:
        """Somebody knows of events that nobody told of. A command."""
        try:
            self.feed.look()
        except Exception as error:
            self.failure = describe(error)

    def follow(self) -> None:
        """Begins to apply events. A command."""
        self._following = True
        self.feed.look()

    def publish(self) -> None:
        """Shows other threads how far the tables are. Part of every command that changes something."""
        if not self._prepared:
            return
        self.positions = self.lanes.positions()
        self.rebuilding = self.lanes.rebuilding()
        if self.awaited:
            self._progressed()

    def _run(self) -> None:
        try:
            while self._receive(wait=not self._has_work):
                if self._has_work:
                    self._rest()
                    self._take_turn()
        finally:
            self._log_mover.stop()
            if self._connection is not None:
                self._connection.close()

    @property
    def _front(self) -> int:
        groups = self.lanes.groups()
        return groups[0].position if groups else self.feed.head

    @property
    def _has_work(self) -> bool:
        if not self._following:
            return False
        groups = self.lanes.groups()
        if groups and groups[-1].position < self.feed.head:
            return True
        return bool(self.rebuilding) and bool(self.lanes.due())

    def _receive(self, *, wait: bool) -> bool:
        """Takes all messages; whether to go on."""
        inbox = self._inbox
        wait = wait and self._deadline is None
        try:
            if wait:
                message = inbox.get()
                self._woken = time.monotonic()
                self._handle(message)
            while True:
                self._handle(inbox.get_nowait())
        except Empty:
            self._notice_resumption()
        return self._deadline is None or (
            self._has_work and not self.failure and time.monotonic() < self._deadline
        )

    def _handle(self, message: Message) -> None:
        if message is None:
            self._deadline = time.monotonic() + _LAST_WORK
        elif isinstance(message, Recorded):
            self.feed.add(message.events)
            self._news = True
        elif isinstance(message, int):
            self.feed.heard(message)
            self._news = True
        else:
            message()

    def _notice_resumption(self) -> None:
        """A paused table writes nothing, and so would not find out that another process wants it to go on."""
        if self._news and self.lanes.has_paused:
            try:
                self.lanes.refresh()
            except sqlite3.Error as error:
                self.failure = describe(error)
        self._news = False

    def _rest(self) -> None:
        """Waits for more to come with the same transaction, unless there is enough for one or nothing came for a while."""
        while not self.awaited and self._deadline is None:
            rest = self._next_turn - time.monotonic()
            if rest <= 0:
                return
            self._resting.acquire(timeout=rest)
            self._receive(wait=False)

    @property
    def _next_turn(self) -> float:
        """When the next one is to begin, as things stand."""
        front = self._front
        if self.feed.head - front >= self.feed.most(front):
            return self._fair
        pause = max(self._begun, self._woken) + BUSY_PACE if self._busy() else self._woken + PACE
        return max(self._earliest, pause)

    def _take_turn(self) -> None:
        begin, used = time.monotonic(), time.thread_time()
        self._begun = begin
        try:
            if self._stale:
                self.lanes.load()
                self._stale = False
            self._apply()
            self.failure = ""
            self._patience = _FIRST_PATIENCE
        except SupersededError:
            self._stale = True
        except Exception as error:
            self._stale = True
            self.failure = describe(error)
            self.publish()
            if self._deadline is None:
                self._resting.acquire(timeout=self._patience)
            self._patience = min(self._patience * 2, _MOST_PATIENCE)
            return
        self.publish()
        self._move_log()
        self._earliest = self._fair = begin + PACE
        if not self._inbox.empty():
            self._fair = begin + 2 * (time.thread_time() - used)
            self._earliest = max(begin + BUSY_PACE, self._fair)

    def _move_log(self) -> None:
        """While nobody commits and there is much to do, the log would never get to its end beside that."""
        filling = self._has_work and self._inbox.empty()
        if self._unmoved < CHECKPOINT * (FILL if filling else 1):
            return
        self._unmoved = 0
        if not filling:
            self._log_mover.wish()
        elif self._connection is not None:
            self._store.move_log(self._connection)

    def _apply(self) -> None:
        groups = self.lanes.groups()
        times = FILL if self._inbox.empty() else 1
        if groups and groups[0].position < self.feed.head:
            front = groups[0]
            self._advance(front, self.feed.next(front.position, times))
        if len(groups) > 1:
            behind, before = groups[-1], groups[-2].lanes[0]
            self._advance(behind, self.feed.read(behind.position, before.position, times))
        if self.rebuilding:
            self.lanes.swap()

    def _advance(self, group: Group, batch: Batch) -> None:
        self._unmoved += batch.end - group.position
        self.applying.apply_pages(group.lanes, batch.pages, batch.end)
