"""When bodies that were asked to stop are asked again, and when they are given up: one timer for all."""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import Protocol


class Stopping(Protocol):
    def urge(self) -> None:
        """Half of the grace is over."""

    def expire(self) -> None:
        """The grace is over."""


class Deadlines:
    """Ten thousand bodies that stop as asked cost one timer and a dictionary entry each."""

    def __init__(self, loop: asyncio.AbstractEventLoop, home: Context) -> None:
        self._loop = loop
        self._home = home
        self._ends: dict[Stopping, float] = {}
        self._urges: dict[Stopping, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, body: Stopping, grace: float) -> None:
        """The earliest deadline of a body counts."""
        now = self._loop.time()
        end = min(now + grace, self._ends.get(body, float("inf")))
        self._ends[body] = end
        self._urges[body] = now + (end - now) / 2
        self._arm(self._urges[body])

    def discard(self, body: Stopping) -> None:
        self._ends.pop(body, None)
        self._urges.pop(body, None)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._fire, context=self._home)

    def _fire(self) -> None:
        self._timer = None
        now = self._loop.time()
        for body in [body for body, when in self._urges.items() if when <= now]:
            del self._urges[body]
            body.urge()
        for body in [body for body, when in self._ends.items() if when <= now]:
            self.discard(body)
            body.expire()
        if self._ends:
            self._arm(min(min(self._urges.values(), default=float("inf")), min(self._ends.values())))
