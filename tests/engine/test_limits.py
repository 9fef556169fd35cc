"""Limits of blocks and of runs in a running engine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

from tests.engine.kit import (
    PATIENCE,
    USER,
    AsyncPairs,
    Gate,
    World,
    begin,
    block,
    effect,
    finish,
    play,
    sqlite,
    when,
)

from actbook.events import Envelope, ExecutionStatus, Limits, NodeCompleted
from actbook.graphs import Block, BlockLimit

COMPLETED, TERMINATED = ExecutionStatus.COMPLETED, ExecutionStatus.TERMINATED


def burst(world: World, kind: str = "Hold", **data: Any) -> Any:
    """A list, one execution of the block per item, and a quick block beside it."""
    return world.graph(
        f"x:Input s:Split h:{kind} e:Echo y:Output z:Output",
        "x.result > s.value",
        "s.out > h.value",
        "x.result > e.value",
        "h.out > y.value",
        "e.out > z.value",
        **data,
    )


async def _split(input: Any, context: Any) -> AsyncPairs:
    for item in input.value:
        yield "out", item


def _tells_z(event: Envelope) -> bool:
    return isinstance(event.payload, NodeCompleted) and event.payload.graph_output == "z"


def worlds(hold: type[Block]) -> World:
    return World(Hold=hold, Echo=effect(), Split=block(_split))


def test_a_block_runs_only_so_often_at_once_and_holds_back_no_other_block() -> None:
    async def test() -> None:
        gate = Gate()
        world = worlds(gate.block(name="Holding"))
        async with world.open(block_limits=(BlockLimit(block="Holding", concurrent=2),)) as engine:
            run = await begin(engine, burst(world), inputs={"x": list(range(6))})
            other = await begin(engine, burst(world), inputs={"x": [10, 11]})
            await gate.reached(2)
            await when(engine, _tells_z)
            assert (gate.most, gate.entered) == (2, 2)
            gate.open()
            states = [await engine.wait(each.id, PATIENCE) for each in (run, other)]
            assert [state.outputs["y"] for state in states] == [list(range(6)), [10, 11]]
            assert gate.most == 2
            assert engine._host.environment.permits._counters == {}

    play(test())


def test_a_limit_that_the_block_declares_counts_by_its_key() -> None:
    async def test() -> None:
        gate = Gate()
        world = worlds(gate.block(limit=BlockLimit(concurrent=1, key="value")))
        async with world.open() as engine:
            run = await begin(engine, burst(world), inputs={"x": ["a", "a", "b", "b", "a"]})
            await gate.reached(2)
            await asyncio.sleep(0)
            assert sorted(gate.values) == ["a", "b"]
            gate.open()
            done = await engine.wait(run.id, PATIENCE)
            assert done.outputs["y"] == ["a", "a", "b", "b", "a"]
            assert gate.most == 2

    play(test())


def test_starts_are_spread_over_time() -> None:
    async def test() -> None:
        at: list[float] = []

        async def noting(input: Any, context: Any) -> AsyncPairs:
            at.append(monotonic())
            yield "out", input.value

        world = worlds(block(noting, limit=BlockLimit(per_seconds=(2, 0.1))))
        async with world.open() as engine:
            assert (await finish(engine, burst(world), inputs={"x": [1, 2, 3, 4, 5, 6]})).status is COMPLETED
        assert at[-1] - at[0] >= 0.19
        assert len(at) == 6

    play(test())


def test_a_stop_ends_what_waits_for_a_limit_and_frees_it() -> None:
    async def test() -> None:
        gate = Gate()
        world = worlds(gate.block(limit=BlockLimit(concurrent=1)))
        async with world.open() as engine:
            first = await begin(engine, burst(world), inputs={"x": [1, 2, 3]})
            await gate.reached()
            second = await begin(engine, burst(world), inputs={"x": [4]})
            stopped = await engine.stop_graph_execution(USER, first.id)
            assert stopped.status is TERMINATED
            await gate.reached(2)
            gate.open()
            assert (await engine.wait(second.id, PATIENCE)).outputs["y"] == [4]
            assert engine._host.environment.permits._counters == {}

    play(test())


def test_what_waited_for_a_limit_goes_on_in_the_next_process(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world = worlds(gate.block(limit=BlockLimit(concurrent=1)))
        async with world.open(sqlite(tmp_path)) as engine:
            run = await begin(engine, burst(world), inputs={"x": [1, 2]})
            await gate.reached()
        async with world.open(sqlite(tmp_path)) as engine:
            await gate.reached(2)
            gate.open()
            assert (await engine.wait(run.id, PATIENCE)).outputs["y"] == [1, 2]
            assert gate.most == 1

    play(test())


def test_who_waits_for_a_limit_stays_in_memory_and_ends() -> None:
    """Longer than an execution that only waits would linger."""

    async def test() -> None:
        world = worlds(effect(limit=BlockLimit(per_seconds=(1, 0.15))))
        async with world.open() as engine:
            done = await finish(engine, burst(world), inputs={"x": [1, 2, 3]})
            assert (done.status, done.outputs["y"]) == (COMPLETED, [1, 2, 3])

    play(test())


def test_a_run_has_only_so_many_bodies_at_once() -> None:
    async def test() -> None:
        gate = Gate()
        world = worlds(gate.block())
        async with world.open() as engine:
            graph = world.graph(
                "x:Input s:Split h:Hold y:Output", "x.result > s.value", "s.out > h.value", "h.out > y.value"
            )
            run = await begin(engine, graph, inputs={"x": list(range(9))}, limits=Limits(concurrency=3))
            free = await begin(engine, graph, inputs={"x": list(range(5))})
            await gate.reached(8)
            assert gate.entered == 8
            gate.open()
            states = [await engine.wait(each.id, PATIENCE) for each in (run, free)]
            assert [state.outputs["y"] for state in states] == [list(range(9)), list(range(5))]

    play(test())
