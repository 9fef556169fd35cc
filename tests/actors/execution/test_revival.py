"""Stops, resumes and retries of one execution in all orders, with crashing handlers and a failing store, in virtual time."""

from __future__ import annotations

import os
from collections import Counter
from functools import partial
from typing import Any

import pytest
from tests.actors.execution.simulation import Chance, SimulatedJournal, Simulation
from tests.actors.execution.worlds import (
    SMALL_OUTPUTS,
    In,
    Out,
    Yields,
    _chain,
    registry,
    small,
)

from actbook.actors import ManualDispatcher
from actbook.events import (
    CancelRequested,
    ExecutionStatus,
    GraphExecution,
    ResumeRequested,
    RetryRequested,
    fold,
)
from actbook.graphs import Block
from actbook.journal import verify_chain
from actbook.replay import History

SEEDS = int(os.environ.get("ACTBOOK_SEEDS", "80"))
S = ExecutionStatus
FOREVER = 100.0


class FlakyBlock(Block):
    """Fails as long as it is told to."""

    id = "5b8d6c1e-8f0b-4d51-9a53-0c8a53f6b0f1"
    Input = In
    Output = Out
    broken = True

    def run(self, input: In, context: Any) -> Yields:
        if type(self).broken:
            raise ValueError("not yet")
        yield "out", input.value
        yield "out", -input.value


BLOCKS = registry()
BLOCKS.register(FlakyBlock)
SMALL = small()
FLAKY = _chain("flaky", FlakyBlock.id)


def simulation(seed: int, **probabilities: float) -> Simulation:
    dispatcher = ManualDispatcher(seed)
    chance = Chance(seed, piecewise=0.3, **probabilities)
    return Simulation(dispatcher, SimulatedJournal(dispatcher, chance), BLOCKS, chance)


def begun(run: Simulation, graph: Any, inputs: dict[str, Any]) -> None:
    """Submits it; trouble begins when it is accepted."""
    run.chance.over = True
    run.do(partial(run.save, graph))
    run.dispatcher.advance(0.1)
    answers = run.submit(graph, "run", inputs)
    while not answers:
        run.dispatcher.advance(0.001)
    run.chance.over = False


def quiet(run: Simulation) -> GraphExecution:
    """Everything has settled, soundly; the state."""
    run.dispatcher.advance(FOREVER)
    store = run.journal.store
    events = store.read_stream("run")
    assert History(events, verify_chain(store.read_rows("run"))).verify() == []
    state = fold(events)
    assert state.status.is_terminal
    assert [*state.running, *state.ready, *state.reviews] == []
    assert store.unfinished() == []
    assert run.bodies.running == 0
    assert run.system.actor_count == 1
    return state


def closed(run: Simulation) -> None:
    run.system.shutdown(1.0)
    run.dispatcher.run_until_idle()


def topics(run: Simulation) -> Counter[str]:
    return Counter(event.topic for event in run.events("run"))


@pytest.mark.parametrize("trouble", [{}, {"crash": 0.01, "commit": 0.05, "read": 0.05}])
def test_whatever_was_asked_in_whatever_order_one_more_resume_completes_it(trouble: dict[str, float]) -> None:
    ends: Counter[str] = Counter()
    for seed in range(SEEDS):
        run = simulation(seed, stubborn=0.1, **trouble)
        begun(run, SMALL, {"x": 3})
        for _ in range(run.chance.random.randint(1, 6)):
            message = run.chance.random.choice(
                [CancelRequested("ada", "enough"), ResumeRequested("ada"), RetryRequested("ada")]
            )
            run.dispatcher.call_later(run.chance.delay(0.06), partial(run.tell, "run", message))
        run.dispatcher.advance(1.0)
        run.chance.over = True
        state = quiet(run)
        ends[str(state.status)] += 1
        if state.status is S.TERMINATED:
            run.tell("run", ResumeRequested("ada", "", state.version))
            state = quiet(run)
        assert (state.status, state.outputs) == (S.COMPLETED, SMALL_OUTPUTS)
        closed(run)
    assert set(ends) == {"COMPLETED", "TERMINATED"}


@pytest.mark.parametrize("trouble", [{}, {"crash": 0.01, "commit": 0.05, "read": 0.05}])
def test_many_retries_of_one_end_act_once_and_lose_nothing(trouble: dict[str, float]) -> None:
    for seed in range(SEEDS):
        FlakyBlock.broken = True
        run = simulation(seed, **trouble)
        begun(run, FLAKY, {"x": 3})
        state = quiet(run)
        assert (state.status, state.outputs, state.stats.node_error_count) == (S.COMPLETED, {}, 1)
        FlakyBlock.broken = bool(seed % 2)
        for _ in range(5):
            message = RetryRequested("ada", "", state.version)
            run.dispatcher.call_later(run.chance.delay(0.1), partial(run.tell, "run", message))
        state = quiet(run)
        assert topics(run)["execution.retried"] == 1
        assert topics(run)["node.retried"] == 1
        assert state.outputs == ({} if FlakyBlock.broken else {"y": [3, -3]})
        closed(run)


def test_a_retry_that_meets_the_end_itself_is_not_lost() -> None:
    """It is asked while the execution is about to end: refused as long as it runs, done as soon as it is over."""
    retried: Counter[int] = Counter()
    for seed in range(SEEDS):
        FlakyBlock.broken = True
        run = simulation(seed)
        begun(run, FLAKY, {"x": 3})
        for _ in range(8):
            run.dispatcher.call_later(run.chance.delay(0.08), partial(run.tell, "run", RetryRequested("ada")))
        state = quiet(run)
        count = topics(run)["execution.retried"]
        retried[count] += 1
        assert state.attempt == count + 1
        assert state.stats.node_error_count == count + 1
        assert topics(run)["inbox.handled"] == 8
        closed(run)
    assert len(retried) > 1


def test_retries_and_stops_race() -> None:
    for seed in range(SEEDS):
        FlakyBlock.broken = True
        run = simulation(seed, stubborn=0.2)
        begun(run, FLAKY, {"x": 3})
        for _ in range(run.chance.random.randint(2, 10)):
            message: Any = run.chance.random.choice([CancelRequested("ada", "enough"), RetryRequested("ada")])
            run.dispatcher.call_later(run.chance.delay(0.3), partial(run.tell, "run", message))
        state = quiet(run)
        FlakyBlock.broken = False
        run.tell("run", RetryRequested("ada", "", state.version))
        state = quiet(run)
        assert (state.status, state.outputs) == (S.COMPLETED, {"y": [3, -3]})
        closed(run)
