"""Event ids: UUID version 7, rising within a process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from random import Random
from threading import Lock

_VERSION_AND_VARIANT = (7 << 76) | (0b10 << 62)
_COUNTER_LIMIT = 1 << 62


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


class EventIds:
    """Source of 16-byte ids that are unique and sort in the order in which they were made.

    48 bits of time, 12 random bits, then a counter that starts at random in the lower half of 62 bits. A
    clock that stands still or goes back does not disturb the order: the last time stays in use.
    """

    def __init__(self, clock: Callable[[], int] = _milliseconds) -> None:
        self._clock = clock
        self._random = Random(os.urandom(32))
        self._lock = Lock()
        self._at = 0
        self._prefix = 0
        self._counter = _COUNTER_LIMIT

    def __call__(self) -> bytes:
        return self.take(1)[0]

    def take(self, count: int) -> list[bytes]:
        """So many ids at once, for less than one by one."""
        with self._lock:
            at = self._clock()
            if at > self._at or self._counter + count > _COUNTER_LIMIT:
                self._start(max(at, self._at + 1))
            first = self._prefix + self._counter
            self._counter += count
        return [number.to_bytes(16, "big") for number in range(first, first + count)]

    def forget(self) -> None:
        """Starts afresh: a forked process must not go on where its parent does."""
        self._random.seed(os.urandom(32))
        self._lock = Lock()
        self._counter = _COUNTER_LIMIT

    def _start(self, at: int) -> None:
        random = self._random.getrandbits(73)
        self._at = at
        self._prefix = (at << 80) | _VERSION_AND_VARIANT | ((random & 0xFFF) << 64)
        self._counter = random >> 12


new_event_id = EventIds()
"""The process-wide source."""

os.register_at_fork(after_in_child=new_event_id.forget)
