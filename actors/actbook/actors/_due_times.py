"""When node executions of one graph execution are due, earliest first."""

from __future__ import annotations

import heapq
from collections.abc import Mapping


class DueTimes:
    """Numbers of node executions by time, in microseconds since the Unix epoch, UTC."""

    def __init__(self, times: Mapping[int, int]) -> None:
        self._heap = [(due, number) for number, due in times.items()]
        heapq.heapify(self._heap)

    def add(self, number: int, due: int) -> None:
        """From now on it counts."""
        heapq.heappush(self._heap, (due, number))

    @property
    def next(self) -> int:
        """The earliest time; 0 without any."""
        return self._heap[0][0] if self._heap else 0

    def take(self, now: int, wanted: Mapping[int, int]) -> list[int]:
        """Those whose time has come; one that is `wanted` at another time now is left out."""
        taken: list[int] = []
        while self._heap and self._heap[0][0] <= now:
            due, number = heapq.heappop(self._heap)
            if wanted.get(number) == due:
                taken.append(number)
        return taken
