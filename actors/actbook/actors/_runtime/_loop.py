"""Actors on one asyncio loop: the default."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from threading import get_ident
from typing import Any

from actbook.actors._runtime._confined import ConfinedDispatcher
from actbook.actors._runtime._dispatcher import Hook, TimerHandle
from actbook.actors._runtime._mailbox import Mailbox
from actbook.actors._runtime._task import TaskDriver
from actbook.actors._runtime._thread import interrupt_main
from actbook.actors._runtime._timer import ForeignTimer
from actbook.actors._runtime._turn import run_turn

__all__ = ["LoopDispatcher"]


class LoopDispatcher(ConfinedDispatcher):
    """Runs mailboxes in callbacks of one asyncio loop.

    One callback drains the ready mailboxes, at most about `burst` messages or `burst_seconds`, so that other
    work of the loop gets its turn. Without a loop it makes one, on a daemon thread, when the first message is
    sent.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        burst: int = 1024,
        burst_seconds: float = 0.0025,
    ) -> None:
        self._boxes: deque[Mailbox] = deque()
        super().__init__(self._boxes)
        self._loop = loop
        self._burst = burst
        self._burst_seconds = burst_seconds
        self._turn_until = 0.0
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        if loop is not None and _is_running_here(loop):
            self._home = get_ident()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that the actors run on; a dedicated one is started by asking for it."""
        if self._loop is None:
            with self._starting:
                if self._loop is None:
                    self._loop = self._start_thread()
        return self._loop

    @property
    def has_time(self) -> bool:
        """Whether the turn lasts less than a burst."""
        return time.monotonic() < self._turn_until

    def now(self) -> float:
        """Monotonic seconds: the loop's clock."""
        return time.monotonic() if self._loop is None else self._loop.time()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> TimerHandle:
        """Call once on the loop, from any thread."""
        if get_ident() == self._home:
            return self.loop.call_later(seconds, callback)
        timer = ForeignTimer(callback)
        self.loop.call_soon_threadsafe(timer.start, self.loop, self.loop.time() + seconds)
        return timer

    def drive(self, box: Mailbox, awaitable: Awaitable[Any], hook: Hook) -> None:
        """Run a coroutine of the actor as a task of the loop."""
        driver = TaskDriver(box, hook, awaitable)
        box.driver = driver
        driver.start(self.loop)

    def close(self) -> None:
        """Stop a loop of its own, and answer what is still sent with ActorStoppedError. A loop given stays as
        it is."""
        with self._starting:
            thread, self._thread = self._thread, None
            self._closed = True
        if thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            if thread is not threading.current_thread():
                thread.join()
        self._refuse_all()

    def _arm(self) -> None:
        self._armed = True
        self._schedule(self.loop.call_soon)

    def _wake(self) -> None:
        self._schedule(self.loop.call_soon_threadsafe)

    def _schedule(self, call: Callable[[Callable[[], None]], object]) -> None:
        try:
            call(self._drain)
        except RuntimeError:
            if not self.loop.is_closed():
                raise
            self._refuse_all()

    def _drain(self) -> None:
        self._home = get_ident()
        self._armed = True
        # Also with nothing there: a sender that found its message taken has still asked to be woken for.
        if self._woken or self._foreign:
            self._absorb()
        boxes, left = self._boxes, self._burst
        now = time.monotonic()
        until = now + self._burst_seconds
        try:
            while boxes:
                box = boxes.popleft()
                self._turn_until = now + self._burst_seconds
                left -= run_turn(box)
                self._settle(box)
                now = time.monotonic()
                if left <= 0 or self._interrupt is not None or now >= until:
                    break
        finally:
            self._armed = False
            self._turn_until = 0.0
            if boxes:
                self._arm()
        if self._interrupt is not None:
            error, self._interrupt = self._interrupt, None
            raise error

    def _start_thread(self) -> asyncio.AbstractEventLoop:
        if self._closed:
            raise RuntimeError("the dispatcher is closed")
        loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._host, args=(loop,), name="actbook-actors", daemon=True)
        self._thread.start()
        return loop

    def _host(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        while not self._closed:
            try:
                loop.run_forever()
            except KeyboardInterrupt:
                interrupt_main()
        _cancel_rest(loop)
        loop.close()


def _is_running_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _cancel_rest(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=1.0))
