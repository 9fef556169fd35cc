"""Graphs run to their end: every kind of body, outputs and their order, static links, failures, bounds."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.engine.kit import (
    Gate,
    Value,
    World,
    begin,
    block,
    echo,
    effect,
    finish,
    play,
    pure,
    sqlite,
    topics,
)

from actbook.actors import Capacity, wait_for_stop
from actbook.events import ExecutionStatus, GraphExecution, Limits, NodeFailed, NodeQueued
from actbook.graphs import Block

Yields = Iterator[tuple[str, Any]]


class CpuBlock(Block):
    """Runs in another process."""

    id = "4c2f9a43-6c9c-4f0f-9a55-4d1e5b1b7a01"
    execution = "cpu"
    Input = Value

    class Output(msgspec.Struct):
        out: Any = None
        process: int = 0
        error: str = ""

    def run(self, input: Value, context: Any) -> Yields:
        yield "out", input.value
        yield "process", os.getpid()


async def times(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
    for number in range(input.value):
        yield "out", number


def line(world: World, kind: str) -> Any:
    return world.graph(f"x:Input a:{kind} y:Output", "x.result > a.value", "a.out > y.value")


@pytest.fixture(params=["memory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory:" if request.param == "memory" else sqlite(tmp_path)


def run(world: World, graph: Any, url: str = "memory:", **options: Any) -> GraphExecution:
    async def test() -> GraphExecution:
        async with world.open(url) as engine:
            return await finish(engine, graph, **options)

    state: GraphExecution = play(test())
    return state


@pytest.mark.parametrize("kind", ["Async", "Blocking", "Cpu", "Inline", "PureAsync"])
def test_each_kind_of_body_runs_on_each_store(url: str, kind: str) -> None:
    world = World(
        Async=effect(),
        Blocking=block(echo, execution="blocking"),
        Cpu=CpuBlock,
        Inline=pure(),
        PureAsync=effect(effects=False),
    )
    state = run(world, line(world, kind), url, inputs={"x": [1, {"k": None}]})
    assert (state.status, state.outputs) == (ExecutionStatus.COMPLETED, {"y": [[1, {"k": None}]]})
    assert (state.stats.node_exec_count, state.stats.node_error_count) == (3, 0)
    assert state.wall > 0


def test_a_body_that_yields_thousands_keeps_their_order(url: str) -> None:
    world = World(Times=effect(times), Echo=pure())
    graph = world.graph(
        "x:Input t:Times e:Echo y:Output", "x.result > t.value", "t.out > e.value", "e.out > y.value"
    )
    assert run(world, graph, url, inputs={"x": 2000}).outputs == {"y": list(range(2000))}


def test_outputs_stay_in_execution_order_however_long_bodies_take() -> None:
    async def slowest_first(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
        for _ in range(20 - input.value):
            await asyncio.sleep(0)
        yield "out", input.value

    world = World(Times=effect(times), Slow=effect(slowest_first))
    graph = world.graph(
        "x:Input t:Times s:Slow y:Output", "x.result > t.value", "t.out > s.value", "s.out > y.value"
    )
    assert run(world, graph, inputs={"x": 20}).outputs == {"y": list(range(20))}


def test_none_is_a_value_that_an_output_takes(url: str) -> None:
    def nothing(input: Any, context: Any) -> Yields:
        yield "out", None
        yield "out", 1

    world = World(Nothing=pure(nothing))
    state = run(world, line(world, "Nothing"), url, inputs={"x": 1})
    assert state.status is ExecutionStatus.COMPLETED
    assert state.outputs["y"][-1] == 1


def test_a_static_link_serves_every_later_execution() -> None:
    class Two(msgspec.Struct):
        a: Any
        b: Any

    def both(input: Any, context: Any) -> Yields:
        yield "out", [input.a, input.b]

    world = World(Times=effect(times), Pair=pure(both, Input=Two), Const=pure(static_output=True))
    graph = world.graph(
        "n:Input k:Input c:Const t:Times p:Pair y:Output",
        "n.result > t.value",
        "k.result > c.value",
        "t.out > p.a",
        "c.out > p.b",
        "p.out > y.value",
    )
    state = run(world, graph, inputs={"n": 3, "k": "same"})
    assert state.outputs == {"y": [[0, "same"], [1, "same"], [2, "same"]]}


def boom(error: BaseException) -> Any:
    def fails(input: Any, context: Any) -> Yields:
        yield "out", "before"
        raise error

    return fails


FAULTS: list[tuple[BaseException, str, bool]] = [
    (ValueError("no good"), "no good", True),
    (RuntimeError("broken"), "broken", False),
    (KeyError(), "KeyError", False),
    (asyncio.CancelledError(), "CancelledError", False),
    (SystemExit(3), "3", False),
]


@pytest.mark.parametrize(("error", "text", "expected"), FAULTS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("execution", ["async", "inline", "blocking"])
def test_a_failing_body_is_its_own_failure_only(
    execution: str, error: BaseException, text: str, expected: bool
) -> None:
    world = World(Boom=block(boom(error), execution=execution), Echo=pure())
    graph = world.graph(
        "x:Input b:Boom e:Echo y:Output bad:Output",
        "x.result > b.value",
        "x.result > e.value",
        "b.out > y.value",
        "e.out > y.value",
        "b.error > bad.value",
    )

    async def test() -> None:
        async with world.open() as engine:
            state = await finish(engine, graph, inputs={"x": "fine"})
            assert state.status is ExecutionStatus.COMPLETED
            assert sorted(state.outputs["y"]) == ["before", "fine"]
            assert state.outputs["bad"] == [text]
            assert state.stats.node_error_count == 1
            events = await engine.journal.read_stream(state.id)
            failed = [event.payload for event in events if isinstance(event.payload, NodeFailed)]
            assert [(each.error, each.expected) for each in failed] == [(text, expected)]

    play(test())


def test_a_yield_on_error_ends_the_body_there() -> None:
    def complains(input: Any, context: Any) -> Yields:
        yield "out", 1
        yield "error", "enough"
        yield "out", 2

    world = World(Complains=effect(complains))
    graph = world.graph(
        "x:Input a:Complains y:Output bad:Output",
        "x.result > a.value",
        "a.out > y.value",
        "a.error > bad.value",
    )
    state = run(world, graph, inputs={"x": 1})
    assert state.outputs == {"y": [1], "bad": ["enough"]}
    assert (state.status, state.stats.node_error_count) == (ExecutionStatus.COMPLETED, 1)


def test_a_node_over_its_time_limit_fails_and_the_graph_goes_on() -> None:
    async def hangs(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
        yield "out", "early"
        await asyncio.Event().wait()

    def waits(input: Any, context: Any) -> Yields:
        wait_for_stop(30)
        yield from ()

    world = World(
        Hangs=effect(hangs, execution_timeout_seconds=0.05),
        Waits=block(waits, execution="blocking", execution_timeout_seconds=0.05),
    )
    graph = world.graph(
        "x:Input a:Hangs b:Waits y:Output bad:Output",
        "x.result > a.value",
        "x.result > b.value",
        "a.out > y.value",
        "a.error > bad.value",
        "b.error > bad.value",
    )
    state = run(world, graph, inputs={"x": 1})
    assert state.status is ExecutionStatus.COMPLETED
    assert state.outputs == {"y": ["early"], "bad": ["Node execution exceeded 0.05s wall-clock cap"] * 2}


def test_a_run_over_its_time_limit_fails_and_stops_its_bodies() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        async with world.open() as engine:
            state = await finish(engine, line(world, "Hold"), inputs={"x": 1}, limits=Limits(timeout=0.05))
            assert (state.status, state.error) == (
                ExecutionStatus.FAILED,
                "Graph execution exceeded 0.05s wall-clock cap",
            )
            assert (gate.entered, gate.inside) == (1, 0)
            assert not state.running
            assert not state.ready
            assert state.outputs == {}

    play(test())


@pytest.mark.parametrize("kind", ["Inline", "Async"])
def test_a_loop_is_ended_by_the_bound_on_node_executions(kind: str) -> None:
    world = World(Inline=pure(), Async=effect())
    graph = world.graph(f"x:Input a:{kind}", "x.result > a.value", "a.out > a.value")
    state = run(world, graph, inputs={"x": 1}, limits=Limits(node_executions=50))
    assert state.status is ExecutionStatus.FAILED
    assert state.error == "The run exceeded its bound of 50 node executions."
    assert state.stats.node_exec_count == 50


def test_what_never_gets_all_its_inputs_does_not_keep_the_run_from_completing() -> None:
    class Two(msgspec.Struct):
        a: Any
        b: Any

    def both(input: Any, context: Any) -> Yields:
        yield "out", 1

    def silent(input: Any, context: Any) -> Yields:
        yield from ()

    world = World(Pair=pure(both, Input=Two), Silent=pure(silent))
    graph = world.graph("x:Input s:Silent p:Pair", "x.result > s.value", "x.result > p.a", "s.out > p.b")
    state = run(world, graph, inputs={"x": 1})
    assert state.status is ExecutionStatus.COMPLETED
    assert [node.status for node in state.node_executions.values()] == [ExecutionStatus.INCOMPLETE]


def test_a_value_that_the_record_cannot_hold_fails_its_node_only() -> None:
    def odd(input: Any, context: Any) -> Yields:
        yield "out", object()

    def too_big(input: Any, context: Any) -> Yields:
        yield "out", 2**70

    world = World(Odd=pure(odd), Big=effect(too_big))
    graph = world.graph("x:Input a:Odd b:Big", "x.result > a.value", "x.result > b.value")
    state = run(world, graph, inputs={"x": 1})
    assert (state.status, state.stats.node_error_count) == (ExecutionStatus.COMPLETED, 2)


@pytest.mark.parametrize("text", ["9" * 40, "1" + "0" * 300, "inf", "nan", "-1e400"])
def test_a_text_that_converts_to_a_number_beyond_the_record_ends_the_run_somehow(text: str) -> None:
    class Number(msgspec.Struct):
        value: int

    def number(input: Any, context: Any) -> Yields:
        yield "out", input.value

    world = World(Echo=effect(), Number=effect(number, Input=Number))
    graph = world.graph(
        "x:Input e:Echo n:Number y:Output", "x.result > e.value", "e.out > n.value", "n.out > y.value"
    )
    state = run(world, graph, inputs={"x": text})
    assert state.status.is_terminal


def test_concurrency_is_bounded_by_capacity() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Times=effect(times, effects=False), Hold=gate.block())
        graph = world.graph(
            "x:Input t:Times h:Hold y:Output", "x.result > t.value", "t.out > h.value", "h.out > y.value"
        )
        async with world.open(capacity=Capacity(async_=3)) as engine:
            saved = await begin(engine, graph, inputs={"x": 20})
            await gate.reached(3)
            for _ in range(10):
                await asyncio.sleep(0)
            assert gate.inside == 3
            gate.open()
            state = await engine.wait(saved.id, 20)
            assert (gate.most, state.outputs) == (3, {"y": list(range(20))})

    play(test())


def test_two_executions_share_the_places_fairly() -> None:
    turns: list[str] = []

    async def note(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
        turns.append(context.graph_exec_id)
        await asyncio.sleep(0)
        yield "out", input.value

    world = World(Times=pure(lambda i, c: (("out", n) for n in range(i.value))), Note=effect(note))

    async def test() -> None:
        graph = world.graph("x:Input t:Times n:Note", "x.result > t.value", "t.out > n.value")
        async with world.open(capacity=Capacity(async_=1)) as engine:
            first = await begin(engine, graph, inputs={"x": 40})
            second = await begin(engine, graph, inputs={"x": 40})
            for each in (first, second):
                assert (await engine.wait(each.id, 20)).status is ExecutionStatus.COMPLETED
            assert len(turns) == 80
            alternations = sum(a != b for a, b in itertools.pairwise(turns))
            assert alternations >= 60

    play(test())


def test_an_execution_that_waits_for_one_kind_does_not_swallow_the_places_of_another() -> None:
    async def test() -> None:
        world_gate, other = Gate(), Gate()

        def wait(input: Any, context: Any) -> Yields:
            wait_for_stop(0.0)
            yield "out", input.value

        world = World(Hold=world_gate.block(), Other=other.block(), Block=block(wait, execution="blocking"))
        slow = world.graph("x:Input h:Hold", "x.result > h.value", called="slow")
        quick = world.graph("x:Input b:Block", "x.result > b.value", called="quick")
        async with world.open(capacity=Capacity(async_=1, blocking=1)) as engine:
            holder = await begin(engine, slow, inputs={"x": 1})
            await world_gate.reached(1)
            waiting = await begin(engine, slow, inputs={"x": 2})  # waits for the async place
            runs = [await begin(engine, quick, inputs={"x": n}) for n in range(10)]
            for each in runs:
                assert (await engine.wait(each.id, 20)).status is ExecutionStatus.COMPLETED
            world_gate.open()
            for each in (holder, waiting):
                assert (await engine.wait(each.id, 20)).status is ExecutionStatus.COMPLETED

    play(test())


def test_a_stopped_execution_that_waited_for_a_place_passes_it_on() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = line(world, "Hold")
        async with world.open(capacity=Capacity(async_=1)) as engine:
            first = await begin(engine, graph, inputs={"x": 1})
            await gate.reached(1)
            second = await begin(engine, graph, inputs={"x": 2})
            third = await begin(engine, graph, inputs={"x": 3})
            stopped = await engine.stop_graph_execution("ada", second.id)
            assert stopped.status is ExecutionStatus.TERMINATED
            gate.open()
            for each in (first, third):
                assert (await engine.wait(each.id, 10)).status is ExecutionStatus.COMPLETED
            assert gate.values == [1, 3]

    play(test())


def test_inputs_of_the_run_reach_the_events_once() -> None:
    async def test() -> None:
        world = World(Echo=pure())
        async with world.open() as engine:
            state = await finish(engine, line(world, "Echo"), inputs={"x": 5})
            events = await engine.journal.read_stream(state.id)
            queued = [event.payload for event in events if isinstance(event.payload, NodeQueued)]
            assert [each.node_id for each in queued] == ["x", "a", "y"]
            assert (await topics(engine, state.id)).count("execution.completed") == 1

    play(test())
