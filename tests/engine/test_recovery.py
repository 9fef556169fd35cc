"""Runs go on where they were: after a close, after a death, in another process. Nobody runs what somebody else owns."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import (
    PATIENCE,
    USER,
    Gate,
    World,
    begin,
    effect,
    play,
    pure,
    sqlite,
    task,
    topics,
    when,
)
from tests.engine.owner import HeldBlock, HeldIn, HeldOut

from actbook.blocks import Registry
from actbook.engine import Engine
from actbook.events import ExecutionClaimed, ExecutionStatus, NodeStarted
from actbook.graphs import Block

COMPLETED = ExecutionStatus.COMPLETED


def test_what_was_in_flight_runs_again_as_a_new_attempt_with_the_same_key(tmp_path: Path) -> None:
    async def test() -> None:
        gate, keys = Gate(), list[tuple[str, int]]()

        async def noting(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
            keys.append((context.idempotency_key, context.attempt))
            yield "out", "first"
            async for pair in gate.hold(input, context):
                yield pair

        world = World(Hold=effect(noting), Echo=effect())
        graph = world.graph(
            "x:Input e:Echo h:Hold y:Output", "x.result > e.value", "e.out > h.value", "h.out > y.value"
        )
        url = sqlite(tmp_path)
        async with world.open(url) as engine:
            run = await begin(engine, graph, inputs={"x": 5})
            await gate.reached()
            await when(engine, lambda event: event.topic == "node.output")
        async with world.open(url) as engine:
            await gate.reached(2)
            gate.open()
            state = await engine.wait(run.id, PATIENCE)
            assert (state.status, state.outputs) == (COMPLETED, {"y": ["first", 5]})
            assert keys == [(f"{run.id}.3", 1), (f"{run.id}.3", 2)]
            events = await engine.journal.read_stream(run.id)
            claims = [e.payload.epoch for e in events if isinstance(e.payload, ExecutionClaimed)]
            assert claims == [1, 2]
            assert [e.version for e in events] == list(range(1, len(events) + 1))
            started = [e.payload for e in events if isinstance(e.payload, NodeStarted)]
            assert [each.attempt for each in started if each.node_exec == 3] == [1, 2]
            # What had ended is not run again.
            assert [each.attempt for each in started if each.node_exec == 2] == [1]
            assert (await engine.history(run.id)).verify() == []

    play(test())


def test_many_unfinished_executions_all_go_on(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")
        url = sqlite(tmp_path)
        async with world.open(url) as engine:
            runs = [await begin(engine, graph, inputs={"x": number}) for number in range(50)]
            await gate.reached(50)
        gate.open()
        async with world.open(url, max_active=7) as engine:
            for number, run in enumerate(runs):
                assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [number]}

    play(test())


def test_no_more_executions_are_in_memory_than_allowed() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")
        async with world.open(max_active=3) as engine:
            runs = [await begin(engine, graph, inputs={"x": number}) for number in range(12)]
            await gate.reached(3)
            assert gate.entered == 3
            waiting = await engine.get_graph_execution(runs[-1].id)
            assert waiting.status is ExecutionStatus.QUEUED
            stopped = await engine.stop_graph_execution(USER, runs[5].id, 0)
            assert stopped.status is ExecutionStatus.QUEUED
            gate.open()
            done = [await engine.wait(run.id, PATIENCE) for run in runs]
            assert {state.status for state in done if state.id != runs[5].id} == {COMPLETED}
            assert done[5].status is ExecutionStatus.TERMINATED
            assert gate.most <= 3

    play(test())


def test_without_taking_over_the_owner_runs_only_what_it_is_asked_about(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold", "x.result > h.value")
        url = sqlite(tmp_path)
        async with world.open(url) as engine:
            old = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
        async with world.open(url, take_over=False) as engine:
            new = await begin(engine, graph, inputs={"x": 2})
            await gate.reached(2)
            assert gate.values == [1, 2]
            stopped = await engine.stop_graph_execution(USER, old.id)
            assert stopped.status is ExecutionStatus.TERMINATED
            gate.open()
            assert (await engine.wait(new.id, PATIENCE)).status is COMPLETED

    play(test())


# -- two engines on one file -----------------------------------------------------------------------------------------


def test_a_second_engine_asks_the_owner_and_hears_of_ends_by_the_bell(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")
        url = sqlite(tmp_path)
        async with world.open(url) as first, world.open(url) as second:
            assert (first.is_owner, second.is_owner) == (True, False)
            assert second.owner is not None
            stopped = await begin(second, graph, inputs={"x": 1})
            goes_on = await begin(second, graph, inputs={"x": 2})
            await gate.reached(2)
            workers = {(await first.get_graph_execution(each.id)).worker for each in (stopped, goes_on)}
            assert workers == {first.owner.worker_id}
            state = await second.stop_graph_execution(USER, stopped.id)
            assert state.status is ExecutionStatus.TERMINATED
            async with task(second.wait(goes_on.id, PATIENCE)) as waiting:
                gate.open()
                assert (await waiting).outputs == {"y": [2]}

    play(test())


def test_the_second_engine_takes_over_when_the_first_is_closed(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")
        url = sqlite(tmp_path)
        first_context = world.open(url)
        first = await first_context.__aenter__()
        async with world.open(url) as second:
            run = await begin(first, graph, inputs={"x": 3})
            await gate.reached()
            async with task(second.wait(run.id, PATIENCE)) as waiting:
                await asyncio.sleep(0)
                await first_context.__aexit__(None, None, None)
                await gate.reached(2)
                assert second.is_owner
                gate.open()
                state = await waiting
            assert (state.status, state.outputs) == (COMPLETED, {"y": [3]})
            events = await second.journal.read_stream(run.id)
            assert [e.payload.epoch for e in events if isinstance(e.payload, ExecutionClaimed)] == [1, 2]

    play(test())


class PassingBlock(Block):
    """The same block as the other process has, but it comes to an end."""

    id = HeldBlock.id
    Input = HeldIn
    Output = HeldOut

    async def run(self, input: HeldIn, context: Any) -> AsyncIterator[tuple[str, Any]]:
        yield "out", input.value
        yield "out", f"attempt {context.attempt}"


class Owner:
    """The other process, seen from here."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self) -> list[str]:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
        return line.decode().split()


