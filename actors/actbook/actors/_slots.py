"""Bounded concurrency: how many bodies of each kind may run at once in this engine."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping


class Slots:
    """Counts free places per kind of body. Used from the engine's loop only, so it needs no lock."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._free = dict(limits)
        self._taken = 0
        self._waiting: deque[Callable[[], None]] = deque()
        self._drained: asyncio.Event | None = None

    def free(self, kind: str) -> int:
        """Free places of a kind; none any more once draining began."""
        return 0 if self._drained is not None else self._free[kind]

    def take(self, kind: str) -> None:
        """Occupies a place that is free."""
        self._free[kind] -= 1
        self._taken += 1

    def give(self, kind: str) -> None:
        """Frees a place and wakes who waited longest."""
        self._free[kind] += 1
        self._taken -= 1
        if self._drained is not None:
            if not self._taken:
                self._drained.set()
        elif self._waiting:
            self._waiting.popleft()()

    async def drain(self, seconds: float) -> bool:
        """Gives out no more places and waits until all are free; False when that took longer."""
        self._drained = drained = asyncio.Event()
        if not self._taken:
            return True
        try:
            await asyncio.wait_for(drained.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def wait(self, wake: Callable[[], None]) -> None:
        """Calls `wake` once, when a place becomes free and everybody who asked before was woken."""
        self._waiting.append(wake)
