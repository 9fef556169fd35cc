"""An asyncio loop in virtual time: coroutine handlers run on it one callback at a time, in a repeatable
order."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from functools import partial
from itertools import count
from typing import Any, cast

from actbook.actors._runtime._pykka import logger
from actbook.actors._runtime._timer import DueTimer

__all__ = ["VirtualLoop"]


class VirtualLoop:
    """As much of a loop as tasks, futures, sleeps, timeouts and locks need. No input or output; executors run
    inline."""

    def __init__(self) -> None:
        self._time = 0.0
        self._handles: deque[asyncio.Handle] = deque()
        self._due: list[DueTimer] = []
        self._order = count()

    def as_loop(self) -> asyncio.AbstractEventLoop:
        """Itself, as what asyncio takes it for."""
        return cast("asyncio.AbstractEventLoop", self)

    @property
    def ready(self) -> bool:
        """Whether a callback could run now."""
        return bool(self._handles)

    def run_one(self) -> None:
        """Run the oldest callback."""
        _run(self._handles.popleft())

    def next_due(self) -> float | None:
        """When the earliest timer is due; None without timers."""
        while self._due and self._due[0].callback is None:
            heapq.heappop(self._due)
        return self._due[0].due if self._due else None

    def move_to(self, time: float) -> None:
        """Set the clock and make everything due by then ready."""
        self._time = max(self._time, time)
        while (due := self.next_due()) is not None and due <= self._time:
            callback = heapq.heappop(self._due).callback
            if callback is not None:
                self.call_soon(callback)

    def schedule(self, seconds: float, callback: Callable[[], object]) -> DueTimer:
        """Call once, in virtual time."""
        timer = DueTimer(self._time + max(seconds, 0.0), next(self._order), callback)
        heapq.heappush(self._due, timer)
        return timer

    def time(self) -> float:
        return self._time

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_soon(
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self.as_loop(), context)
        self._handles.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._time + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = _VirtualTimerHandle(when, callback, args, self.as_loop(), context)
        handle.timer = self.schedule(when - self._time, partial(_run, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self.as_loop())

    def create_task(self, coro: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self.as_loop(), **options)

    def run_in_executor(self, executor: object, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        logger.error("%s", context.get("message"), exc_info=context.get("exception"))

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """asyncio tells the loop of a cancelled timer, which has taken itself out already."""


class _VirtualTimerHandle(asyncio.TimerHandle):
    timer: DueTimer

    def cancel(self) -> None:
        super().cancel()
        self.timer.cancel()


def _run(handle: asyncio.Handle) -> None:
    if not handle.cancelled():
        handle._run()  # noqa: SLF001 - what a loop does with its handles
