"""Sub-graphs: runs of their own, whose outputs come out of the parent's node."""

from __future__ import annotations

from typing import Any

import pytest
from tests.acceptance.runs import world
from tests.engine.kit import (
    PATIENCE,
    Gate,
    World,
    agent,
    begin,
    finish,
    play,
    pure,
)

from actbook.events import (
    ExecutionStatus,
    Limits,
)
from actbook.graphs import Graph

S = ExecutionStatus


def called(made: World, block_name: str, *, options: dict[str, Any] | None = None) -> Graph:
    child = made.graph(
        f"x:Input a:{block_name} y:Output", "x.result > a.value", "a.out > y.value", called="child"
    )
    parent = made.graph(
        "x:Input g:Agent y:Output",
        "x.result > g.x", "g.y > y.value",
        called="parent", sub_graphs=[child], g=agent(child),
    )  # fmt: skip
    parent.node("g").metadata.update(options or {})
    return parent


def test_the_outputs_of_a_sub_graph_come_out_once_each() -> None:
    async def test() -> None:
        made = world()
        async with made.open() as engine:
            done = await finish(engine, called(made, "Each"), inputs={"x": [1, 2, 3]})
            assert (done.status, done.outputs) == (S.COMPLETED, {"y": [1, 2, 3]})
            created = [
                event
                for event in await engine.journal.read_log(limit=1000)
                if event.topic == "execution.created"
            ]
            assert [event.stream_id == done.id for event in created] == [True, False]
            child = await engine.get_graph_execution(created[1].stream_id)
            assert child.parent is not None
            assert (child.parent.execution_id, child.root_id) == (done.id, done.id)

    play(test())


@pytest.mark.parametrize("told", [True, False])
def test_a_failed_child_is_told_by_option(told: bool) -> None:
    async def test() -> None:
        made = World(Echo=pure())
        child = made.graph(
            "x:Input a:Echo y:Output",
            "x.result > a.value",
            "a.out > a.value",
            "a.out > y.value",
            called="child",
        )
        links = ["x.result > g.x", "g.y > y.value", *(["g.error > e.value"] if told else [])]
        parent = made.graph(
            f"x:Input g:Agent y:Output{' e:Output' if told else ''}",
            *links,
            called="parent",
            sub_graphs=[child],
            g=agent(child),
        )
        parent.node("g").metadata["error_pin"] = told
        async with made.open() as engine:
            done = await finish(engine, parent, inputs={"x": 1}, limits=Limits(node_executions=5))
            assert done.status is S.COMPLETED
            assert (len(done.outputs.get("e", ())), done.stats.node_error_count) == (
                (1, 1) if told else (0, 0)
            )

    play(test())


def test_a_run_that_waits_for_its_child_ends_when_that_does() -> None:
    async def test() -> None:
        gate = Gate()
        made = World(Hold=gate.block())
        async with made.open() as engine:
            begun = await begin(engine, called(made, "Hold"), inputs={"x": 5})
            await gate.reached()
            assert (await engine.get_graph_execution(begun.id)).status is S.RUNNING
            gate.open()
            assert (await engine.wait(begun.id, PATIENCE)).outputs == {"y": [5]}

    play(test())
