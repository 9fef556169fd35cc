"""A coroutine handler as an asyncio task."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from actbook.actors._runtime._dispatcher import Hook, TimerHandle
from actbook.actors._runtime._mailbox import Mailbox
from actbook.actors._runtime._turn import complete

__all__ = ["TaskDriver"]


class TaskDriver:
    """Catches whatever the coroutine raises, so that asyncio never sees a SystemExit or KeyboardInterrupt of
    a handler."""

    __slots__ = ("_awaitable", "_box", "_started", "_task", "expiry", "hook")

    def __init__(self, box: Mailbox, hook: Hook, awaitable: Awaitable[Any]) -> None:
        self._box = box
        self._awaitable = awaitable
        self._started = False
        self._task: asyncio.Task[None] | None = None
        self.hook = hook
        self.expiry: TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make the task."""
        self._task = loop.create_task(self._run())

    def cancel(self) -> None:
        """Raise CancelledError where the coroutine is suspended; one that never began is over at once."""
        if self._task is not None:
            self._task.cancel()
        if not self._started:
            getattr(self._awaitable, "close", bool)()
            complete(self._box, self, None, asyncio.CancelledError())

    def step(self) -> None:
        """The loop does the stepping."""

    def abandon(self) -> None:
        """Nothing to undo: the mailbox no longer knows this driver."""

    async def _run(self) -> None:
        self._started = True
        try:
            value = await self._awaitable
        except BaseException as error:
            complete(self._box, self, None, error)
        else:
            complete(self._box, self, value, None)
