"""Calls that are due later, on dispatchers that have no loop to keep them, or from another thread."""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
from collections.abc import Callable
from itertools import count

__all__ = ["DueTimer", "ForeignTimer", "TimerThread"]


class ForeignTimer:
    """A timer that another thread starts on a loop."""

    __slots__ = ("_callback", "_handle")

    def __init__(self, callback: Callable[[], object]) -> None:
        self._callback: Callable[[], object] | None = callback
        self._handle: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop, when: float) -> None:
        """On the loop's thread."""
        if self._callback is not None:
            self._handle = loop.call_at(when, self._fire)

    def cancel(self) -> None:
        """From any thread; the loop forgets the callback when the time comes."""
        self._callback = None

    def _fire(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


class DueTimer:
    """A call due at a time, for a heap."""

    __slots__ = ("callback", "due", "order")

    def __init__(self, due: float, order: int, callback: Callable[[], object]) -> None:
        self.due = due
        self.order = order
        self.callback: Callable[[], object] | None = callback

    def __lt__(self, other: DueTimer) -> bool:
        return (self.due, self.order) < (other.due, other.order)

    def cancel(self) -> None:
        """From any thread."""
        self.callback = None


class TimerThread:
    """One daemon thread that sleeps until the next call is due. It starts with the first timer."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._heap: list[DueTimer] = []
        self._order = count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def call_later(self, seconds: float, callback: Callable[[], object]) -> DueTimer:
        """Call on the timer's thread: keep it short."""
        with self._changed:
            timer = DueTimer(time.monotonic() + seconds, next(self._order), callback)
            heapq.heappush(self._heap, timer)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()
        return timer

    def close(self) -> None:
        """Forget all timers and end the thread."""
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while (timer := self._next_due()) is not None:
            callback = timer.callback
            if callback is not None:
                callback()

    def _next_due(self) -> DueTimer | None:
        with self._changed:
            while not self._closed:
                wait = self._heap[0].due - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._heap)
                self._changed.wait(wait)
        return None
