"""What blocks count themselves comes into the record, whatever they run on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.engine.kit import AsyncPairs, World, block, finish, play

from actbook.blocks import count
from actbook.engine import Engine
from actbook.events import NodeCompleted, NodeFailed
from actbook.graphs import Block, Execution, RetryPolicy


class CountIn(msgspec.Struct):
    value: Any = None


class CountOut(msgspec.Struct):
    out: Any = None
    error: str = ""


def _work(input: CountIn) -> Iterator[tuple[str, Any]]:
    count("tokens", 5)
    yield "out", input.value
    count("tokens", 7)
    count("models", ["a"])
    count("models", ["b"])
    count("by", {"x": 1})
    count("by", {"y": 2})
    count("by", None)


EXPECTED = {"tokens": 12, "models": ["a", "b"], "by": {"x": 1, "y": 2}}


class InlineCount(Block):
    id = "5c1d0b7e-90f3-4e1b-8f6a-0d9b6f4c2a01"
    execution: Execution = "inline"
    effects = False
    Input = CountIn
    Output = CountOut

    def run(self, input: CountIn, context: Any) -> Iterator[tuple[str, Any]]:
        yield from _work(input)


class AsyncCount(InlineCount):
    id = "5c1d0b7e-90f3-4e1b-8f6a-0d9b6f4c2a02"
    execution = "async"
    effects = True

    async def run(self, input: CountIn, context: Any) -> AsyncPairs:  # type: ignore[override]
        for pair in _work(input):
            await asyncio.sleep(0)
            yield pair


class BlockingCount(InlineCount):
    id = "5c1d0b7e-90f3-4e1b-8f6a-0d9b6f4c2a03"
    execution = "blocking"


class CpuCount(InlineCount):
    id = "5c1d0b7e-90f3-4e1b-8f6a-0d9b6f4c2a04"
    execution = "cpu"


@pytest.mark.parametrize("kind", [InlineCount, AsyncCount, BlockingCount, CpuCount])
def test_every_kind_of_body_counts(kind: type[Block]) -> None:
    async def test() -> None:
        world = World(Count=kind)
        graph = world.graph("x:Input c:Count y:Output", "x.result > c.value", "c.out > y.value")
        async with world.open() as engine:
            done = await finish(engine, graph, inputs={"x": 1})
            assert done.outputs == {"y": [1]}
            counted = await _counters(engine, done.id, "c")
            assert counted == EXPECTED
            state = (await engine.history(done.id)).state()
            (node,) = [node for node in state.node_executions.values() if node.node_id == "c"]
            assert node.counters == EXPECTED
            await engine.catch_up()
            rows = await engine.queries.node_executions(done.id)
            assert {row.node_id: row.counters for row in rows} == {"x": {}, "c": EXPECTED, "y": {}}

    play(test())


async def _counters(engine: Engine, execution_id: str, node_id: str) -> dict[str, Any]:
    state = (await engine.history(execution_id)).state()
    (number,) = [n for n, node in state.node_executions.items() if node.node_id == node_id]
    events = await engine.journal.read_stream(execution_id)
    (end,) = [
        e.payload
        for e in events
        if isinstance(e.payload, NodeCompleted | NodeFailed) and e.payload.node_exec == number
    ]
    counters: dict[str, Any] = end.stats.counters
    return counters


def test_bodies_at_the_same_time_count_for_themselves() -> None:
    async def test() -> None:
        together = asyncio.Barrier(2)

        async def counting(input: Any, context: Any) -> AsyncPairs:
            count("mine", input.value)
            await together.wait()
            count("mine", input.value)
            await asyncio.to_thread(count, "thread", input.value)
            yield "out", input.value

        world = World(Count=block(counting))
        graph = world.graph("a:Count b:Count", a={"value": 1}, b={"value": 10})
        async with world.open() as engine:
            done = await finish(engine, graph)
            assert await _counters(engine, done.id, "a") == {"mine": 2, "thread": 1}
            assert await _counters(engine, done.id, "b") == {"mine": 20, "thread": 10}

    play(test())


def test_failed_attempts_count_too_and_all_are_added_up() -> None:
    async def test() -> None:
        async def flaky(input: Any, context: Any) -> AsyncPairs:
            count("calls", 1)
            count("attempts", [context.attempt])
            if context.attempt < 3:
                raise ValueError("not yet")
            yield "out", 1

        world = World(Flaky=block(flaky, retry=RetryPolicy(attempts=3, initial_seconds=0.001)))
        async with world.open() as engine:
            done = await finish(engine, world.graph("a:Flaky"))
            (node,) = (await engine.history(done.id)).state().node_executions.values()
            assert node.counters == {"calls": 3, "attempts": [1, 2, 3]}
            await engine.catch_up()
            (row,) = await engine.queries.node_executions(done.id)
            assert row.counters == node.counters

    play(test())


@pytest.mark.parametrize("value", [object(), 2**80, {"deep": [2**80]}])
def test_what_can_not_be_recorded_fails_the_node_that_counts_it(value: Any) -> None:
    async def test() -> None:
        async def counting(input: Any, context: Any) -> AsyncPairs:
            count("bad", value)
            yield "out", 1

        world = World(Count=block(counting))
        graph = world.graph("a:Count e:Output", "a.error > e.value")
        async with world.open() as engine:
            done = await finish(engine, graph)
            assert (done.status.value, len(done.outputs["e"])) == ("COMPLETED", 1)

    play(test())


def test_a_sum_that_grows_out_of_its_bounds_fails_the_node() -> None:
    async def test() -> None:
        async def counting(input: Any, context: Any) -> AsyncPairs:
            count("big", 2**63)
            count("big", 2**63)
            yield "out", 1

        world = World(Count=block(counting))
        async with world.open() as engine:
            done = await finish(engine, world.graph("a:Count e:Output", "a.error > e.value"))
            assert "ints" in done.outputs["e"][0]

    play(test())


def test_outside_a_body_nothing_happens() -> None:
    count("tokens", 5)
    thread = threading.Thread(target=count, args=("tokens", 5))
    thread.start()
    thread.join()
