"""Who is told about commits, and how failures of theirs are kept apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def report_failure(loop: asyncio.AbstractEventLoop, error: Exception) -> None:
    """A callback that raises concerns neither the journal nor the next callback."""
    loop.call_exception_handler({"message": "A journal callback failed", "exception": error})


class Listeners(Generic[T]):
    """Callbacks in the order in which they were added; adding returns what removes it again."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._callbacks: tuple[Callable[[T], Any], ...] = ()

    def __bool__(self) -> bool:
        return bool(self._callbacks)

    def add(self, callback: Callable[[T], Any]) -> Callable[[], None]:
        self._callbacks += (callback,)

        def remove() -> None:
            self._callbacks = tuple(kept for kept in self._callbacks if kept is not callback)

        return remove

    def tell(self, what: T) -> None:
        for callback in self._callbacks:
            try:
                callback(what)
            except Exception as error:
                report_failure(self._loop, error)
