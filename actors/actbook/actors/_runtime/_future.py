"""The answer to an ask: a pykka future that can also be awaited without blocking."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any, Generic, Self, TypeVar, cast

import pykka

from actbook.actors._runtime._errors import AskTimeoutError, BlockingAskError
from actbook.actors._runtime._pykka import PykkaFuture
from actbook.actors._runtime._thread import host, may_block

__all__ = ["Future"]

T = TypeVar("T")
J = TypeVar("J")
M = TypeVar("M")
R = TypeVar("R")


class Future(PykkaFuture[T], Generic[T]):
    """Set once, read by any number of threads and coroutines.

    `get()` blocks, and is refused with BlockingAskError on a thread that runs actors or an event loop, unless
    the value is there; `await` never blocks.
    """

    _done = False
    _value: Any = None
    _exc_info: tuple[Any, Any, Any] | None = None
    _callbacks: list[Callable[[Any], None]] | None = None
    _sources: tuple[Any, ...] = ()

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"<Future {'done' if self._done else 'pending'}>"

    def done(self) -> bool:
        """Whether `get()` would return, or raise, at once."""
        return self._done or (bool(self._sources) and all(source.done() for source in self._sources))

    def get(self, *, timeout: float | None = None) -> T:
        """The value. Blocks up to `timeout` seconds; raises AskTimeoutError (a pykka.Timeout) after them."""
        if self._has_hook():
            with self._lock:
                return cast("T", self._hooked(timeout))
        if not self._done:
            self._block(timeout)
        return self._result()

    def set(self, value: T | None = None) -> None:
        """Set the value. A second time raises queue.Full, as in pykka."""
        if not self._settle(value, None):
            raise queue.Full

    def set_exception(self, exc_info: Any = None) -> None:
        """Set the exception being handled, or the `sys.exc_info()` triple given. A second time raises
        queue.Full."""
        if not self._settle(None, exc_info or sys.exc_info()):
            raise queue.Full

    def try_set(self, value: T | None = None) -> bool:
        """Set the value unless the future is done; whether it was set."""
        return self._settle(value, None)

    def fail(self, error: BaseException) -> bool:
        """Set the exception unless the future is done; whether it was set."""
        return self._settle(None, (type(error), error, error.__traceback__))

    def set_get_hook(self, func: Callable[[float | None], T]) -> None:
        """Compute the value by `func(timeout)` at the first `get()`, as in pykka."""
        with self._lock:
            if self._done:
                raise queue.Full
            self._set_hook(func)

    def add_done_callback(self, callback: Callable[[Future[T]], None]) -> None:
        """Call `callback(self)` when done, on the thread that sets it; at once if it is done already."""
        if self._sources:
            self._after(0, callback)
            return
        with self._lock:
            if not self._done:
                if self._callbacks is None:
                    self._callbacks = []
                self._callbacks.append(callback)
                return
        callback(self)

    def filter(self: Future[Iterable[J]], func: Callable[[J], bool]) -> Future[Iterable[J]]:
        """As pykka's; can be awaited too."""
        return _derived(pykka.Future.filter(self, func), self)

    def join(self: Future[Any], *futures: pykka.Future[Any]) -> Future[Iterable[Any]]:
        """As pykka's; can be awaited too."""
        return _derived(pykka.Future.join(self, *futures), self, *futures)

    def map(self, func: Callable[[T], M]) -> Future[M]:
        """As pykka's; can be awaited too."""
        return _derived(pykka.Future.map(self, func), self)

    def reduce(self: Future[Iterable[J]], func: Callable[[R, J], R], *args: R) -> Future[R]:
        """As pykka's; can be awaited too."""
        return _derived(pykka.Future.reduce(self, func, *args), self)

    def derive(self, hook: Callable[[float | None], M]) -> Future[M]:
        """A future whose value is `hook(timeout)`, called when this one is done or somebody blocks on the new
        one."""
        derived = cast("Future[M]", self.__class__())
        derived.set_get_hook(hook)
        return _derived(derived, self)

    def __await__(self) -> Generator[Any, None, T]:
        yield from self._until_done()
        return self.get(timeout=0) if self._has_hook() else self._result()

    __iter__ = __await__

    def following(self, sources: Iterable[Future[Any]]) -> Self:
        """Be done when these are."""
        self._sources = tuple(sources)
        return self

    def _settle(self, value: Any, exc_info: tuple[Any, Any, Any] | None) -> bool:
        with self._lock:
            if self._done or self._has_hook():
                return False
            self._value, self._exc_info, self._done = value, exc_info, True
            callbacks, self._callbacks = self._callbacks, None
        if callbacks is not None:
            for callback in callbacks:
                callback(self)
        return True

    def _result(self) -> T:
        if self._exc_info is None:
            return cast("T", self._value)
        kind, error, traceback = self._exc_info
        error = kind() if error is None else error
        raise error.with_traceback(traceback)

    def _block(self, timeout: float | None) -> None:
        if not may_block():
            raise BlockingAskError
        gate = threading.Lock()
        gate.acquire()
        release = partial(_release, gate)
        self.add_done_callback(release)
        if not gate.acquire(timeout=-1 if timeout is None else min(max(timeout, 0.0), threading.TIMEOUT_MAX)):
            self._discard(release)
            if not self._done:
                raise AskTimeoutError(timeout)

    def _discard(self, callback: Callable[[Any], None]) -> None:
        with self._lock:
            if self._callbacks is not None and callback in self._callbacks:
                self._callbacks.remove(callback)

    def _after(self, index: int, callback: Callable[[Future[T]], None]) -> None:
        if index == len(self._sources):
            callback(self)
        else:
            self._sources[index].add_done_callback(lambda _: self._after(index + 1, callback))

    def _until_done(self) -> Generator[Any, None, None]:
        for source in self._sources:
            yield from source._until_done()  # noqa: SLF001 - a future of its own kind
        if self._done or self._has_hook():
            return
        dispatcher = host.dispatcher
        if dispatcher is not None and dispatcher.steps_coroutines:
            while not self.done():
                yield self
            return
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        wake = partial(_wake, loop, waiter)
        self.add_done_callback(wake)
        try:
            yield from waiter
        finally:
            self._discard(wake)


def _derived(future: pykka.Future[M], *sources: pykka.Future[Any]) -> Future[M]:
    derived = cast("Future[M]", future)
    return derived.following(source for source in sources if isinstance(source, Future))


def _release(gate: threading.Lock, _future: object) -> None:
    gate.release()


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _wake(loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[None], _future: object) -> None:
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if running is loop:
        _finish(waiter)
    elif not loop.is_closed():
        try:
            loop.call_soon_threadsafe(_finish, waiter)
        except RuntimeError:
            if not loop.is_closed():
                raise
