"""Sub-graphs: executions of their own whose outputs come out of the parent's node, each exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import (
    PATIENCE,
    USER,
    Gate,
    World,
    agent,
    begin,
    effect,
    finish,
    play,
    pure,
    sqlite,
    topics,
    when,
)

from actbook.engine import Engine
from actbook.events import (
    ChildOutput,
    Envelope,
    ExecutionStatus,
    GraphExecution,
    Limits,
    NodeFailed,
    WarningRecorded,
)
from actbook.graphs import Graph

COMPLETED = ExecutionStatus.COMPLETED


def wrapped(world: World, inner: Graph, called: str, *, sub_graphs: list[Graph] | None = None) -> Graph:
    return world.graph(
        "x:Input a:Agent y:Output",
        "x.result > a.x",
        "a.y > y.value",
        called=called,
        sub_graphs=[inner] if sub_graphs is None else sub_graphs,
        a=agent(inner),
    )


def around(world: World, depth: int, kind: str, *, flat: bool = False) -> Graph:
    """Levels of sub-graphs around a node; `flat`: all of them are listed in the outermost graph."""
    graph = world.graph(
        f"x:Input k:{kind} y:Output", "x.result > k.value", "k.out > y.value", called="level0"
    )
    levels = [graph]
    for level in range(1, depth + 1):
        listed = list(levels) if level == depth else []
        graph = wrapped(world, graph, f"level{level}", sub_graphs=listed if flat else None)
        levels.append(graph)
    return graph


def leaving(engine: Engine, execution_id: str) -> asyncio.Event:
    """Is set when the execution's actor has let go of it."""
    environment, left = engine._host.environment, asyncio.Event()
    tell = environment._on_left

    def hear(state: GraphExecution) -> None:
        tell(state)
        if state.id == execution_id:
            left.set()

    environment._on_left = hear
    return left


@pytest.mark.parametrize("flat", [True, False])
def test_fifty_levels_deep(tmp_path: Path, flat: bool) -> None:
    async def test() -> None:
        world = World(Echo=effect())
        async with world.open(sqlite(tmp_path)) as engine:
            state = await finish(engine, around(world, 50, "Echo", flat=flat), inputs={"x": "deep"})
            assert (state.status, state.outputs) == (COMPLETED, {"y": ["deep"]})
            created = [
                e for e in await engine.journal.read_log(limit=100_000) if e.topic == "execution.created"
            ]
            assert len(created) == 51
            assert {event.correlation_id for event in created} == {state.id}
            assert await engine.journal.unfinished() == []

    play(test())


