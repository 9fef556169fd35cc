"""Failing nodes, skipped nodes, and what bounds a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.acceptance.blocks import REGISTRY, KeyBlock, graph, node
from tests.acceptance.runs import count, run
from tests.engine.kit import (
    PATIENCE,
    USER,
    Gate,
    World,
    finish,
    play,
    pure,
)

from actbook.engine import Engine
from actbook.engine.credentials import MemoryCredentials
from actbook.events import (
    ExecutionStatus,
    Limits,
)
from actbook.graphs import UnknownBlock

S = ExecutionStatus


class Numbered(msgspec.Struct):
    out: int = 0
    error: str = ""


def test_outputs_are_checked_against_their_pins() -> None:
    def lie(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
        yield "out", 1
        yield "out", "many"

    async def test() -> None:
        made = World(Lie=pure(lie, Output=Numbered))
        a_graph = made.graph(
            "x:Input l:Lie y:Output e:Output", "x.result > l.value", "l.out > y.value", "l.error > e.value"
        )
        async with made.open() as engine:
            done = await finish(engine, a_graph, inputs={"x": 1})
            assert done.status is S.COMPLETED
            assert (done.outputs["y"], len(done.outputs["e"]), done.stats.node_error_count) == ([1], 1, 1)

    play(test())


def test_a_failure_goes_out_on_error_and_the_graph_goes_on() -> None:
    state = run(
        "p:Input l:Each k:Picky y:Output e:Output",
        "p.result > l.value", "l.out > k.value", "k.out > y.value", "k.error > e.value",
        inputs={"p": [1, 2, 3]},
    )  # fmt: skip
    assert state.status is S.COMPLETED
    assert state.outputs == {"y": ["saw 1", "saw 2", "saw 3"], "e": ["no twos"]}
    assert (state.stats.node_error_count, count(state, "k", S.FAILED)) == (1, 1)


def test_an_error_without_words_is_told_by_its_class() -> None:
    state = run("p:Input k:Speechless e:Output", "p.result > k.value", "k.error > e.value", inputs={"p": 1})
    assert state.outputs == {"e": ["KeyError"]}


def test_a_yield_on_error_ends_the_block() -> None:
    state = run(
        "p:Input k:Told y:Output e:Output",
        "p.result > k.value",
        "k.out > y.value",
        "k.error > e.value",
        inputs={"p": 1},
    )
    assert state.outputs == {"y": ["before"], "e": ["told so"]}
    assert count(state, "k", S.FAILED) == 1


def test_a_failure_without_links_still_completes_the_graph() -> None:
    state = run("p:Input k:Speechless", "p.result > k.value", inputs={"p": 1})
    assert (state.status, state.outputs, state.stats.node_error_count) == (S.COMPLETED, {}, 1)


def test_a_bound_ends_a_loop() -> None:
    state = run(
        "p:Input a:Echo",
        "p.result > a.value",
        "a.out > a.value",
        inputs={"p": 1},
        limits=Limits(node_executions=50),
    )
    assert state.status is S.FAILED
    assert state.error
    assert not any(node.status in (S.RUNNING, S.QUEUED) for node in state.node_executions.values())


def test_a_graph_has_a_time_limit() -> None:
    async def test() -> None:
        gate = Gate()
        made = World(Hold=gate.block())
        async with made.open() as engine:
            a_graph = made.graph("x:Input a:Hold", "x.result > a.value")
            done = await finish(engine, a_graph, inputs={"x": 1}, limits=Limits(timeout=0.05))
            assert done.status is S.FAILED
            assert gate.inside == 0

    play(test())


def test_a_node_has_a_time_limit() -> None:
    async def test() -> None:
        gate = Gate()
        made = World(Hold=gate.block(execution_timeout_seconds=0.05))
        async with made.open() as engine:
            a_graph = made.graph("x:Input a:Hold e:Output", "x.result > a.value", "a.error > e.value")
            done = await finish(engine, a_graph, inputs={"x": 1})
            assert done.outputs == {"e": ["Node execution exceeded 0.05s wall-clock cap"]}

    play(test())


def test_a_skipped_node_ends_without_outputs() -> None:
    async def test() -> None:
        optional = graph(
            node("k", KeyBlock, {"credentials_optional": True}),
            node(
                "l",
                KeyBlock,
                {"credentials_optional": True},
            ),
            links="k.out>l.value",
        )
        async with Engine.open("memory:", registry=REGISTRY, credentials=MemoryCredentials()) as engine:
            await engine.save_graph(optional, USER)
            begun = await engine.add_graph_execution("g", USER)
            done = await engine.wait(begun.id, PATIENCE)
            state = (await engine.history(begun.id)).state()
            assert (done.status, set(done.skip)) == (S.COMPLETED, {"k", "l"})
            [skipped] = state.node_executions.values()
            assert (skipped.node_id, skipped.status, skipped.skipped) == ("k", S.COMPLETED, True)
            assert skipped.outputs == []

    play(test())


def test_an_unknown_block_fails_by_its_id() -> None:
    with pytest.raises(ValueError, match=r"^Block gone no longer exists$"):
        list(UnknownBlock("gone").run(None, None))  # type: ignore[arg-type]


def test_a_loop_of_ten_thousand_iterations_ends_exactly() -> None:
    def step(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
        if input.value < 10_000:
            yield "out", input.value + 1
        else:
            yield "error", "over"

    async def test() -> None:
        made = World(Step=pure(step))
        a_graph = made.graph(
            "x:Input a:Step e:Output", "x.result > a.value", "a.out > a.value", "a.error > e.value"
        )
        async with made.open() as engine:
            done = await finish(engine, a_graph, inputs={"x": 1})
            assert done.outputs == {"e": ["over"]}
            assert done.stats.node_exec_count == 10_002

    play(test())
