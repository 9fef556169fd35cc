"""Accepting, asking, waiting, closing: what the engine answers, and what it costs when nothing happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import PATIENCE, USER, Gate, World, begin, effect, finish, play, pure, sqlite, topics

from actbook.engine import (
    Engine,
    EngineClosedError,
    GraphNotFoundError,
    GraphValidationError,
    NotFoundError,
    StillRunningError,
    UnrecordableInputError,
)
from actbook.events import ExecutionStatus

COMPLETED = ExecutionStatus.COMPLETED


def test_accepting_is_durable_before_it_returns(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold", "x.result > h.value")
        async with world.open(sqlite(tmp_path)) as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            assert (run.status, run.user_id, run.inputs) == (ExecutionStatus.QUEUED, USER, {"x": 1})
            assert (await topics(engine, run.id))[:3] == [
                "execution.created",
                "node.queued",
                "execution.queued",
            ]
            assert run.id in await engine.journal.unfinished()

    play(test())


def test_what_can_not_run_is_refused_and_leaves_no_trace() -> None:
    async def test() -> None:
        world = World(Echo=pure())
        good = world.graph("x:Input e:Echo", "x.result > e.value")
        loop = world.graph("e:Echo f:Echo", "e.out > f.value", "f.out > e.value", called="loop")
        bad = world.graph("e:Echo", called="bad")
        bad.nodes[0].block_id = "5b8d6c1e-8f0b-4d51-9a53-0c8a53f6aaaa"
        async with world.open() as engine:
            for graph in (loop, bad):
                await engine.save_graph(graph, USER)
            position = await engine.journal.last_position()
            with pytest.raises(GraphNotFoundError, match="Graph #nowhere not found"):
                await engine.add_graph_execution("nowhere", USER)
            with pytest.raises(ValueError, match="No starting nodes found"):
                await engine.add_graph_execution("loop", USER)
            with pytest.raises((GraphValidationError, ValueError)):
                await engine.add_graph_execution("bad", USER)
            saved = await engine.save_graph(good, USER)
            with pytest.raises(GraphNotFoundError, match="version 9"):
                await engine.add_graph_execution(saved.id, USER, graph_version=9)
            assert await engine.journal.last_position() == position + 1  # the good graph

    play(test())


def test_an_input_that_can_not_be_recorded_is_refused_and_the_engine_goes_on() -> None:
    async def test() -> None:
        world = World(Echo=pure())
        graph = world.graph("x:Input e:Echo y:Output", "x.result > e.value", "e.out > y.value")
        async with world.open() as engine:
            for value in (object(), 2**80):
                with pytest.raises(
                    UnrecordableInputError, match="Input `x` holds a value that can't be recorded"
                ):
                    await begin(engine, graph, inputs={"x": value})
            assert (await finish(engine, graph, inputs={"x": 1})).outputs == {"y": [1]}
            assert await engine.journal.unfinished() == []

    play(test())


def test_asking_and_waiting_for_what_is_not_there() -> None:
    async def test() -> None:
        world = World(Echo=pure())
        graph = world.graph("x:Input e:Echo", "x.result > e.value")
        async with world.open() as engine:
            done = await finish(engine, graph, inputs={"x": 1})
            with pytest.raises(NotFoundError, match="Graph execution #nothing not found"):
                await engine.get_graph_execution("nothing")
            with pytest.raises(NotFoundError):
                await engine.get_graph_execution(done.id, "eve")
            with pytest.raises(NotFoundError):
                await engine.wait("nothing", 1.0)
            with pytest.raises(NotFoundError):
                await engine.history("nothing")
            assert (await engine.get_graph_execution(done.id, USER)).status is COMPLETED
            assert (await engine.get_graph_execution(done.id)).status is COMPLETED

    play(test())


def test_waiting_ends_with_the_time_limit_and_the_run_goes_on() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            with pytest.raises(StillRunningError, match=r"did not end within 0\.02 seconds; it goes on"):
                await engine.wait(run.id, 0.02)
            waiting = [asyncio.ensure_future(engine.wait(run.id, PATIENCE)) for _ in range(10)]
            await gate.reached()
            gate.open()
            assert [(await each).outputs for each in waiting] == [{"y": [1]}] * 10
            assert (await engine.wait(run.id)).status is COMPLETED

    play(test())


def test_what_finished_while_closing_is_recorded(tmp_path: Path) -> None:
    async def test() -> None:
        begun, runs = asyncio.Event(), list[int]()

        async def short(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
            begun.set()
            runs.append(context.attempt)
            await asyncio.sleep(0.05)
            yield "out", input.value

        world = World(Short=effect(short))
        graph = world.graph("x:Input s:Short y:Output", "x.result > s.value", "s.out > y.value")
        url = sqlite(tmp_path)
        async with world.open(url, drain=5.0) as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await begun.wait()
        async with world.open(url, candidate=False) as engine:
            assert "node.completed" in (await topics(engine, run.id))[8:]
        async with world.open(url) as engine:
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [1]}
        assert runs == [1]

    play(test())


def test_a_closed_engine_refuses_and_tells_those_who_wait() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold", "x.result > h.value")
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            waiting = asyncio.ensure_future(engine.wait(run.id))
            stopping = asyncio.ensure_future(engine.wait(run.id, PATIENCE))
            await asyncio.sleep(0)
        for each in (waiting, stopping):
            with pytest.raises(EngineClosedError):
                await each
        for call in (
            engine.add_graph_execution(graph.id, USER, {"x": 1}),
            engine.get_graph_execution(run.id),
            engine.wait(run.id),
            engine.stop_graph_execution(USER, run.id),
            engine.history(run.id),
            engine.review(USER, f"{run.id}.1", True),
            engine.save_graph(graph),
            engine.graph(graph.id),
            engine.catch_up(),
        ):
            with pytest.raises(EngineClosedError):
                await call

    play(test())


def test_what_is_submitted_while_the_engine_closes_is_answered() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold", "x.result > h.value")
        async with world.open() as engine:
            await engine.save_graph(graph, USER)
            adding = [
                asyncio.ensure_future(engine.add_graph_execution(graph.id, USER, {"x": n})) for n in range(20)
            ]
            for _ in range(3):
                await asyncio.sleep(0)
        async with asyncio.timeout(5):
            answers = await asyncio.gather(*adding, return_exceptions=True)
        for answer in answers:
            assert not isinstance(answer, BaseException) or isinstance(answer, EngineClosedError)

    play(test())


def test_run_sync_is_a_one_liner(tmp_path: Path) -> None:
    world = World()
    graph = world.graph("x:Input y:Output", "x.result > y.value")
    assert Engine.run_sync(graph, {"x": 1}).outputs == {"y": [1]}
    url = sqlite(tmp_path)
    state = Engine.run_sync(graph, {"x": 2}, url=url, user_id=USER, timeout=PATIENCE, idempotency_key="k")
    assert (state.status, state.outputs) == (COMPLETED, {"y": [2]})
    assert Engine.run_sync(graph, {"x": 2}, url=url, user_id=USER, idempotency_key="k").id == state.id


def test_an_error_inside_the_block_of_the_engine_closes_it() -> None:
    async def test() -> None:
        world = World()
        opened: list[Engine] = []
        with pytest.raises(KeyError):  # noqa: PT012
            async with world.open() as engine:
                opened.append(engine)
                raise KeyError("the caller's")
        with pytest.raises(EngineClosedError):
            await opened[0].get_graph_execution("x")

    play(test())


@pytest.mark.parametrize("busy", [False, True])
def test_an_idle_engine_uses_no_cpu(tmp_path: Path, busy: bool) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold", "x.result > h.value")
        async with world.open(sqlite(tmp_path)) as engine, world.open(sqlite(tmp_path)):
            for number in range(100 if busy else 1):
                await begin(engine, graph, inputs={"x": number})
            await gate.reached(100 if busy else 1)
            await engine.catch_up()
            before = time.process_time()
            await asyncio.sleep(0.7)
            assert time.process_time() - before < 0.02

    play(test())


def test_a_thousand_short_runs_all_end() -> None:
    async def test() -> None:
        world = World(Echo=pure(), Work=effect())
        graph = world.graph(
            "x:Input e:Echo w:Work y:Output", "x.result > e.value", "e.out > w.value", "w.out > y.value"
        )
        async with world.open() as engine:
            runs = await asyncio.gather(*(begin(engine, graph, inputs={"x": n}) for n in range(500)))
            states = await asyncio.gather(*(engine.wait(run.id, PATIENCE) for run in runs))
            assert [state.outputs for state in states] == [{"y": [n]} for n in range(500)]
            assert await engine.journal.unfinished() == []

    play(test())


def test_closing_starts_nothing_that_waited_for_a_place(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold", "x.result > h.value")
        async with world.open(max_active=1) as engine:
            for number in range(4):
                await begin(engine, graph, inputs={"x": number})
            await gate.reached()
        assert gate.entered == 1

    play(test())
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
