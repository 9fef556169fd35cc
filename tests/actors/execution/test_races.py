"""Thousands of interleavings in virtual time: cancel against completion, crashing handlers, failing stores, two owners.

`ACTBOOK_SEEDS` sets how many seeds each test tries.
"""

from __future__ import annotations

import os
from functools import partial

import pytest
from tests.actors.execution.simulation import Chance, SimulatedJournal, Simulation
from tests.actors.execution.worlds import (
    NESTED_OUTPUTS,
    SMALL_OUTPUTS,
    finished,
    nested,
    registry,
    small,
)

from actbook.actors import ManualDispatcher, Notify
from actbook.events import CancelRequested, ExecutionStatus, GraphExecution

SEEDS = int(os.environ.get("ACTBOOK_SEEDS", "80"))
COMPLETED, TERMINATED = ExecutionStatus.COMPLETED, ExecutionStatus.TERMINATED
FOREVER = 100.0

BLOCKS = registry()
SMALL, NESTED = small(), nested()


def simulation(seed: int, *, places: int = 100, **probabilities: float) -> Simulation:
    dispatcher = ManualDispatcher(seed)
    chance = Chance(seed, piecewise=0.3, **probabilities)
    return Simulation(dispatcher, SimulatedJournal(dispatcher, chance), BLOCKS, chance, places=places)


def settled(run: Simulation, seconds: float = FOREVER) -> dict[str, GraphExecution]:
    """Everything has ended, soundly, and nothing is left behind."""
    run.dispatcher.advance(seconds)
    run.chance.over = True
    run.dispatcher.advance(FOREVER)
    states = finished(run.journal.store)
    assert run.bodies.running == 0
    slots = run.environment.slots
    assert (slots._busy, set(slots._pending.values()), set(slots._kept.values())) == (0, {0}, {0})
    assert run.system.actor_count == 1, "an actor outlived its work"
    return states


def closed(*runs: Simulation) -> None:
    for run in runs:
        run.system.shutdown(1.0)
        run.dispatcher.run_until_idle()
        assert run.system.actor_count == 0


def never_begins_after_the_end(run: Simulation) -> None:
    """No effect begins once the end of its execution is recorded."""

    def check(execution_id: str) -> None:
        topics = {event.topic for event in run.events(execution_id)}
        assert not topics & {"execution.terminated", "execution.completed", "execution.failed"}

    run.bodies.on_begin = check


@pytest.mark.parametrize("begin", range(4))
def test_cancel_against_completion_has_one_winner(begin: int) -> None:
    ends: set[ExecutionStatus] = set()
    for seed in range(begin * SEEDS, (begin + 1) * SEEDS):
        run = simulation(seed, stubborn=0.1)
        never_begins_after_the_end(run)
        run.do(partial(run.save, SMALL))
        run.dispatcher.advance(0.1)
        run.submit(SMALL, "run", {"x": 3})
        for _ in range(run.chance.random.randint(1, 3)):
            at = run.chance.delay(0.09)
            run.dispatcher.call_later(at, partial(run.tell, "run", CancelRequested("ada", "enough")))
        (state,) = settled(run).values()
        ends.add(state.status)
        if state.status is COMPLETED:
            assert state.outputs == SMALL_OUTPUTS
        else:
            assert (state.status, state.actor, state.reason) == (TERMINATED, "ada", "enough")
        closed(run)
    assert ends == {COMPLETED, TERMINATED}


def test_a_cascade_ends_every_descendant_and_starts_none() -> None:
    sizes: set[int] = set()
    for seed in range(SEEDS):
        run = simulation(seed, places=2)
        never_begins_after_the_end(run)
        run.do(partial(run.save, NESTED))
        run.dispatcher.advance(0.1)
        run.submit(NESTED, "run", {"x": 2})
        run.dispatcher.call_later(
            run.chance.delay(0.4), partial(run.tell, "run", CancelRequested("ada", "enough"))
        )
        states = settled(run)
        sizes.add(len(states))
        root = states["run"]
        if root.status is COMPLETED:
            assert root.outputs == NESTED_OUTPUTS
        else:
            assert root.status is TERMINATED
            for state in states.values():
                assert state.status in (TERMINATED, COMPLETED)
        # A second look at everything changes nothing and runs nothing.
        begun = len(run.bodies.begun)
        for each in states:
            run.supervisor.tell(Notify(each))
        settled(run)
        assert len(run.bodies.begun) == begun
        closed(run)
    assert len(sizes) > 1


