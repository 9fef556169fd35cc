"""Retries, time limits and delayed starts through the engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.engine import kit
from tests.engine.kit import (
    PATIENCE,
    USER,
    Gate,
    World,
    agent,
    block,
    effect,
    play,
    sqlite,
    topics,
    when,
)

from actbook.actors import Timing
from actbook.engine import Engine, GraphValidationError, StartTimeError
from actbook.events import ExecutionStatus, GraphExecution, Limits, NodeRetryScheduled
from actbook.graphs import Graph, RetryPolicy

COMPLETED, FAILED, QUEUED, TERMINATED = (
    ExecutionStatus.COMPLETED,
    ExecutionStatus.FAILED,
    ExecutionStatus.QUEUED,
    ExecutionStatus.TERMINATED,
)


async def begin(engine: Engine, graph: Graph, **options: Any) -> GraphExecution:
    return await kit.begin(engine, graph, **{"inputs": {"x": 7}, **options})


async def finish(engine: Engine, graph: Graph, **options: Any) -> GraphExecution:
    return await kit.finish(engine, graph, **{"inputs": {"x": 7}, **options})


SOON = {"attempts": 4, "initial_seconds": 0.01, "jitter": 0}


def set_options(graph: Graph, node_id: str, **metadata: Any) -> Graph:
    graph.node(node_id).metadata.update(metadata)
    return graph


def line(world: World, kind: str, **metadata: Any) -> Graph:
    """One node between an input and two outputs, of which `e` takes its errors."""
    graph = world.graph(
        f"x:Input n:{kind} y:Output e:Output", "x.result > n.value", "n.out > y.value", "n.error > e.value"
    )
    return set_options(graph, "n", **metadata)


def fails(times: int, error: type[Exception] = ConnectionError) -> Any:
    async def run(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
        yield "out", "begun"
        if context.attempt <= times:
            raise error(f"failure {context.attempt}")
        yield "out", (context.attempt, context.idempotency_key.split(".")[1])

    return run


@pytest.mark.parametrize("mode", ["async", "inline"])
def test_a_node_is_tried_again_until_it_succeeds(mode: str) -> None:
    def run(input: Any, context: Any) -> Any:
        yield "out", "begun"
        if context.attempt < 3:
            raise ConnectionError("no answer")
        yield "out", context.attempt

    kind = block(run, execution="inline") if mode == "inline" else effect(fails(2))

    async def test() -> None:
        world = World(Flaky=kind)
        async with world.open() as engine:
            state = await finish(engine, line(world, "Flaky", retry=SOON))
            expected = ["begun", 3] if mode == "inline" else ["begun", (3, "2")]
            assert [tuple(v) if isinstance(v, list) else v for v in state.outputs["y"]] == expected
            assert (state.status, state.stats.node_error_count) == (COMPLETED, 0)
            assert (await topics(engine, state.id)).count("node.retry_scheduled") == 2
            assert (await engine.history(state.id)).verify() == []

    play(test())


def test_the_last_failure_comes_out_of_error() -> None:
    async def test() -> None:
        world = World(Flaky=effect(fails(99), retry=RetryPolicy(attempts=2, initial_seconds=0.01)))
        async with world.open() as engine:
            state = await finish(engine, line(world, "Flaky"))
            assert state.outputs == {"y": ["begun"], "e": ["failure 2"]}

    play(test())


def test_only_named_errors_are_tried_again() -> None:
    async def test() -> None:
        world = World(Flaky=effect(fails(1, ValueError)))
        async with world.open() as engine:
            state = await finish(engine, line(world, "Flaky", retry={**SOON, "errors": ["OSError"]}))
            assert state.outputs["e"] == ["failure 1"]
            state = await finish(engine, line(world, "Flaky", retry={**SOON, "errors": ["ValueError"]}))
            assert "e" not in state.outputs

    play(test())


def test_a_malformed_option_refuses_the_graph_with_its_place() -> None:
    async def test() -> None:
        world = World(Flaky=effect(fails(1)))
        async with world.open() as engine:
            options = {"retry": {"attempts": 0}, "timeout_seconds": "soon", "error_pin": 1}
            with pytest.raises(GraphValidationError) as caught:
                await begin(engine, line(world, "Flaky", **options))
            assert caught.value.node_errors == {
                "n": {
                    "metadata.retry": "Not a retry policy: `attempts` must be 1 or more: the first one counts.",
                    "metadata.timeout_seconds": "Must be a number of seconds up to a year, 0 for no cap",
                    "metadata.error_pin": "Must be true or false",
                }
            }

    play(test())


def test_a_stop_ends_a_node_that_waits_for_its_next_attempt_at_once() -> None:
    async def test() -> None:
        world = World(Flaky=effect(fails(99)))
        async with world.open() as engine:
            run = await begin(engine, line(world, "Flaky", retry={"initial_seconds": 1000}))
            await when(engine, lambda event: event.topic == "node.retry_scheduled")
            state = await engine.stop_graph_execution(USER, run.id, PATIENCE)
            assert (state.status, state.retries) == (TERMINATED, {})

    play(test())


def test_a_retry_survives_a_restart(tmp_path: Path) -> None:
    async def test() -> None:
        world = World(Flaky=effect(fails(1)))
        policy = {"initial_seconds": 0.3, "jitter": 0}
        async with world.open(sqlite(tmp_path)) as engine:
            run = await begin(engine, line(world, "Flaky", retry=policy))
            event = await when(engine, lambda event: event.topic == "node.retry_scheduled")
        async with world.open(sqlite(tmp_path)) as engine:
            state = await engine.wait(run.id, PATIENCE)
            assert state.status is COMPLETED
            assert isinstance(event.payload, NodeRetryScheduled)
            assert state.ended_at >= event.payload.due

    play(test())


async def _never(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
    yield "out", "begun"
    await asyncio.Event().wait()


def test_a_nodes_own_time_limit_wins() -> None:
    async def test() -> None:
        world = World(Hangs=effect(_never, execution_timeout_seconds=1000.0))
        async with world.open() as engine:
            state = await finish(engine, line(world, "Hangs", timeout_seconds=0.05))
            assert state.outputs == {
                "y": ["begun"],
                "e": ["Node execution exceeded 0.05s wall-clock cap"],
            }

    play(test())


def test_a_node_may_do_without_its_blocks_time_limit() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Holds=gate.block(execution_timeout_seconds=0.01), Hangs=effect(_never))
        async with world.open() as engine:
            run = await begin(engine, line(world, "Holds", timeout_seconds=0))
            await gate.reached()
            await finish(engine, line(world, "Hangs", timeout_seconds=0.05))
            gate.open()
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [7]}

    play(test())


def test_a_time_limit_is_a_failure_that_is_tried_again() -> None:
    async def test() -> None:
        world = World(Hangs=effect(_never))
        async with world.open() as engine:
            policy = {"attempts": 2, "initial_seconds": 0.01, "errors": ["TimeoutError"]}
            state = await finish(engine, line(world, "Hangs", timeout_seconds=0.05, retry=policy))
            assert (await topics(engine, state.id)).count("node.started") == 5
            assert state.outputs["y"] == ["begun"]

    play(test())


def test_the_runs_time_goes_on_over_a_restart(tmp_path: Path) -> None:
    async def test() -> None:
        world = World(Hangs=effect(_never))
        async with world.open(sqlite(tmp_path)) as engine:
            run = await begin(engine, line(world, "Hangs"), limits=Limits(timeout=0.5))
            await when(engine, lambda event: event.topic == "node.started")
        async with world.open(sqlite(tmp_path)) as engine:
            state = await engine.wait(run.id, PATIENCE)
            assert (state.status, state.error) == (FAILED, "Graph execution exceeded 0.5s wall-clock cap")
            assert state.wall >= 0.5

    play(test())


def test_a_delayed_run_begins_at_its_time(tmp_path: Path) -> None:
    async def test() -> None:
        world = World(Flaky=effect(fails(0)))
        start_at = datetime.now(UTC) + timedelta(seconds=0.4)
        async with world.open(sqlite(tmp_path)) as engine:
            run = await begin(engine, line(world, "Flaky"), start_at=start_at)
            assert (await engine.get_graph_execution(run.id)).status is QUEUED
        async with world.open(sqlite(tmp_path)) as engine:
            state = await engine.wait(run.id, PATIENCE)
            assert state.status is COMPLETED
            assert state.started_at >= start_at.timestamp() * 1e6 - 1

    play(test())


def test_a_delayed_run_of_another_process_begins_in_the_owner(tmp_path: Path) -> None:
    async def test() -> None:
        world = World(Flaky=effect(fails(0)))
        async with (
            world.open(sqlite(tmp_path)) as owner,
            world.open(sqlite(tmp_path), candidate=False) as other,
        ):
            start_at = datetime.now(UTC) + timedelta(seconds=0.2)
            run = await begin(other, line(world, "Flaky"), start_at=start_at)
            state = await owner.wait(run.id, PATIENCE)
            assert state.started_at >= start_at.timestamp() * 1e6 - 1

    play(test())


def test_a_delayed_run_is_stopped_before_it_begins() -> None:
    async def test() -> None:
        world = World(Flaky=effect(fails(0)))
        async with world.open() as engine:
            later = datetime.now(UTC) + timedelta(days=400)
            run = await begin(engine, line(world, "Flaky"), start_at=later)
            state = await engine.stop_graph_execution(USER, run.id, PATIENCE)
            assert (state.status, state.started_at) == (TERMINATED, 0)

    play(test())


def test_a_start_time_needs_a_time_zone() -> None:
    async def test() -> None:
        world = World(Flaky=effect(fails(0)))
        async with world.open() as engine:
            with pytest.raises(StartTimeError, match="has no time zone"):
                await begin(engine, line(world, "Flaky"), start_at=datetime.now(UTC).replace(tzinfo=None))
            assert await engine.journal.unfinished() == []

    play(test())


def child_graph(world: World, kind: str) -> Graph:
    return world.graph(f"x:Input n:{kind} y:Output", "x.result > n.value", "n.out > y.value", called="child")


def parent_graph(world: World, child: Graph, **metadata: Any) -> Graph:
    links = ["x.result > a.x", "a.y > y.value"]
    if metadata.get("error_pin"):
        links.append("a.error > e.value")
    graph = world.graph(
        "x:Input a:Agent y:Output e:Output", *links, called="parent", sub_graphs=[child], a=agent(child)
    )
    return set_options(graph, "a", **metadata)


def test_a_sub_graph_over_its_nodes_time_limit_fails_visibly() -> None:
    async def test() -> None:
        world = World(Hangs=effect(_never))
        async with world.open() as engine:
            graph = parent_graph(world, child_graph(world, "Hangs"), timeout_seconds=0.2, error_pin=True)
            state = await finish(engine, graph)
            assert state.outputs == {
                "y": ["begun"],
                "e": ["Graph execution exceeded 0.2s wall-clock cap"],
            }
            assert (state.status, state.stats.node_error_count) == (COMPLETED, 1)

    play(test())


def test_a_link_from_an_agents_error_needs_the_option() -> None:
    async def test() -> None:
        world = World(Hangs=effect(_never))
        async with world.open() as engine:
            graph = parent_graph(world, child_graph(world, "Hangs"), error_pin=True)
            graph.node("a").metadata.clear()
            with pytest.raises(ValueError, match="`error` invalid, Allowed fields: y"):
                await begin(engine, graph)

    play(test())


def nested(world: World, depth: int) -> Graph:
    graph = child_graph(world, "Flaky")
    for level in range(depth):
        inner = graph
        graph = world.graph(
            "x:Input a:Agent y:Output",
            "x.result > a.x",
            "a.y > y.value",
            called=f"level{level}",
            sub_graphs=[inner, *inner.sub_graphs],
            a=agent(inner),
        )
        inner.sub_graphs = []
    return graph


PATIENT = Timing(grace=2.0, linger=1000.0, retry_after=0.02)
"""Nobody leaves memory because time has passed."""


def test_fifty_levels_of_sub_graphs_run_with_one_place() -> None:
    async def test() -> None:
        world = World(Flaky=effect(fails(0)))
        async with world.open(max_active=1, timing=PATIENT) as engine:
            state = await finish(engine, nested(world, 50))
            assert (state.status, state.outputs["y"][0]) == (COMPLETED, "begun")

    play(test())


def test_fifty_levels_go_on_after_a_restart_with_one_place(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Flaky=gate.block())
        async with world.open(sqlite(tmp_path)) as engine:
            run = await begin(engine, nested(world, 50))
            await gate.reached()
        gate.open()
        async with world.open(sqlite(tmp_path), max_active=1, timing=PATIENT) as engine:
            state = await engine.wait(run.id, PATIENCE)
            assert (state.status, state.outputs) == (COMPLETED, {"y": [7]})

    play(test())


def test_those_that_wait_make_room_for_those_that_run() -> None:
    async def test() -> None:
        world = World(Flaky=effect(fails(1)), Fine=effect(fails(0)))
        async with world.open(max_active=2, timing=PATIENT) as engine:
            waiting = [
                await begin(engine, line(world, "Flaky", retry={"initial_seconds": 1000})) for _ in range(5)
            ]
            state = await finish(engine, line(world, "Fine"))
            assert state.status is COMPLETED
            for run in waiting:
                await engine.stop_graph_execution(USER, run.id, PATIENCE)

    play(test())
