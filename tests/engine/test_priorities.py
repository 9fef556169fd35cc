"""Who goes first where executions, or their bodies, have to wait for a place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.engine.kit import PATIENCE, AsyncPairs, Gate, World, agent, begin, block, finish, play, sqlite

from actbook.actors import Capacity
from actbook.engine import Engine
from actbook.events import Settings
from actbook.graphs import Graph


def held(world: World) -> Graph:
    return world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")


async def ended(engine: Engine, *runs: Any) -> None:
    for run in runs:
        await engine.wait(run.id, PATIENCE)


def test_executions_wait_for_room_by_priority_and_then_in_order_of_submission() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        async with world.open(max_active=1) as engine:
            runs = [await begin(engine, held(world), inputs={"x": "first"})]
            await gate.reached()
            for name, priority in (("a", 0), ("b", 5), ("c", 0), ("d", 5), ("e", -1)):
                runs.append(await begin(engine, held(world), inputs={"x": name}, priority=priority))
            gate.open()
            await ended(engine, *runs)
            assert gate.values == ["first", "b", "d", "a", "c", "e"]
            assert (await engine.get_graph_execution(runs[2].id)).settings.priority == 5
            assert engine._host.environment.priorities == {}

    play(test())


def test_bodies_wait_for_a_place_by_priority() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        async with world.open(capacity=Capacity(async_=1)) as engine:
            runs = [await begin(engine, held(world), inputs={"x": "first"})]
            await gate.reached()
            for name, priority in (("a", 0), ("b", 2), ("c", 0), ("d", 7)):
                runs.append(
                    await begin(engine, held(world), inputs={"x": name}, settings=Settings(priority=priority))
                )
                await _waits(engine, runs[-1].id)
            gate.open()
            await ended(engine, *runs)
            assert gate.values == ["first", "d", "b", "a", "c"]

    play(test())


async def _waits(engine: Engine, execution_id: str) -> None:
    """Its body has asked for a place when the events before that are durable."""
    async for event in engine.journal.subscribe():
        if event.stream_id == execution_id and event.topic == "node.completed":
            return


def test_the_next_owner_knows_the_priorities(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world, url = World(Hold=gate.block()), sqlite(tmp_path)
        async with world.open(url, candidate=False) as engine:
            runs = [
                await begin(engine, held(world), inputs={"x": name}, priority=priority)
                for name, priority in (("a", 0), ("b", 3), ("c", 9), ("d", 0))
            ]
        gate.open()
        async with world.open(url, max_active=1) as engine:
            late = await begin(engine, held(world), inputs={"x": "e"}, priority=3)
            await ended(engine, *runs, late)
            assert gate.values[0] == "c"
            assert [name for name in gate.values if name in "be"] == ["b", "e"]
            assert gate.values[-2:] == ["a", "d"]

    play(test())


def test_an_owner_hears_the_priority_of_what_another_process_submits(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world, url = World(Hold=gate.block()), sqlite(tmp_path)
        async with world.open(url, max_active=1) as owner, world.open(url) as guest:
            runs = [await begin(owner, held(world), inputs={"x": "first"})]
            await gate.reached()
            for name, priority in (("a", 0), ("b", 4)):
                runs.append(await begin(guest, held(world), inputs={"x": name}, priority=priority))
            last = await begin(owner, held(world), inputs={"x": "c"})
            while not owner._host.environment.priorities:
                await owner.catch_up()
            gate.open()
            await ended(owner, *runs, last)
            assert gate.values.index("b") < gate.values.index("c")

    play(test())


def test_sub_graphs_have_the_priority_of_their_parent() -> None:
    async def test() -> None:
        seen: list[Any] = []

        async def noting(input: Any, context: Any) -> AsyncPairs:
            seen.append(context.graph_exec_id)
            yield "out", input.value

        world = World(Note=block(noting))
        child = world.graph(
            "x:Input n:Note y:Output", "x.result > n.value", "n.out > y.value", called="child"
        )
        parent = world.graph(
            "x:Input a:Agent y:Output", "x.result > a.x", "a.y > y.value", sub_graphs=[child], a=agent(child)
        )
        async with world.open() as engine:
            done = await finish(engine, parent, inputs={"x": 1}, priority=6)
            assert done.outputs == {"y": [1]}
            inner = await engine.get_graph_execution(seen[0])
            assert (inner.parent is not None, inner.settings.priority) == (True, 6)

    play(test())
