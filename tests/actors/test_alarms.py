"""Alarms: never early, never lost, one timer; whatever the wall clock does."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable
from functools import partial
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbook.actors import Alarms
from actbook.actors._alarms import LONGEST

SECOND = 1_000_000


class Timer:
    def __init__(self, due: float, callback: Callable[[], object]) -> None:
        self.due = due
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Day:
    """A loop's time and a wall clock that is set as the test likes."""

    def __init__(self) -> None:
        self.time = 0.0
        self.set_by = 0
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = count()
        self.started = 0
        self.alarms = Alarms(clock=self.clock, call_later=self.call_later)

    def clock(self) -> int:
        return round(self.time * SECOND) + self.set_by

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        assert 0 <= seconds <= LONGEST
        self.started += 1
        timer = Timer(self.time + seconds, callback)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        return timer

    @property
    def armed(self) -> int:
        return sum(timer.callback is not None for _, _, timer in self._timers)

    def pass_time(self, seconds: float) -> None:
        until = self.time + seconds
        while self._timers and self._timers[0][0] <= until:
            due, _, timer = heapq.heappop(self._timers)
            self.time = max(self.time, due)
            if timer.callback is not None:
                timer.callback()
        self.time = until


def test_rings_once_at_its_time() -> None:
    day, rung = Day(), list[int]()
    day.alarms.set("a", 5 * SECOND, lambda: rung.append(day.clock()))
    assert day.alarms.due("a") == 5 * SECOND
    day.pass_time(4.9)
    assert rung == []
    day.pass_time(10)
    assert rung == [5 * SECOND]
    assert (len(day.alarms), day.alarms.due("a"), day.armed) == (0, None, 0)


def test_many_alarms_share_one_timer_and_ring_in_order() -> None:
    day, rung = Day(), list[int]()
    for key, due in enumerate((30, 10, 20, 10)):
        day.alarms.set(key, due * SECOND, partial(rung.append, due))
    assert day.armed == 1
    day.pass_time(100)
    assert rung == [10, 10, 20, 30]


def test_setting_a_key_again_replaces_its_alarm() -> None:
    day, rung = Day(), list[str]()
    day.alarms.set("a", 5 * SECOND, lambda: rung.append("first"))
    day.alarms.set("a", 9 * SECOND, lambda: rung.append("second"))
    day.pass_time(8)
    assert rung == []
    day.pass_time(2)
    assert rung == ["second"]


def test_a_cancelled_alarm_is_silent_and_nothing_stays_armed() -> None:
    day, rung = Day(), list[str]()
    day.alarms.set("a", 5 * SECOND, lambda: rung.append("a"))
    assert day.alarms.cancel("a")
    assert not day.alarms.cancel("a")
    assert day.armed == 0
    day.pass_time(10)
    assert rung == []


def test_a_time_that_has_passed_rings_soon_but_not_at_once() -> None:
    day, rung = Day(), list[str]()
    day.time = 100.0
    day.alarms.set("late", 5 * SECOND, lambda: rung.append("late"))
    assert rung == []
    day.pass_time(0)
    assert rung == ["late"]


def test_a_callback_may_cancel_and_set_others() -> None:
    day, rung = Day(), list[str]()

    def first() -> None:
        rung.append("first")
        day.alarms.cancel("second")
        day.alarms.set("third", 7 * SECOND, lambda: rung.append("third"))
        day.alarms.set("first", 6 * SECOND, lambda: rung.append("again"))

    day.alarms.set("first", 5 * SECOND, first)
    day.alarms.set("second", 5 * SECOND, lambda: rung.append("second"))
    day.pass_time(10)
    assert rung == ["first", "again", "third"]


def test_a_callback_that_fails_is_logged_and_hurts_no_other(caplog: pytest.LogCaptureFixture) -> None:
    day, rung = Day(), list[str]()

    def fail() -> None:
        raise ZeroDivisionError("broken")

    day.alarms.set("a", 5 * SECOND, fail)
    day.alarms.set("b", 5 * SECOND, lambda: rung.append("b"))
    day.alarms.set("c", 6 * SECOND, lambda: rung.append("c"))
    with caplog.at_level(logging.ERROR):
        day.pass_time(10)
    assert rung == ["b", "c"]
    assert "'a'" in caplog.text


def test_a_clock_that_is_set_back_makes_nothing_ring_early() -> None:
    day, rung = Day(), list[int]()
    day.alarms.set("a", 10 * SECOND, lambda: rung.append(day.clock()))
    day.pass_time(5)
    day.set_by = -100 * SECOND
    day.pass_time(5)
    assert rung == []
    day.pass_time(100)
    assert rung == [10 * SECOND]


def test_a_clock_that_is_set_forward_is_noticed_within_an_hour() -> None:
    day, rung = Day(), list[float]()
    day.alarms.set("a", 86_400 * SECOND, lambda: rung.append(day.time))
    day.pass_time(60)
    day.set_by = 86_400 * SECOND
    day.pass_time(LONGEST)
    assert rung == [LONGEST]


def test_cancelled_alarms_take_no_memory() -> None:
    day = Day()
    day.alarms.set("keep", SECOND, print)
    for number in range(10_000):
        day.alarms.set(number, (number + 2) * SECOND, print)
        day.alarms.cancel(number)
    assert len(day.alarms._heap) < 200
    assert day.started == 1


def test_closing_forgets_everything() -> None:
    day, rung = Day(), list[str]()
    day.alarms.set("a", SECOND, lambda: rung.append("a"))
    day.alarms.close()
    day.pass_time(10)
    assert (rung, day.armed, len(day.alarms)) == ([], 0, 0)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("set"), st.integers(0, 5), st.integers(0, 20_000)),
            st.tuples(st.just("cancel"), st.integers(0, 5), st.just(0)),
            st.tuples(st.just("pass"), st.just(0), st.integers(0, 9_000)),
            st.tuples(st.just("clock"), st.just(0), st.integers(-9_000, 9_000)),
        ),
        max_size=40,
    )
)
def test_whatever_the_clock_does_every_wanted_alarm_rings_once_and_never_early(
    steps: list[tuple[str, int, int]],
) -> None:
    day = Day()
    wanted: dict[int, tuple[int, int]] = {}
    serial = count()

    def ring(key: int, mine: tuple[int, int]) -> None:
        assert wanted.pop(key) == mine
        assert day.clock() >= mine[1]

    for kind, key, value in steps:
        if kind == "set":
            mine = (next(serial), value * SECOND)
            wanted[key] = mine
            day.alarms.set(key, mine[1], partial(ring, key, mine))
        elif kind == "cancel":
            assert day.alarms.cancel(key) == (wanted.pop(key, None) is not None)
        elif kind == "pass":
            day.pass_time(value)
        else:
            day.set_by += value * SECOND
        assert len(day.alarms) == len(wanted)
        assert day.armed == bool(wanted)
    latest = max((due for _, due in wanted.values()), default=0)
    day.pass_time(max(0, latest - day.clock()) / SECOND + LONGEST)
    assert wanted == {}
