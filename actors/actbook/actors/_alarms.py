"""Alarms: what has to happen at a time of the day, with one timer of the loop for the earliest of it."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Hashable
from itertools import count
from typing import NamedTuple

from actbook.actors._runtime import TimerHandle

logger = logging.getLogger("actbook.alarms")

Clock = Callable[[], int]
CallLater = Callable[[float, Callable[[], object]], TimerHandle]

LONGEST = 3600.0
"""Seconds after which the clock is looked at again at the latest: it may have been set, or the machine slept."""
_SPARE = 64


class _Alarm(NamedTuple):
    due: int
    order: int
    key: Hashable
    callback: Callable[[], object]


class Alarms:
    """Keyed one-shot alarms at wall-clock times, in microseconds since the Unix epoch, UTC.

    It remembers nothing over a restart: whoever has a time in its recorded state sets it again. `clock` is the wall
    clock, `call_later` starts a timer on the loop that everything here is used on. An alarm never rings early, also when
    the clock is set back; when it is set forward, or the machine slept, alarms may ring up to `LONGEST` seconds late.
    """

    def __init__(self, *, clock: Clock, call_later: CallLater) -> None:
        self._clock = clock
        self._call_later = call_later
        self._alarms: dict[Hashable, _Alarm] = {}
        self._heap: list[_Alarm] = []
        self._order = count()
        self._timer: TimerHandle | None = None
        self._armed_for = 0
        self._ringing = False

    def set(self, key: Hashable, due: int, callback: Callable[[], object]) -> None:
        """Calls `callback` once at `due`, never before this returns; replaces the alarm that `key` had.

        What a callback raises is logged and keeps no other alarm from ringing.
        """
        alarm = _Alarm(due, next(self._order), key, callback)
        self._alarms[key] = alarm
        heapq.heappush(self._heap, alarm)
        if len(self._heap) > 2 * len(self._alarms) + _SPARE:
            self._heap = sorted(self._alarms.values())
        if self._timer is None or due < self._armed_for:
            self._arm()

    def cancel(self, key: Hashable) -> bool:
        """Forgets the alarm of `key`; whether there was one."""
        if self._alarms.pop(key, None) is None:
            return False
        if not self._alarms:
            self.close()
        return True

    def due(self, key: Hashable) -> int | None:
        """When the alarm of `key` rings; None without one."""
        alarm = self._alarms.get(key)
        return None if alarm is None else alarm.due

    def __len__(self) -> int:
        return len(self._alarms)

    def close(self) -> None:
        """Forgets everything; what is set later rings again."""
        self._alarms.clear()
        self._heap.clear()
        self._disarm()

    def _arm(self) -> None:
        """Starts the one timer for the earliest alarm that is still wanted."""
        self._disarm()
        heap = self._heap
        while heap and self._alarms.get(heap[0].key) is not heap[0]:
            heapq.heappop(heap)
        if not heap or self._ringing:
            return
        self._armed_for = heap[0].due
        seconds = (self._armed_for - self._clock()) / 1e6
        self._timer = self._call_later(min(max(seconds, 0.0), LONGEST), self._ring)

    def _disarm(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _ring(self) -> None:
        """What a callback sets for a time that has come already rings in the next round, so others get their turn."""
        self._timer = None
        self._ringing = True
        try:
            for alarm in self._take(self._clock()):
                if self._alarms.get(alarm.key) is alarm:
                    del self._alarms[alarm.key]
                    self._call(alarm)
        finally:
            self._ringing = False
            self._arm()

    def _take(self, now: int) -> list[_Alarm]:
        taken: list[_Alarm] = []
        while self._heap and self._heap[0].due <= now:
            taken.append(heapq.heappop(self._heap))
        return taken

    @staticmethod
    def _call(alarm: _Alarm) -> None:
        try:
            alarm.callback()
        except Exception:
            logger.exception("An alarm's callback failed: %r", alarm.key)