def test_a_child_knows_its_parent_and_root() -> None:
    async def test() -> None:
        contexts: list[Any] = []

        async def look(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
            contexts.append(context)
            yield "out", 1

        world = World(Look=effect(look))
        async with world.open() as engine:
            root = await finish(engine, around(world, 2, "Look"), inputs={"x": 1})
            (context,) = contexts
            child = await engine.get_graph_execution(context.graph_exec_id)
            assert child.parent is not None
            assert context.root_execution_id == root.id
            assert context.parent_execution_id == child.parent.execution_id != root.id
            assert child.user_id == USER

    play(test())


def test_a_waiting_parent_is_in_no_memory_and_comes_back() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        async with world.open() as engine:
            run = await begin(engine, around(world, 1, "Hold"), inputs={"x": 1})
            left = leaving(engine, run.id)
            await gate.reached()
            await asyncio.wait_for(left.wait(), PATIENCE)
            assert engine._host.system.find(run.id) is None
            state = await engine.get_graph_execution(run.id)
            assert state.status is ExecutionStatus.RUNNING
            gate.open()
            done = await engine.wait(run.id, PATIENCE)
            assert (done.status, done.outputs) == (COMPLETED, {"y": [1]})
            assert done.epoch >= 2

    play(test())


def test_outputs_of_a_child_come_out_in_order_each_once() -> None:
    async def test() -> None:
        async def many(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
            for number in range(input.value):
                yield "out", number
                if number % 50 == 0:
                    await asyncio.sleep(0)

        world = World(Many=effect(many))
        async with world.open() as engine:
            state = await finish(engine, around(world, 2, "Many"), inputs={"x": 1000})
            assert state.outputs == {"y": list(range(1000))}

    play(test())


def test_a_stop_of_a_waiting_parent_out_of_memory_reaches_its_child() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        async with world.open() as engine:
            run = await begin(engine, around(world, 2, "Hold"), inputs={"x": 1})
            left = leaving(engine, run.id)
            await gate.reached()
            await asyncio.wait_for(left.wait(), PATIENCE)
            assert engine._host.system.find(run.id) is None
            state = await engine.stop_graph_execution(USER, run.id)
            assert state.status is ExecutionStatus.TERMINATED
            assert gate.inside == 0
            assert await engine.journal.unfinished() == []

    play(test())


def test_a_failed_child_is_a_warning_and_its_node_ends() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        inner = around(world, 0, "Hold")
        graph = wrapped(world, inner, "outer")
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            started = await when(engine, lambda event: event.topic == "child.started")
            child_id = started.payload.execution_id  # type: ignore[attr-defined]
            await engine.stop_graph_execution(USER, child_id)
            state = await engine.wait(run.id, PATIENCE)
            assert (state.status, state.outputs) == (COMPLETED, {})
            events = await engine.journal.read_stream(run.id)
            warned = [e.payload.text for e in events if isinstance(e.payload, WarningRecorded)]
            assert warned == [f"Sub-graph execution #{child_id} ended TERMINATED: Stopped by user"]

    play(test())


def test_a_sub_graph_that_is_not_there_fails_its_node_only() -> None:
    async def test() -> None:
        world = World(Echo=pure())
        inner = around(world, 0, "Echo")
        graph = wrapped(world, inner, "outer")
        graph.sub_graphs.clear()
        async with world.open() as engine:
            state = await finish(engine, graph, inputs={"x": 1})
            assert (state.status, state.stats.node_error_count) == (COMPLETED, 1)
            events = await engine.journal.read_stream(state.id)
            failed = [e.payload.error for e in events if isinstance(e.payload, NodeFailed)]
            assert failed == ["Graph #level0 not found."]

    play(test())


def test_a_graph_that_calls_itself_is_ended_by_the_bound_on_depth() -> None:
    async def test() -> None:
        world = World(Echo=effect())
        graph = world.graph("x:Input e:Echo a:Agent", "x.result > e.value", "e.out > a.x", called="self")
        graph.nodes[2].input_default = agent(graph)
        async with world.open() as engine:
            state = await finish(engine, graph, inputs={"x": 1}, limits=Limits(depth=12))
            assert state.status is COMPLETED
            log = await engine.journal.read_log(limit=10_000)
            assert sum(event.topic == "execution.created" for event in log) == 13
            failed = [event.payload.error for event in log if isinstance(event.payload, NodeFailed)]
            assert failed == ["Sub-graphs are nested deeper than the run's bound of 12 levels."]
            assert await engine.journal.unfinished() == []

    play(test())


def test_a_graph_that_calls_itself_is_ended_by_a_stop() -> None:
    async def test() -> None:
        world = World(Echo=effect())
        graph = world.graph("x:Input e:Echo a:Agent", "x.result > e.value", "e.out > a.x", called="self")
        graph.nodes[2].input_default = agent(graph)
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            created: list[str] = []

            def tenth(event: Envelope) -> bool:
                if event.topic == "execution.created":
                    created.append(event.stream_id)
                return len(created) >= 10

            await when(engine, tenth)
            state = await engine.stop_graph_execution(USER, run.id, PATIENCE)
            assert state.status is ExecutionStatus.TERMINATED
            assert await engine.journal.unfinished() == []

    play(test())


@pytest.mark.parametrize("cycles", [6])
def test_child_outputs_survive_restarts_each_once(tmp_path: Path, cycles: int) -> None:
    """The engine is closed again and again while a child yields; nothing is lost, nothing comes twice."""

    async def test() -> None:
        async def drips(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
            for number in range(input.value):
                yield "out", number
                await asyncio.sleep(0.001)

        world = World(Drips=effect(drips))
        graph = around(world, 2, "Drips")
        url = sqlite(tmp_path)
        run_id = ""
        for cycle in range(cycles):
            async with world.open(url) as engine:
                if not run_id:
                    run_id = (await begin(engine, graph, inputs={"x": 100})).id
                if cycle < cycles - 1:
                    position = await engine.journal.last_position()
                    await when(engine, lambda event: event.topic == "child.output", position)
                    continue
                state = await engine.wait(run_id, PATIENCE)
                assert (state.status, state.outputs) == (COMPLETED, {"y": list(range(100))})
                assert (await engine.history(run_id)).verify() == []
                log = await engine.journal.read_log(limit=100_000)
                told = [e.payload for e in log if isinstance(e.payload, ChildOutput)]
                assert len(told) == 200
                assert (await topics(engine, run_id)).count("execution.completed") == 1

    play(test())


def test_many_children_at_once() -> None:
    async def test() -> None:
        async def times(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
            for number in range(input.value):
                yield "out", number

        world = World(Times=effect(times), Echo=pure())
        inner = around(world, 0, "Echo")
        graph = world.graph(
            "n:Input t:Times a:Agent y:Output",
            "n.result > t.value",
            "t.out > a.x",
            "a.y > y.value",
            called="outer",
            sub_graphs=[inner],
            a=agent(inner),
        )
        async with world.open() as engine:
            state = await finish(engine, graph, inputs={"n": 200})
            assert state.outputs == {"y": list(range(200))}

    play(test())