@pytest.mark.parametrize(
    ("name", "probabilities"),
    [
        ("crashing handlers", {"crash": 0.01}),
        ("failing commits", {"commit": 0.05}),
        ("failing reads", {"read": 0.05}),
        ("everything", {"crash": 0.005, "commit": 0.03, "read": 0.03}),
    ],
)
def test_trouble_loses_nothing_and_doubles_nothing(name: str, probabilities: dict[str, float]) -> None:
    troubled = 0
    for seed in range(SEEDS):
        run = simulation(seed, places=3, **probabilities)
        run.chance.over = True
        run.do(partial(run.save, NESTED))
        run.dispatcher.advance(0.1)
        answers = run.submit(NESTED, "run", {"x": 2})
        while not answers:
            run.dispatcher.advance(0.01)
        assert answers == [None]
        run.chance.over = False
        states = settled(run, 5.0)
        assert states["run"].outputs == NESTED_OUTPUTS
        assert {state.status for state in states.values()} == {COMPLETED}
        assert len(states) == 7
        troubled += states["run"].epoch > 1
        closed(run)
    assert troubled > SEEDS / 10, name


def test_two_owners_that_rob_each_other_write_one_history() -> None:
    for seed in range(SEEDS):
        dispatcher = ManualDispatcher(seed)
        chance = Chance(seed, piecewise=0.3)
        journal = SimulatedJournal(dispatcher, chance)
        first = Simulation(dispatcher, journal, BLOCKS, chance, worker="first")
        second = Simulation(dispatcher, journal, BLOCKS, chance, worker="second")
        first.do(partial(first.save, SMALL))
        dispatcher.advance(0.1)
        first.submit(SMALL, "run", {"x": 3})
        for _ in range(3):
            thief = chance.random.choice([first, second])
            dispatcher.call_later(chance.delay(0.1), partial(thief.supervisor.tell, Notify("run")))
        dispatcher.advance(FOREVER)
        states = finished(journal.store)
        assert (states["run"].status, states["run"].outputs) == (COMPLETED, SMALL_OUTPUTS)
        for each in (first, second):
            assert each.system.actor_count == 1
            assert each.bodies.running == 0
        closed(first, second)


def test_bodies_of_many_executions_share_few_places_and_all_end() -> None:
    for seed in range(max(10, SEEDS // 10)):
        run = simulation(seed, places=1, crash=0.002, commit=0.01)
        run.chance.over = True
        run.do(partial(run.save, SMALL))
        run.dispatcher.advance(0.1)
        answers = [run.submit(SMALL, f"run{number}", {"x": 3}) for number in range(12)]
        run.dispatcher.advance(0.05)
        run.chance.over = False
        for number in range(0, 12, 3):
            run.dispatcher.call_later(
                run.chance.delay(0.3),
                partial(run.tell, f"run{number}", CancelRequested("ada")),
            )
        states = settled(run, 3.0)
        accepted = [f"run{number}" for number, answer in enumerate(answers) if answer == [None]]
        assert set(accepted) <= set(states)
        for state in states.values():
            assert state.status is TERMINATED or state.outputs == SMALL_OUTPUTS
        closed(run)


def test_an_execution_that_ran_its_effects_told_of_each_before_it_began() -> None:
    """Output commit: the start of an effect is durable before the effect begins."""
    for seed in range(SEEDS // 3):
        run = simulation(seed)

        def check(execution_id: str, run: Simulation = run) -> None:
            begun = sum(each[0] == execution_id for each in run.bodies.begun if each[1] in ("n0", "n2"))
            started = [event for event in run.events(execution_id) if event.topic == "node.started"]
            assert len(started) >= begun

        run.bodies.on_begin = check
        run.submit(SMALL, "run", {"x": 3})
        settled(run)
        closed(run)
