"""Many streams at once, each in its own order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from actbook.bridge._cancellation import heed_cancellation

T = TypeVar("T")


class Lanes(Generic[T]):
    """Work on items by stream: one of a stream at a time and in order, different streams side by side.

    At most `window` items are taken and not done: `room` waits for that.
    """

    def __init__(
        self, work: Callable[[T], Awaitable[None]], on_progress: Callable[[], None], window: int
    ) -> None:
        self._work = work
        self._on_progress = on_progress
        self._window = window
        self._lanes: dict[str, deque[tuple[int, T]]] = {}
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        self._open: deque[int] = deque()
        self._done: set[int] = set()
        self._room = asyncio.Event()
        self._room.set()
        self.reached = 0
        """Everything up to this position is done."""

    @property
    def outstanding(self) -> int:
        return len(self._open)

    async def room(self) -> None:
        """Returns when fewer items are outstanding than the window allows."""
        await self._room.wait()

    def add(self, position: int, stream_id: str, item: T) -> None:
        """Positions must come in ascending order."""
        self._open.append(position)
        if len(self._open) >= self._window:
            self._room.clear()
        lane = self._lanes.get(stream_id)
        if lane is None:
            self._lanes[stream_id] = deque([(position, item)])
            self._ready.put_nowait(stream_id)
        else:
            lane.append((position, item))

    async def serve(self) -> None:
        """Works for ever; run it as often as items may be in flight. An exception of the work ends it."""
        while True:
            stream_id = await self._ready.get()
            lane = self._lanes[stream_id]
            position, item = lane[0]
            await self._work(item)
            heed_cancellation()
            lane.popleft()
            if lane:
                self._ready.put_nowait(stream_id)
            else:
                del self._lanes[stream_id]
            self._finish(position)

    def _finish(self, position: int) -> None:
        self._done.add(position)
        waiting = self._open
        if waiting[0] != position:
            return
        while waiting and waiting[0] in self._done:
            self.reached = waiting.popleft()
            self._done.discard(self.reached)
        if len(waiting) < self._window:
            self._room.set()
        self._on_progress()
