"""A coroutine handler without an event loop: stepped in turns, for a pool."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from typing import Any

from actbook.actors._runtime._dispatcher import Hook, TimerHandle
from actbook.actors._runtime._errors import UnsupportedAwaitError
from actbook.actors._runtime._future import Future
from actbook.actors._runtime._mailbox import Mailbox
from actbook.actors._runtime._messages import Resume
from actbook.actors._runtime._turn import complete

__all__ = ["StepDriver"]


class StepDriver:
    """Runs a coroutine from one awaited runtime future to the next, each step in a turn of its actor."""

    __slots__ = ("_box", "_cancelled", "_steps", "_waits_for", "expiry", "hook")

    def __init__(self, box: Mailbox, hook: Hook, awaitable: Awaitable[Any]) -> None:
        self._box = box
        self._steps: Generator[Any, None, Any] = _steps(awaitable)
        self._cancelled = False
        self._waits_for: Future[Any] | None = None
        self.hook = hook
        self.expiry: TimerHandle | None = None

    def step(self) -> None:
        """Go on to the next await, in a turn of the actor."""
        if self._box.driver is not self or (self._waits_for is not None and not self._ready()):
            return
        self._waits_for = None
        cancelled, self._cancelled = self._cancelled, False
        try:
            awaited = self._steps.throw(asyncio.CancelledError()) if cancelled else next(self._steps)
            while not self._suspend(awaited):
                awaited = self._steps.throw(UnsupportedAwaitError(awaited))
        except StopIteration as stop:
            complete(self._box, self, stop.value, None)
        except BaseException as error:
            complete(self._box, self, None, error)

    def cancel(self) -> None:
        """Raise CancelledError where the coroutine is suspended, in the next turn."""
        self._cancelled = True
        self._resume()

    def abandon(self) -> None:
        """Nothing to undo: the mailbox no longer knows this driver."""

    def _ready(self) -> bool:
        return self._cancelled or self._waits_for is None or self._waits_for.done()

    def _suspend(self, awaited: object) -> bool:
        if awaited is None:
            self._resume()
        elif isinstance(awaited, Future):
            self._waits_for = awaited
            awaited.add_done_callback(self._resume)
        else:
            return False
        return True

    def _resume(self, _future: object = None) -> None:
        self._box.dispatcher.deliver_system(self._box, Resume(self))


def _steps(awaitable: Awaitable[Any]) -> Generator[Any, None, Any]:
    return (yield from awaitable.__await__())
