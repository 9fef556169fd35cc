"""What waits for a time: retries, delayed starts and the run's time limit, in and out of memory, over restarts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.actors.execution.simulation import Chance, SimulatedJournal, Simulation
from tests.actors.execution.worlds import INPUT, OUTPUT, finished, sound

from actbook.actors import ManualDispatcher, Notify
from actbook.blocks import Registry, default_registry
from actbook.events import (
    Append,
    CancelRequested,
    Draft,
    ExecutionStatus,
    GraphExecution,
    Limits,
    fold,
    inbox_of,
)
from actbook.graphs import Block, Graph, Link, Node

S = ExecutionStatus
HOUR = 3600.0


class Value(msgspec.Struct):
    value: Any = None


class Out(msgspec.Struct):
    out: Any = None
    error: str = ""


class FlakyBlock(Block):
    """Fails as often as its input says."""

    id = "5b8d6c1e-8f0b-4d51-9a53-0c8a53f6b0f1"
    Input = Value
    Output = Out

    def run(self, input: Any, context: Any) -> Any:
        if context.attempt <= input.value:
            raise ValueError(f"no answer {context.attempt}")
        yield "out", context.attempt


BLOCKS = Registry(parent=default_registry())
BLOCKS.register(FlakyBlock)


def flaky(count: int = 1, **policy: Any) -> Graph:
    """So many nodes that are tried again an hour after they failed, four times at most."""
    retry = {"attempts": 4, "initial_seconds": HOUR, "factor": 1, "max_seconds": HOUR, "jitter": 0, **policy}
    nodes = [Node(id="x", block_id=INPUT, input_default={"name": "x"})]
    nodes.append(Node(id="y", block_id=OUTPUT, input_default={"name": "y"}))
    links = []
    for number in range(count):
        name = f"f{number}"
        nodes.append(Node(id=name, block_id=FlakyBlock.id, metadata={"retry": retry}))
        links.append(Link(source_id="x", source_name="result", sink_id=name, sink_name="value"))
        links.append(Link(source_id=name, source_name="out", sink_id="y", sink_name="value"))
    return Graph(id="flaky", nodes=nodes, links=links)


class Stage:
    """Engines one after the other on one journal."""

    def __init__(self, seed: int = 0, *, places: int = 100, **probabilities: float) -> None:
        self.dispatcher = ManualDispatcher(seed)
        self.chance = Chance(seed, **probabilities)
        self.journal = SimulatedJournal(self.dispatcher, self.chance)
        self.places = places
        self.workers = 0
        self.run = self.open()

    def open(self, **options: Any) -> Simulation:
        self.workers += 1
        return Simulation(
            self.dispatcher,
            self.journal,
            BLOCKS,
            self.chance,
            worker=f"w{self.workers}",
            places=self.places,
            **options,
        )

    def submit(self, graph: Graph, execution_id: str = "run", x: Any = 0, **options: Any) -> None:
        async def save() -> None:
            await self.run.save(graph)

        self.run.do(save)
        self.dispatcher.advance(0.1)
        self.run.submit(graph, execution_id, {"x": x}, **options)
        self.dispatcher.advance(1.0)

    def restart(self) -> None:
        """As after a kill: what was in memory is gone, and the next owner looks at what is unfinished."""
        self.run.environment.alarms.close()
        self.run.system.shutdown(1.0)
        self.dispatcher.run_until_idle()
        self.run = self.open()
        for execution_id in self.journal.store.unfinished():
            self.run.supervisor.tell(Notify(execution_id))
        self.dispatcher.advance(1.0)

    def state(self, execution_id: str = "run") -> GraphExecution:
        return fold(self.run.events(execution_id))

    def topics(self, execution_id: str = "run") -> list[str]:
        return [event.topic for event in self.run.events(execution_id)]

    @property
    def in_memory(self) -> int:
        return self.run.system.actor_count - 1


def test_a_retry_waits_out_of_memory_and_begins_at_its_time() -> None:
    stage = Stage()
    stage.submit(flaky(), x=1)
    assert stage.in_memory == 0
    due = stage.state().retries[2]
    stage.dispatcher.advance(HOUR - 3)
    assert stage.topics().count("node.started") == 2
    stage.dispatcher.advance(10)
    (started, *_) = [e for e in stage.run.events("run") if e.topic == "node.started"][2:]
    assert due <= started.at < due + 100_000
    assert sound(stage.journal.store, "run").outputs == {"y": [2]}
    assert len(stage.run.environment.alarms) == 0


def test_attempts_follow_one_another_until_the_last() -> None:
    stage = Stage()
    stage.submit(flaky(), x=9)
    stage.dispatcher.advance(10 * HOUR)
    state = sound(stage.journal.store, "run")
    assert (state.status, state.stats.node_error_count) == (S.COMPLETED, 1)
    assert stage.topics().count("node.retry_scheduled") == 3
    assert [attempt for _, node, attempt in stage.run.bodies.begun if node == "f0"] == [1, 2, 3, 4]


def test_waiting_holds_no_place() -> None:
    stage = Stage(places=1)
    stage.submit(flaky(), "waits", x=1)
    stage.submit(flaky(), "runs", x=0)
    assert stage.state("runs").status is S.COMPLETED
    assert stage.state("waits").status is S.RUNNING


def test_a_retry_survives_its_owner_without_a_word_in_the_stream() -> None:
    stage = Stage()
    stage.submit(flaky(), x=1)
    before = stage.topics()
    for _ in range(60):
        stage.restart()
        assert stage.in_memory == 0
    assert stage.topics() == before
    stage.dispatcher.advance(2 * HOUR)
    assert sound(stage.journal.store, "run").outputs == {"y": [2]}


def test_a_retry_that_came_due_while_nobody_was_there_begins_at_once() -> None:
    stage = Stage()
    stage.submit(flaky(), x=1)
    stage.run.environment.alarms.close()
    stage.dispatcher.advance(5 * HOUR)
    assert stage.state().status is S.RUNNING
    stage.restart()
    assert sound(stage.journal.store, "run").status is S.COMPLETED


def test_a_cancel_reaches_an_execution_that_waits() -> None:
    stage = Stage()
    stage.submit(flaky(), x=1)
    stage.run.tell("run", CancelRequested("ada", "enough"))
    stage.dispatcher.advance(1)
    assert sound(stage.journal.store, "run").status is S.TERMINATED
    assert len(stage.run.environment.alarms) == 0
    stage.dispatcher.advance(2 * HOUR)
    assert stage.topics().count("node.started") == 2


def test_a_cancel_that_nobody_heard_ends_it_at_the_next_start() -> None:
    stage = Stage()
    stage.submit(flaky(), x=1)
    append = Append(inbox_of("run"), None, [Draft(CancelRequested("ada", "enough"), 1)], "u", "run")
    stage.journal.store.write([append])
    stage.restart()
    assert sound(stage.journal.store, "run").status is S.TERMINATED


def test_many_retries_of_one_run_keep_their_own_times() -> None:
    stage = Stage()
    stage.submit(flaky(20, jitter=1.0), x=2)
    assert len(stage.state().retries) > 10
    stage.dispatcher.advance(3 * HOUR)
    state = sound(stage.journal.store, "run")
    assert state.outputs == {"y": [3] * 20}
    assert len(stage.run.environment.alarms) == 0


def test_a_delayed_run_waits_queued_and_out_of_memory() -> None:
    stage = Stage()
    stage.submit(flaky(), start_at=stage.run.now() + int(HOUR * 1e6))
    assert stage.in_memory == 0
    assert stage.topics() == ["execution.created", "node.queued", "execution.queued"]
    stage.restart()
    stage.dispatcher.advance(HOUR - 10)
    assert stage.topics() == ["execution.created", "node.queued", "execution.queued"]
    stage.dispatcher.advance(20)
    assert sound(stage.journal.store, "run").status is S.COMPLETED


def test_a_delayed_run_can_be_cancelled_before_it_begins() -> None:
    stage = Stage()
    stage.submit(flaky(), start_at=stage.run.now() + int(HOUR * 1e6))
    stage.run.tell("run", CancelRequested("ada", "enough"))
    stage.dispatcher.advance(1)
    assert sound(stage.journal.store, "run").status is S.TERMINATED
    stage.dispatcher.advance(2 * HOUR)
    assert stage.run.bodies.begun == []


def test_a_delayed_run_takes_no_place_from_others() -> None:
    stage = Stage()
    stage.run = stage.open(max_active=1)
    stage.submit(flaky(), "later", start_at=stage.run.now() + int(HOUR * 1e6))
    stage.submit(flaky(), "now")
    assert stage.state("now").status is S.COMPLETED
    stage.dispatcher.advance(2 * HOUR)
    assert finished(stage.journal.store).keys() == {"later", "now"}


def test_a_start_time_in_the_past_is_now() -> None:
    stage = Stage()
    stage.submit(flaky(), start_at=1)
    assert sound(stage.journal.store, "run").status is S.COMPLETED


def test_the_runs_time_is_counted_from_its_first_start_over_restarts() -> None:
    stage = Stage()
    stage.submit(flaky(), x=9, limits=Limits(timeout=1.5 * HOUR))
    begun = stage.state().started_at
    for _ in range(3):
        stage.dispatcher.advance(HOUR / 4)
        stage.restart()
    stage.dispatcher.advance(HOUR)
    state = sound(stage.journal.store, "run")
    assert (state.status, state.error) == (S.FAILED, "Graph execution exceeded 5400s wall-clock cap")
    assert 0 <= state.ended_at - begun - 1.5 * HOUR * 1e6 < 100_000
    assert stage.topics().count("node.retry_scheduled") == 2


@pytest.fixture
def silence() -> Iterator[None]:
    """What is logged here is long and expected."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("silence")
def test_crashes_and_failing_stores_lose_no_time() -> None:
    for seed in range(40):
        stage = Stage(seed, crash=0.03, commit=0.05, read=0.05)
        start_at = stage.run.now() + int(HOUR * 1e6)
        stage.chance.over = True
        stage.submit(flaky(3, jitter=0.5), x=2, start_at=start_at)
        stage.chance.over = False
        stage.dispatcher.advance(4 * HOUR)
        stage.chance.over = True
        stage.dispatcher.advance(HOUR)
        state = sound(stage.journal.store, "run")
        assert state.status is S.COMPLETED
        assert state.started_at >= start_at
        assert stage.in_memory == 0


def test_a_busy_engine_makes_room_for_those_that_come_due() -> None:
    stage = Stage()
    stage.run = stage.open(max_active=2)
    for number in range(8):
        stage.submit(flaky(), f"run{number}", x=1)
    stage.dispatcher.advance(2 * HOUR)
    assert all(state.outputs == {"y": [2]} for state in finished(stage.journal.store).values())
