"""Bounded concurrency: how many bodies of each kind may run at once in this engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Mapping

from actbook.actors._line import Line

Wake = Callable[[], None]


class Slots:
    """Counts free places per kind of body. Used from the engine's loop only, so it needs no lock.

    `places` are those of the bodies: live numbers, which change when a body begins and ends. A place is taken before
    its body begins. Who finds too few waits for its kinds, and is woken in turn: a place that becomes free is kept
    for whoever waited longest among those of the highest priority, until it has answered, so nobody overtakes and no
    place is forgotten.
    """

    def __init__(self, places: Mapping[str, int]) -> None:
        self._places = places
        self._pending = dict.fromkeys(places, 0)
        self._kept = dict.fromkeys(places, 0)
        self._busy = 0
        self._waiting: dict[str, Line[Hashable, Wake]] = {kind: Line() for kind in places}
        self._offers: dict[Hashable, list[str]] = {}
        self._drained: asyncio.Event | None = None

    def free(self, kind: str, owner: Hashable = None) -> int:
        """Places of a kind that `owner` may take; none any more once draining began."""
        if self._drained is not None:
            return 0
        free = self._places[kind] - self._pending[kind] - self._kept[kind]
        if self._offers and kind in self._offers.get(owner, ()):
            free += 1
        return max(0, free)

    def take(self, kind: str) -> None:
        """Occupies a place that is free, until the body has begun or will not."""
        self._pending[kind] += 1
        self._busy += 1

    def begun(self, kind: str) -> None:
        """From now on the bodies themselves count the place."""
        self._pending[kind] -= 1

    def give(self, kind: str) -> None:
        """The body will not begin."""
        self._pending[kind] -= 1
        self.done()
        self.offer(kind)

    def done(self, bodies: int = 1) -> None:
        """What bodies reported was taken note of, or nobody listens to them any more."""
        self._busy -= bodies
        if self._drained is not None and not self._busy:
            self._drained.set()

    def wait(self, owner: Hashable, kinds: Iterable[str], wake: Wake, priority: int = 0) -> None:
        """Calls `wake` when a place of one of the kinds is kept for `owner`, who then takes what it needs and answers."""
        for kind in kinds:
            self._waiting[kind].add(owner, wake, priority)
            self.offer(kind)

    def answered(self, owner: Hashable) -> None:
        """The owner had its turn: what was kept for it and not taken is for others."""
        for kind in self._offers.pop(owner, ()):
            self._kept[kind] -= 1
            self.offer(kind)

    def leave(self, owner: Hashable) -> None:
        """The owner needs no place any more."""
        for waiting in self._waiting.values():
            waiting.discard(owner)
        self.answered(owner)

    def offer(self, kind: str) -> None:
        """Keeps free places of a kind for those that wait for one."""
        waiting = self._waiting[kind]
        while waiting.rows and self.free(kind) > 0:
            owner, wake = waiting.pop()
            self._kept[kind] += 1
            self._offers.setdefault(owner, []).append(kind)
            wake()

    async def drain(self, seconds: float) -> bool:
        """Gives out no more places and waits until what runs has ended; False when that took longer."""
        self._drained = drained = asyncio.Event()
        if not self._busy:
            return True
        try:
            await asyncio.wait_for(drained.wait(), seconds)
        except TimeoutError:
            return False
        return True