@asynccontextmanager
async def other_process(url: str, lease: float = 60.0) -> AsyncIterator[Owner]:
    program = Path(__file__).with_name("owner.py")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(program), url, str(lease)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    owner = Owner(process)
    try:
        assert await owner.says() == ["owner"]
        yield owner
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def here(world: World) -> World:
    world.registry.register(PassingBlock)
    world.ids["Held"] = PassingBlock.id
    return world


def test_another_process_asks_stops_waits_and_takes_over_after_a_kill(tmp_path: Path) -> None:
    async def test() -> None:
        world = here(World())
        graph = world.graph("x:Input h:Held y:Output", "x.result > h.value", "h.out > y.value")
        url = sqlite(tmp_path)
        async with other_process(url) as owner, world.open(url) as engine:
            assert not engine.is_owner
            assert engine.owner is not None
            assert engine.owner.pid == owner.process.pid
            stopped = await begin(engine, graph, inputs={"x": 1})
            assert await owner.says() == ["held", stopped.id]
            state = await engine.stop_graph_execution(USER, stopped.id)
            assert (state.status, state.outputs) == (ExecutionStatus.TERMINATED, {"y": [1]})

            run = await begin(engine, graph, inputs={"x": 2})
            assert await owner.says() == ["held", run.id]
            async with task(engine.wait(run.id, PATIENCE)) as waiting:
                os.kill(owner.process.pid, signal.SIGKILL)
                state = await waiting
            assert engine.is_owner
            assert (state.status, state.outputs) == (COMPLETED, {"y": [2, "attempt 2"]})
            assert (await topics(engine, stopped.id)).count("execution.claimed") == 1
            assert (await engine.history(run.id)).verify() == []

    play(test())


def test_a_guest_never_runs_anything(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block(), Echo=pure())
        graph = world.graph("x:Input h:Hold", "x.result > h.value")
        async with world.open(sqlite(tmp_path), candidate=False) as engine:
            assert (engine.is_owner, engine.owner) == (False, None)
            run = await begin(engine, graph, inputs={"x": 1})
            with pytest.raises(TimeoutError, match="it goes on"):
                await engine.wait(run.id, 0.05)
            assert gate.entered == 0
            assert await topics(engine, run.id) == ["execution.created", "node.queued", "execution.queued"]

    play(test())


def test_an_idempotency_key_is_one_execution_also_across_restarts_and_processes(tmp_path: Path) -> None:
    async def test() -> None:
        world = World(Echo=effect())
        graph = world.graph("x:Input e:Echo y:Output", "x.result > e.value", "e.out > y.value")
        url = sqlite(tmp_path)
        async with world.open(url) as first, world.open(url) as second:
            runs = await asyncio.gather(
                *(
                    begin(engine, graph, inputs={"x": 1}, idempotency_key="k")
                    for engine in [first, second] * 5
                )
            )
            assert len({run.id for run in runs}) == 1
            await first.wait(runs[0].id, PATIENCE)
            other = await begin(first, graph, inputs={"x": 1}, idempotency_key="k", user="bob")
            assert other.id != runs[0].id
        async with world.open(url) as engine:
            again = await begin(engine, graph, inputs={"x": 1}, idempotency_key="k")
            assert (again.id, again.status, again.outputs) == (runs[0].id, COMPLETED, {"y": [1]})
            assert (await topics(engine, again.id)).count("execution.created") == 1

    play(test())


def test_unknown_kinds_of_blocks_after_an_upgrade_fail_their_node_not_the_engine(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold bad:Output", "x.result > h.value", "h.error > bad.value")
        url = sqlite(tmp_path)
        async with world.open(url) as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
        async with world.open(url, registry=Registry(parent=World().registry)) as engine:
            state = await engine.wait(run.id, PATIENCE)
            assert state.status.is_terminal
            assert state.outputs == {"bad": [f"Block {world.ids['Hold']} no longer exists"]}

    play(test())


def test_the_engine_says_who_owns_the_store(tmp_path: Path) -> None:
    async def test() -> None:
        async with Engine.open(sqlite(tmp_path)) as engine:
            assert engine.is_owner
            assert engine.owner is not None
            assert engine.owner.pid == os.getpid()

    play(test())
