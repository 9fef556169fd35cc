"""What can't be recorded or repeated is refused in words, and never takes more with it than it must."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.engine.kit import (
    USER,
    AsyncPairs,
    Pairs,
    World,
    begin,
    block,
    effect,
    finish,
    play,
    pure,
    sqlite,
    topics,
)

from actbook.engine import Engine, IdempotencyKeyError, UnrecordableInputError
from actbook.events import ExecutionStatus
from actbook.graphs import Block, Graph

COMPLETED = ExecutionStatus.COMPLETED
HUGE = 10**30


class NumberIn(msgspec.Struct):
    value: int


class ListIn(msgspec.Struct):
    value: list[Any]


class NumberOut(msgspec.Struct):
    out: Any = None
    error: str = ""


class HugeCpu(Block):
    id = "5c1d0b7e-90f3-4e1b-8f6a-0d9b6f4c2b01"
    execution = "cpu"
    Input = NumberIn
    Output = NumberOut

    def run(self, input: NumberIn, context: Any) -> Pairs:
        yield "out", [HUGE]


def _huge(input: Any, context: Any) -> Pairs:
    yield "out", 1
    yield "out", {"deep": [HUGE]}


@pytest.mark.parametrize("kind", [pure(_huge), block(_huge, execution="blocking"), block(_huge), HugeCpu])
def test_a_yield_beyond_64_bits_fails_its_node_alone(kind: type[Block]) -> None:
    async def test() -> None:
        world = World(Huge=kind, Echo=effect())
        graph = world.graph(
            "h:Huge o:Echo y:Output e:Output",
            "h.error > e.value",
            "o.out > y.value",
            o={"value": 7},
            h={"value": 1},
        )
        async with world.open() as engine:
            done = await finish(engine, graph)
            assert (done.status, done.outputs["y"], done.stats.node_error_count) == (COMPLETED, [7], 1)
            assert "output `out` holds a value that cannot be recorded" in done.outputs["e"][0]
            assert "64" in done.outputs["e"][0]

    play(test())


@pytest.mark.parametrize(
    ("shape", "text"), [(NumberIn, str(HUGE)), (NumberIn, "1e30"), (ListIn, f"[{HUGE}]")]
)
def test_a_text_of_a_number_beyond_64_bits_leaves_its_node_waiting(shape: type, text: str) -> None:
    async def test() -> None:
        async def tell(input: Any, context: Any) -> AsyncPairs:
            yield "out", text

        world = World(Tell=block(tell), Take=effect(Input=shape, Output=NumberOut), Echo=effect())
        graph = world.graph(
            "t:Tell n:Take e:Echo y:Output", "t.out > n.value", "t.out > e.value", "e.out > y.value"
        )
        async with world.open() as engine:
            done = await finish(engine, graph)
            assert (done.status, done.outputs) == (COMPLETED, {"y": [text]})
            (warning,) = [
                event.payload.text
                for event in await engine.journal.read_stream(done.id)
                if event.topic == "warning.recorded"
            ]
            assert "Failed to convert" in warning
            left = [node for node in done.node_executions.values() if node.node_id == "n"]
            assert [node.status for node in left] == [ExecutionStatus.INCOMPLETE]

    play(test())


@pytest.mark.parametrize("owner", [True, False])
def test_inputs_beyond_64_bits_are_refused_by_name(tmp_path: Path, owner: bool) -> None:
    async def test() -> None:
        world = World(Echo=effect())
        graph = _graph(world)
        async with world.open(sqlite(tmp_path), candidate=owner) as engine:
            with pytest.raises(UnrecordableInputError, match=r"Input `x` holds .* 64 bits") as caught:
                await begin(engine, graph, inputs={"x": [HUGE]})
            assert caught.value.name == "x"
            assert isinstance(caught.value, ValueError)
            with pytest.raises(UnrecordableInputError, match=r"Input `e\.value` holds"):
                await begin(engine, graph, inputs={"x": 1}, nodes_input_masks={"e": {"value": HUGE}})
            for value in (object(), {(1,): 2}, {None: 1}, [len], {"deep": [{"er": {(): 0}}]}):
                with pytest.raises(UnrecordableInputError, match="Input `x` holds"):
                    await begin(engine, graph, inputs={"x": value})
            assert await engine.journal.unfinished() == []

    play(test())


def test_inputs_are_taken_as_a_reader_of_the_record_gets_them() -> None:
    async def test() -> None:
        world = World(Echo=effect())
        async with world.open() as engine:
            given = {"set": {1}, 2: (3, b"k"), "when": datetime(2026, 1, 2, tzinfo=UTC)}
            run = await begin(engine, _graph(world), inputs={"x": given})
            given["set"].clear()  # type: ignore[attr-defined]
            done = await engine.wait(run.id, 20)
            plain = {"set": [1], "2": [3, "aw=="], "when": "2026-01-02T00:00:00Z"}
            assert done.outputs == {"y": [plain]}
            [created] = await engine.journal.read_stream(run.id, limit=1)
            assert created.payload.inputs == {"x": plain}

    play(test())


def _graph(world: World, called: str = "graph") -> Graph:
    return world.graph("x:Input e:Echo y:Output", "x.result > e.value", "e.out > y.value", called=called)


async def _submit(engine: Engine, graph: Graph, inputs: dict[str, Any], **options: Any) -> str:
    return (await engine.add_graph_execution(graph.id, USER, inputs, idempotency_key="k", **options)).id


def test_a_key_stands_for_one_request(tmp_path: Path) -> None:
    async def test() -> None:
        world = World(Echo=effect())
        async with world.open(sqlite(tmp_path)) as engine:
            graph = await engine.save_graph(_graph(world), USER)
            other = await engine.save_graph(_graph(world, "other"), USER)
            inputs = {"x": (1, {"a": 2})}
            first = await _submit(engine, graph, inputs)
            await engine.wait(first)
            assert await _submit(engine, graph, {"x": [1, {"a": 2}]}) == first
            assert await _submit(engine, graph, inputs, graph_version=1) == first
            with pytest.raises(IdempotencyKeyError, match="another inputs") as caught:
                await _submit(engine, graph, {"x": 2})
            assert (caught.value.graph_exec_id, caught.value.different) == (first, ("inputs",))
            with pytest.raises(IdempotencyKeyError, match="another graph"):
                await _submit(engine, other, inputs)
            with pytest.raises(IdempotencyKeyError, match="node masks"):
                await _submit(engine, graph, inputs, nodes_input_masks={"e": {"value": 5}})
            # A newer version of the graph is no other request, unless a version is asked for.
            changed = world.graph("x:Input y:Output", "x.result > y.value")
            assert (await engine.save_graph(changed, USER)).version == 2
            assert await _submit(engine, graph, inputs) == first
            with pytest.raises(IdempotencyKeyError, match="graph version"):
                await _submit(engine, graph, inputs, graph_version=2)
            assert (await topics(engine, first)).count("execution.created") == 1

    play(test())


def test_of_requests_at_the_same_time_only_the_same_ones_are_answered() -> None:
    async def test() -> None:
        world = World(Echo=effect())
        async with world.open() as engine:
            graph = await engine.save_graph(_graph(world), USER)
            answers = await asyncio.gather(
                *(_submit(engine, graph, {"x": number % 2}) for number in range(6)), return_exceptions=True
            )
            assert len({answer for answer in answers if isinstance(answer, str)}) == 1
            refused = [isinstance(answer, IdempotencyKeyError) for answer in answers]
            assert refused in ([False, True] * 3, [True, False] * 3), "whoever came first decides"
            (run,) = {answer for answer in answers if isinstance(answer, str)}
            assert (await engine.wait(run)).outputs == {"y": [refused.index(False)]}

    play(test())
