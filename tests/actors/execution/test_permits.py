"""Limits of blocks: never exceeded, nobody forgotten, in order, without polling, and nothing kept that says nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actbook.actors._line import Line
from actbook.actors._permits import Holder, Permits
from actbook.actors._token_bucket import TokenBucket
from actbook.graphs import Block, BlockDefinitionError, BlockLimit, CredentialsMetaInput

SECOND = 1_000_000


class In(msgspec.Struct):
    who: Any = None
    credentials: CredentialsMetaInput | None = None


class Out(msgspec.Struct):
    error: str = ""


class Limited(Block):
    id = "6d0f6f0e-31a5-4f0c-8c58-3a3d2f1b9a01"
    Input = In
    Output = Out


class Timer:
    def __init__(self, due: int, callback: Callable[[], object]) -> None:
        self.due, self.callback, self.cancelled = due, callback, False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """A clock that goes on only when told, and the timers on it."""

    def __init__(self) -> None:
        self.now = 0
        self.timers: list[Timer] = []
        self.rung = 0

    def __call__(self) -> int:
        return self.now

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Any:
        timer = Timer(self.now + round(seconds * 1e6), callback)
        self.timers.append(timer)
        return timer

    @property
    def pending(self) -> list[Timer]:
        return [timer for timer in self.timers if not timer.cancelled]

    def ring(self) -> bool:
        """Goes to the next timer; False when there is none."""
        self.timers = self.pending
        if not self.timers:
            return False
        timer = min(self.timers, key=lambda each: each.due)
        self.timers.remove(timer)
        self.now = max(self.now, timer.due)
        self.rung += 1
        timer.callback()
        return True


class Rig:
    def __init__(self, *limits: BlockLimit) -> None:
        self.clock = Clock()
        self.permits = Permits(limits, call_later=self.clock.call_later, clock=self.clock)
        self.limits = self.permits.limits_of(Limited())
        self.granted: list[tuple[str, int]] = []

    def holder(self, name: str, priority: int = 0) -> Holder:
        return Holder(self.permits, lambda number: self.granted.append((name, number)), priority)

    def ask(self, holder: Holder, number: int, **data: Any) -> bool:
        return holder.ask(number, self.limits, data)


def limit(**fields: Any) -> BlockLimit:
    return BlockLimit(block="Limited", **fields)


def test_only_so_many_at_once_and_then_in_order() -> None:
    rig = Rig(limit(concurrent=2))
    a, b = rig.holder("a"), rig.holder("b")
    assert [rig.ask(a, 1), rig.ask(a, 2), rig.ask(a, 3), rig.ask(b, 1)] == [True, True, False, False]
    a.give_back(2)
    assert rig.granted == [("a", 3)]
    a.give_back(1)
    assert rig.granted == [("a", 3), ("b", 1)]


def test_a_higher_priority_goes_first_and_equals_in_order_of_asking() -> None:
    rig = Rig(limit(concurrent=1))
    low, high = rig.holder("low"), rig.holder("high", priority=5)
    assert rig.ask(low, 1)
    assert not any([rig.ask(low, 2), rig.ask(high, 1), rig.ask(high, 2)])
    for holder, number in ((low, 1), (high, 1), (high, 2)):
        holder.give_back(number)
    assert rig.granted == [("high", 1), ("high", 2), ("low", 2)]


def test_values_of_the_key_are_counted_separately() -> None:
    rig = Rig(limit(concurrent=1, key="who"))
    a = rig.holder("a")
    assert [rig.ask(a, n, who=who) for n, who in enumerate(["x", "y", "x", 1, "1", None])] == [
        True,
        True,
        False,
        True,
        True,
        True,
    ]


def test_credentials_count_by_their_id() -> None:
    rig = Rig(limit(concurrent=1, key="credentials"))
    a = rig.holder("a")
    one = {"id": "1", "provider": "p", "type": "api_key", "title": "mine"}
    assert rig.ask(a, 1, credentials=one)
    assert not rig.ask(a, 2, credentials={**one, "title": "the same"})
    assert rig.ask(a, 3, credentials={**one, "id": "2"})


def test_a_key_that_is_busy_holds_back_no_other_one_under_a_common_limit() -> None:
    rig = Rig(limit(concurrent=2), limit(concurrent=1, key="who"))
    a = rig.holder("a")
    assert rig.ask(a, 1, who="x")
    assert not any(rig.ask(a, number, who="x") for number in (2, 3, 4))
    assert rig.ask(a, 5, who="y")
    assert not rig.ask(a, 6, who="z")
    a.give_back(1)
    assert rig.granted == [("a", 6)]
    a.give_back(5)
    assert rig.granted == [("a", 6), ("a", 2)]


def test_starts_are_spread_over_time_with_one_timer() -> None:
    rig = Rig(limit(per_seconds=(2, 1.0)))
    a = rig.holder("a")
    begun: list[int] = []
    for number in range(6):
        if rig.ask(a, number):
            a.begun(number)
            begun.append(rig.clock.now)
    assert begun == [0, 0]
    while len(begun) < 6:
        assert len(rig.clock.pending) == 1
        assert rig.clock.ring()
        for _, number in rig.granted[len(begun) - 2 :]:
            a.begun(number)
            begun.append(rig.clock.now)
    assert begun == [0, 0, SECOND // 2, SECOND, SECOND * 3 // 2, 2 * SECOND]
    assert rig.clock.rung == 4


def test_tokens_are_used_when_it_begins_and_not_when_it_is_granted() -> None:
    rig = Rig(limit(per_seconds=(2, 1.0)))
    a = rig.holder("a")
    assert [rig.ask(a, number) for number in range(4)] == [True, True, False, False]
    rig.clock.now = 10 * SECOND
    assert not rig.granted, "those before it have not begun, so the rate would be exceeded"
    a.begun(0)
    assert rig.granted == []
    assert rig.clock.ring()
    assert (rig.granted, rig.clock.now) == ([("a", 2)], 10 * SECOND + SECOND // 2)


def test_nothing_is_kept_that_says_nothing() -> None:
    rig = Rig(limit(concurrent=1, per_seconds=(1, 1.0), key="who"))
    a = rig.holder("a")
    for number in range(100):
        assert rig.ask(a, number, who=number)
        a.begun(number)
        a.give_back(number)
    assert len(rig.permits._counters) == 100
    while rig.clock.ring():
        assert rig.clock.now <= 2 * SECOND
    assert rig.permits._counters == {}


def test_who_leaves_gives_back_everything_and_waits_no_more() -> None:
    rig = Rig(limit(concurrent=1))
    a, b = rig.holder("a"), rig.holder("b")
    assert rig.ask(a, 1)
    assert not rig.ask(a, 2)
    assert not rig.ask(b, 1)
    assert a.waits
    a.leave()
    assert (rig.granted, a.waits) == ([("b", 1)], False)
    b.leave()
    assert rig.permits._counters == {}


def test_asking_twice_is_asking_once() -> None:
    rig = Rig(limit(concurrent=1))
    a, b = rig.holder("a"), rig.holder("b")
    assert rig.ask(a, 1)
    assert rig.ask(a, 1)
    assert not rig.ask(b, 1)
    assert not rig.ask(b, 1)
    a.give_back(1)
    assert rig.granted == [("b", 1)]


def test_withdrawing_leaves_alone_what_has_begun() -> None:
    rig = Rig(limit(concurrent=2))
    a, b = rig.holder("a"), rig.holder("b")
    assert rig.ask(a, 1)
    assert rig.ask(a, 2)
    a.begun(1)
    assert not rig.ask(b, 1)
    a.withdraw()
    assert rig.granted == [("b", 1)]
    assert not rig.ask(b, 2)


@given(
    st.integers(0, 2**32),
    st.one_of(st.none(), st.integers(1, 3)),
    st.one_of(st.none(), st.tuples(st.integers(1, 4), st.floats(0.05, 3))),
    st.booleans(),
)
def test_no_limit_is_exceeded_and_everybody_gets_their_turn(
    seed: int, concurrent: int | None, rate: tuple[int, float] | None, keyed: bool
) -> None:
    if concurrent is None and rate is None:
        rate = (1, 1.0)
    rig, chance = (
        Rig(limit(concurrent=concurrent, per_seconds=rate, key="who" if keyed else None)),
        random.Random(seed),
    )
    holders = {name: rig.holder(name, priority) for name, priority in (("a", 0), ("b", 1), ("c", 0))}
    open_: list[tuple[str, int]] = []
    running: list[tuple[str, int]] = []
    starts: dict[str, list[int]] = {}
    done = 0
    todo = [(name, number, chance.choice("xy")) for number in range(8) for name in holders]
    keys = {(name, number): who for name, number, who in todo}
    chance.shuffle(todo)

    def key_of(entry: tuple[str, int]) -> str:
        return keys[entry] if keyed else ""

    while todo or open_ or running or done < len(keys):
        open_ += rig.granted
        rig.granted.clear()
        act = chance.random()
        if todo and act < 0.4:
            name, number, who = todo.pop()
            if rig.ask(holders[name], number, who=who):
                open_.append((name, number))
        elif open_ and act < 0.7:
            entry = open_.pop(chance.randrange(len(open_)))
            holders[entry[0]].begun(entry[1])
            running.append(entry)
            starts.setdefault(key_of(entry), []).append(rig.clock.now)
        elif running:
            entry = running.pop(chance.randrange(len(running)))
            holders[entry[0]].give_back(entry[1])
            done += 1
        elif not (todo or open_ or rig.granted):
            assert rig.clock.ring(), "somebody waits for nothing"
        for key in {key_of(entry) for entry in running}:
            assert concurrent is None or sum(key_of(entry) == key for entry in running) <= concurrent
    if rate is not None:
        for times in starts.values():
            for first, at in enumerate(times):
                for last in range(first, len(times)):
                    span = (times[last] - at) / SECOND
                    assert last - first + 1 <= rate[0] + span * rate[0] / rate[1] + 1e-3
    while rig.clock.ring():
        pass
    assert rig.permits._counters == {}


@given(st.integers(1, 50), st.floats(0.01, 100), st.lists(st.integers(0, 10_000_000), max_size=20))
def test_a_bucket_never_holds_more_than_its_count_and_fills_when_it_says(
    count: int, seconds: float, pauses: list[int]
) -> None:
    bucket, now = TokenBucket(count, seconds, 0), 0
    for pause in pauses:
        now += pause
        assert bucket.level(now) <= count
        if bucket.level(now) >= 1.0:
            bucket.take(now)
        assert bucket.level(bucket.when(1)) >= 1.0 - 1e-6
    assert bucket.level(bucket.full_at) == pytest.approx(count)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(-2, 2), st.booleans())))
def test_a_line_is_sorted_by_priority_and_then_by_arrival(moves: list[tuple[int, int, bool]]) -> None:
    line: Line[int, str] = Line()
    model: list[tuple[int, int]] = []
    for key, priority, joins in moves:
        if joins:
            line.add(key, "v", priority)
            if key not in [each for _, each in model]:
                model.append((-priority, key))
        else:
            line.discard(key)
            model = [entry for entry in model if entry[1] != key]
        assert bool(line) == bool(model)
    in_order = [key for _, key in sorted(model, key=lambda entry: entry[0])]
    assert [line.pop()[0] for _ in in_order] == in_order
    assert not line


@pytest.mark.parametrize(
    "fields", [{}, {"concurrent": 0}, {"per_seconds": (0, 1.0)}, {"per_seconds": (1, 0.0)}]
)
def test_a_limit_that_limits_nothing_sensible_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="BlockLimit"):
        BlockLimit(**fields)


def test_a_block_declares_a_limit_or_none() -> None:
    with pytest.raises(BlockDefinitionError, match="`limit` must be a BlockLimit"):
        type("Wrong", (Limited,), {"limit": 5})
