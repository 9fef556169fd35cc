"""Actors on a bounded pool of threads, for code that blocks."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from queue import SimpleQueue
from typing import Any

from actbook.actors._runtime._dispatcher import Hook, TimerHandle
from actbook.actors._runtime._ending import finish, stop_children
from actbook.actors._runtime._future import Future
from actbook.actors._runtime._mailbox import BUSY, IDLE, READY, RUNNING, Ask, Mailbox
from actbook.actors._runtime._messages import Stop
from actbook.actors._runtime._pykka import logger
from actbook.actors._runtime._step import StepDriver
from actbook.actors._runtime._thread import host, interrupt_main
from actbook.actors._runtime._timer import TimerThread
from actbook.actors._runtime._turn import run_turn
from actbook.actors._runtime._undelivered import answer_gone, bury, return_to_sender

__all__ = ["PoolDispatcher"]


class PoolDispatcher:
    """Runs the turns of mailboxes in at most `max_workers` daemon threads, started when there is work for
    them.

    A handler that is running can't be cancelled: an actor that is told to stop while its handler blocks is
    abandoned after its `stop_deadline`; its thread comes back to the pool when the handler returns.
    """

    steps_coroutines = True
    confined = False

    def __init__(self, max_workers: int = 8, *, name: str = "actbook-pool") -> None:
        self._max_workers = max_workers
        self._name = name
        self._ready: SimpleQueue[Mailbox | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._waiting = 0
        self._closed = False
        self._timers = TimerThread(f"{name}-timer")

    @property
    def idle(self) -> bool:
        """Whether no mailbox waits for a thread."""
        return self._ready.empty()

    @property
    def has_time(self) -> bool:
        """Never: its threads are for what takes long."""
        return False

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> TimerHandle:
        """Call once, on the timer thread of this pool: keep it short."""
        return self._timers.call_later(seconds, callback)

    def create_future(self) -> Future[Any]:
        """A future for the answer to an ask."""
        return Future()

    def close(self) -> None:
        """End the threads after the turns they run. Does not wait for a handler that blocks."""
        with self._lock:
            self._closed = True
            threads = len(self._threads)
        self._timers.close()
        for _ in range(threads):
            self._ready.put(None)

    def deliver(self, box: Mailbox, item: Any) -> None:
        """Put a user message in the mailbox. From any thread."""
        with self._lock:
            accepted = not (box.closed or self._closed)
            if accepted:
                if box.lane is None:
                    box.lane = deque()
                box.lane.append(item)
                if box.phase == IDLE:
                    self._make_ready(box)
        if not accepted:
            return_to_sender(box, item)

    def deliver_system(self, box: Mailbox, message: Any) -> None:
        """Put a system message in front of all user messages. From any thread."""
        with self._lock:
            accepted = not (box.ended or self._closed)
            if accepted:
                if box.urgent is None:
                    box.urgent = deque()
                box.urgent.append(message)
                if box.phase == IDLE or box.phase == BUSY:
                    self._make_ready(box)
        if not accepted:
            bury(box, message, system=True)
        elif box.phase == RUNNING and isinstance(message.message if type(message) is Ask else message, Stop):
            self._watch_running(box)

    def is_at_rest(self, box: Mailbox) -> bool:
        """False: any thread may take it up at any time."""
        return False

    def may_seal(self, box: Mailbox) -> bool:
        """Seal the mailbox if nothing waits. From any thread."""
        with self._lock:
            if box.closed or box.lane or box.urgent or box.driver or box.children or box.deferred:
                return False
            box.passivated = True
            box.closed = True
            return True

    def seal(self, box: Mailbox) -> deque[Any] | None:
        """Let nothing more in, and take out what waits."""
        with self._lock:
            box.closed = True
            lane, box.lane = box.lane, None
            return lane

    def retire(self, box: Mailbox) -> deque[Any] | None:
        """Mark as ended, and take out the system messages that wait."""
        with self._lock:
            box.ended = box.closed = True
            urgent, box.urgent = box.urgent, None
            return urgent

    def drive(self, box: Mailbox, awaitable: Awaitable[Any], hook: Hook) -> None:
        """Step a coroutine of the actor; its first step is in this turn."""
        driver = StepDriver(box, hook, awaitable)
        box.driver = driver
        driver.step()

    def rouse(self, box: Mailbox) -> None:
        """Nothing to do: a coroutine on a pool ends in a turn of its mailbox."""

    def interrupt(self, error: BaseException) -> None:
        """Raise KeyboardInterrupt in the main thread."""
        interrupt_main()

    def _make_ready(self, box: Mailbox) -> None:
        box.phase = READY
        self._ready.put(box)
        if self._waiting == 0 and len(self._threads) < self._max_workers:
            thread = threading.Thread(
                target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        host.dispatcher = self
        while (box := self._next()) is not None:
            try:
                run_turn(box)
            except BaseException:  # a fault of the runtime itself must not cost the pool a thread
                logger.exception("a turn of %s failed", box.ref)
            self._settle(box)
            del box

    def _next(self) -> Mailbox | None:
        with self._lock:
            self._waiting += 1
        box = self._ready.get()
        with self._lock:
            self._waiting -= 1
        return box

    def _settle(self, box: Mailbox) -> None:
        with self._lock:
            if box.urgent or (box.lane and box.driver is None):
                self._make_ready(box)
            else:
                box.phase = IDLE if box.driver is None else BUSY
                box.urgent = None
                if not box.lane:
                    box.lane = None

    def _watch_running(self, box: Mailbox) -> None:
        actor = box.actor
        if actor is not None:
            self._timers.call_later(actor.stop_deadline, partial(self._abandon, box, actor))

    def _abandon(self, box: Mailbox, actor: Any) -> None:
        waiting: Iterable[Any] = ()
        with self._lock:
            stuck = box.phase == RUNNING and not box.closed and bool(box.urgent) and box.actor is actor
            if stuck:
                box.closed = box.abandoned = box.hooked = True
                waiting, box.lane = box.lane or (), None
        if not stuck:
            return
        logger.warning(
            "%s still blocked %s seconds after it was told to stop: abandoned", box.ref, actor.stop_deadline
        )
        for item in waiting:
            return_to_sender(box, item)
        stop_children(box)
        reply, box.reply = box.reply, None
        if reply is not None:
            answer_gone(box, reply)
        finish(box)
