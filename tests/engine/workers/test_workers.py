"""Several workers on one PostgreSQL store: each execution runs in one of them, and goes on in another when that one is gone."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

from tests.engine.kit import PATIENCE, USER, Gate, World, agent, begin, effect, play, pure

from actbook.engine import Engine
from actbook.events import ExecutionClaimed, ExecutionStatus

COMPLETED = ExecutionStatus.COMPLETED
TERMINATED = ExecutionStatus.TERMINATED


async def workers(stack: AsyncExitStack, world: World, url: str, count: int, **settings: Any) -> list[Engine]:
    return [await stack.enter_async_context(world.open(url, **settings)) for _ in range(count)]


async def who_ran(engine: Engine, execution_id: str) -> list[str]:
    events = await engine.journal.read_stream(execution_id)
    return [event.payload.worker for event in events if isinstance(event.payload, ExecutionClaimed)]


def test_workers_share_what_somebody_else_submits_and_each_runs_once(postgres_url: str) -> None:
    async def test() -> None:
        ran: Counter[int] = Counter()

        async def counting(input: Any, context: Any) -> Any:
            ran[input.value] += 1
            await asyncio.sleep(0.01)
            yield "out", input.value

        world = World(Work=effect(counting))
        graph = world.graph("x:Input w:Work y:Output", "x.result > w.value", "w.out > y.value")
        async with AsyncExitStack() as stack:
            engines = await workers(stack, world, postgres_url, 3, max_active=4)
            assert all(engine.is_owner for engine in engines)
            (asker,) = await workers(stack, world, postgres_url, 1, candidate=False)
            runs = [await begin(asker, graph, inputs={"x": number}) for number in range(60)]
            for number, run in enumerate(runs):
                state = await asker.wait(run.id, PATIENCE)
                assert (state.status, state.outputs) == (COMPLETED, {"y": [number]})
            assert ran == dict.fromkeys(range(60), 1)
            by = Counter([(await who_ran(asker, run.id))[0] for run in runs])
            assert set(by) == {engine.worker for engine in engines}
            assert await asker.journal.unfinished() == []

    play(test())


def test_a_stop_reaches_the_worker_that_runs_it_whoever_asks(postgres_url: str) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold", "x.result > h.value")
        async with AsyncExitStack() as stack:
            engines = await workers(stack, world, postgres_url, 3)
            runs = [await begin(engines[number % 3], graph, inputs={"x": number}) for number in range(30)]
            await gate.reached(30)
            states = await asyncio.gather(
                *(
                    engines[(number + 1) % 3].stop_graph_execution(USER, run.id, 30)
                    for number, run in enumerate(runs)
                )
            )
            assert {state.status for state in states} == {TERMINATED}

    play(test())


def test_what_a_closed_worker_had_begun_goes_on_in_another(postgres_url: str) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block(), Pure=pure())
        child = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")
        async with AsyncExitStack() as stack:
            (other,) = await workers(stack, world, postgres_url, 1)
            async with world.open(postgres_url, drain=0.0) as first:
                saved = await first.save_graph(child, USER)
                parent = world.graph(
                    "x:Input a:Agent y:Output", "x.result > a.x", "a.y > y.value", a=agent(saved)
                )
                run = await begin(first, parent, inputs={"x": 7})
                await gate.reached(1)
            await gate.reached(2)
            gate.open()
            state = await other.wait(run.id, PATIENCE)
            assert (state.status, state.outputs) == (COMPLETED, {"y": [7]})
            assert list(dict.fromkeys(await who_ran(other, run.id))) == [first.worker, other.worker]
            assert (await other.history(run.id)).verify() == []

    play(test())
