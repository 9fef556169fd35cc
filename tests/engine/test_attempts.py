"""Which bodies get an actor, and what becomes of those that can't begin."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.engine.kit import Gate, World, begin, block, effect, finish, play

from actbook.actors import NodeExecutionActor
from actbook.actors._environment import Environment
from actbook.events import ExecutionStatus, GraphExecution, Limits

COMPLETED = ExecutionStatus.COMPLETED
WIDTH = 100


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[NodeExecutionActor]:
    """The actors of node executions, as they are made."""
    actors: list[NodeExecutionActor] = []
    original = NodeExecutionActor.__init__

    def note(self: NodeExecutionActor, *args: Any) -> None:
        original(self, *args)
        actors.append(self)

    monkeypatch.setattr(NodeExecutionActor, "__init__", note)
    return actors


def test_a_body_that_ends_at_once_needs_no_actor_and_one_that_waits_has_one(
    made: list[NodeExecutionActor],
) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block(), Echo=effect())
        graph = world.graph(
            "x:Input e:Echo h:Hold y:Output", "x.result > e.value", "e.out > h.value", "h.out > y.value"
        )
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 7})
            await gate.reached()
            assert len(made) == 1
            assert made[0].actor_ref.is_alive()
            gate.open()
            done = await engine.wait(run.id)
            assert (done.status, done.outputs) == (COMPLETED, {"y": [7]})
            assert not made[0].actor_ref.is_alive()

    play(test())


def test_many_bodies_that_begin_together_leave_the_loop_its_turns(made: list[NodeExecutionActor]) -> None:
    beats = 0
    seen: set[int] = set()

    async def busy(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
        time.sleep(0.001)  # noqa: ASYNC251
        seen.add(beats)
        yield "out", input.value

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    async def test() -> GraphExecution:
        world = World(Busy=block(busy))
        names = [f"b{number}" for number in range(WIDTH)]
        nodes = " ".join(f"{name}:Busy" for name in names)
        graph = world.graph(f"x:Input {nodes}", *(f"x.result > {name}.value" for name in names))
        async with world.open() as engine:
            heart = asyncio.create_task(beat())
            done = await finish(engine, graph, inputs={"x": 1})
            heart.cancel()
            return done

    done = play(test())
    assert (done.status, done.stats.node_exec_count) == (COMPLETED, WIDTH + 1)
    assert len(seen) > WIDTH / 10
    assert made


@pytest.mark.parametrize("concurrency", [0, 1])
def test_a_body_that_can_not_be_started_is_the_failure_of_its_node(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, concurrency: int
) -> None:
    start = Environment.start_body

    echo_block = effect()

    def fail_some(self: Environment, work: Any, sink: Any) -> Any:
        if isinstance(work.block, echo_block) and work.data["value"] == "bad":
            raise OSError("no room for it")
        return start(self, work, sink)

    async def test() -> GraphExecution:
        monkeypatch.setattr(Environment, "start_body", fail_some)
        world = World(Echo=echo_block)
        graph = world.graph(
            "x:Input z:Input e:Echo f:Echo y:Output g:Echo w:Output",
            "x.result > e.value",
            "z.result > f.value",
            "e.error > y.value",
            "f.out > g.value",
            "g.out > w.value",
        )
        async with world.open() as engine:
            limits = Limits(concurrency=concurrency)
            return await finish(engine, graph, inputs={"x": "bad", "z": 1}, limits=limits)

    done = play(test())
    assert (done.status, done.outputs) == (COMPLETED, {"y": ["no room for it"], "w": [1]})
    assert done.stats.node_error_count == 1
    assert "could not be started" in caplog.text
