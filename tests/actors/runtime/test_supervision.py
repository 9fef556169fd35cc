"""Crashed actors are built again, but not for ever."""

from __future__ import annotations

from typing import Any

import pykka
from hypothesis import given
from hypothesis import strategies as st
from tests.actors.runtime.probes import Failing, Manual, Recorder

from actbook.actors._runtime import (
    ActorRef,
    ChildFailed,
    ChildRestarted,
    ChildStopped,
    GiveUp,
    Restart,
    RestartHistory,
    SupervisionPolicy,
)

ERROR = ValueError("crash")


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=40),
    st.integers(0, 5),
    st.floats(0.1, 200),
)
def test_no_window_holds_more_restarts_than_allowed(gaps: list[float], most: int, window: float) -> None:
    policy = SupervisionPolicy(max_restarts=most, window=window)
    history = RestartHistory()
    restarts: list[float] = []
    now = 0.0
    for gap in gaps:
        now += gap
        decision = policy.decide(history, now, ERROR)
        if isinstance(decision, GiveUp):
            assert len([at for at in restarts if now - at < window]) == most
            return
        history = decision.history
        restarts.append(now)
        assert len([at for at in restarts if now - at < window]) <= most


def test_the_backoff_grows_to_its_limit_and_starts_afresh() -> None:
    policy = SupervisionPolicy(max_restarts=6, window=60, backoff=1, factor=3, backoff_max=20)
    history = RestartHistory()
    delays = []
    for now in range(5):
        decision = policy.decide(history, now, ERROR)
        assert isinstance(decision, Restart)
        history = decision.history
        delays.append(decision.delay)
    assert delays == [1, 3, 9, 20, 20]
    afresh = policy.decide(history, 1000, ERROR)
    assert isinstance(afresh, Restart)
    assert afresh.delay == 1
    assert afresh.history == RestartHistory((1000,))


def test_a_huge_backoff_is_the_limit_and_a_fatal_error_is_final() -> None:
    policy = SupervisionPolicy(max_restarts=5000, window=1e9, factor=10, fatal=(KeyError,))
    decision = policy.decide(RestartHistory(tuple(map(float, range(4000)))), 4000, ERROR)
    assert isinstance(decision, Restart)
    assert decision.delay == policy.backoff_max
    assert policy.decide(RestartHistory(), 0, KeyError()) == GiveUp(0)


def test_a_crashed_actor_is_built_again_by_its_factory(manual: Manual) -> None:
    built: list[Failing] = []
    above: list[Any] = []

    def build() -> Failing:
        built.append(Failing([]))
        return built[-1]

    parent = manual.system.spawn(Recorder, above)
    policy = SupervisionPolicy(max_restarts=2, window=100, backoff=1, factor=2)
    given_up: list[Any] = []
    first = manual.system.supervise(
        build, policy, name="it", parent=parent, on_give_up=lambda ref, error: given_up.append((ref, error))
    )
    first.tell(ERROR)
    manual.dispatcher.advance(0.9)
    assert manual.system.find("it") is None
    manual.dispatcher.advance(0.2)
    second = manual.system.find("it")
    assert second is not None
    assert second is not first
    assert len({id(actor) for actor in built}) == len(built) == 2
    second.tell(ERROR)
    manual.dispatcher.advance(2.1)
    third = manual.system.find("it")
    assert third is not None
    third.tell(ERROR)
    manual.dispatcher.advance(100)
    assert above == [
        ChildFailed(first, ERROR, 1),
        ChildRestarted(second, first),
        ChildFailed(second, ERROR, 2),
        ChildRestarted(third, second),
        ChildFailed(third, ERROR, None),
    ]
    assert given_up == [(third, ERROR)]
    assert manual.system.find("it") is None


def test_a_supervised_actor_that_is_stopped_stays_down(manual: Manual) -> None:
    above: list[Any] = []
    parent = manual.system.spawn(Recorder, above)
    ref = manual.system.supervise(lambda: Recorder([]), SupervisionPolicy(), parent=parent)
    ref.stop()
    manual.dispatcher.advance(100)
    assert above == [ChildStopped(ref)]


def test_a_factory_that_fails_counts_as_a_crash(manual: Manual) -> None:
    above: list[Any] = []
    attempts: list[ActorRef[Any] | None] = []

    def build() -> Failing:
        attempts.append(None)
        if len(attempts) == 2:
            raise ERROR
        return Failing([])

    parent = manual.system.spawn(Recorder, above)
    first = manual.system.supervise(build, SupervisionPolicy(backoff=1), name="it", parent=parent)
    first.tell(ERROR)
    manual.dispatcher.advance(10)
    again = manual.system.find("it")
    assert again is not None
    assert above == [ChildFailed(first, ERROR, 1), ChildFailed(first, ERROR, 2), ChildRestarted(again, first)]


def test_nothing_is_built_again_under_a_parent_that_ended(manual: Manual) -> None:
    built: list[Failing] = []

    def build() -> Failing:
        built.append(Failing([]))
        return built[-1]

    parent = manual.system.spawn(Recorder, [])
    manual.system.supervise(build, SupervisionPolicy(), parent=parent).tell(ERROR)
    manual.dispatcher.run_until_idle()
    parent.stop()
    manual.dispatcher.advance(100)
    assert len(built) == 1
    assert parent not in pykka.ActorRegistry.get_all()
