"""Forks: executions that share the past of another one up to some point, and go their own way from there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import (
    PATIENCE,
    USER,
    AsyncPairs,
    Gate,
    World,
    begin,
    effect,
    finish,
    play,
    sqlite,
    topics,
)
from tests.engine.test_revival import attempts, chain, flaky_world, nested

from actbook.engine import Engine, ForkRefusedError
from actbook.events import ExecutionCreated, ExecutionStatus, GraphExecution, Limits, Origin
from actbook.graphs import Graph
from actbook.journal import UnencodableError

S = ExecutionStatus


class Counting:
    """A body that passes its value on, and remembers for which executions and values it ran."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, Any]] = []

    async def run(self, input: Any, context: Any) -> AsyncPairs:
        self.runs.append((context.graph_exec_id, input.value))
        yield "out", input.value


def counted() -> tuple[Counting, World, Graph]:
    counting = Counting()
    world = World(Count=effect(counting.run))
    graph = world.graph(
        "x:Input a:Count b:Count c:Count y:Output",
        "x.result > a.value",
        "a.out > b.value",
        "b.out > c.value",
        "c.out > y.value",
    )
    return counting, world, graph


async def payloads(engine: Engine, execution_id: str) -> list[Any]:
    return [event.payload for event in await engine.journal.read_stream(execution_id)]


def test_a_fork_at_the_end_has_the_whole_past_and_runs_nothing_again() -> None:
    async def test() -> None:
        counting, world, graph = counted()
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1})
            before = await engine.journal.read_stream(run.id)
            fork = await engine.fork(run.id, user_id=USER)
            assert (fork.status, fork.user_id, fork.outputs) == (S.QUEUED, USER, {"y": [1]})
            assert fork.origin == Origin(run.id, len(before) - 1)
            done = await engine.wait(fork.id, PATIENCE)
            assert (done.status, done.outputs, done.stats.node_exec_count) == (S.COMPLETED, {"y": [1]}, 5)
            assert [execution for execution, _ in counting.runs] == [run.id] * 3
            # The origin stays as it is; the same events stand under the same versions.
            assert await engine.journal.read_stream(run.id) == before
            copied = await engine.journal.read_stream(fork.id)
            assert [e.payload for e in copied[1 : len(before) - 1]] == [e.payload for e in before[1:-1]]
            assert [(e.at, e.cause) for e in copied[: len(before) - 1]] == [
                (e.at, e.cause) for e in before[:-1]
            ]
            assert copied[len(before) - 1].topic == "execution.forked"
            assert (await engine.history(fork.id)).verify() == []

    play(test())


def test_a_fork_from_every_position_comes_to_the_same_end() -> None:
    async def test() -> None:
        counting, world, graph = counted()
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1})
            head = len(await engine.journal.read_stream(run.id))
            for position in range(1, head + 1):
                counting.runs.clear()
                fork = await engine.fork(run.id, position, user_id=USER)
                done = await engine.wait(fork.id, PATIENCE)
                assert (done.status, done.outputs) == (S.COMPLETED, {"y": [1]}), position
                assert done.stats.node_exec_count == 5
                assert len(counting.runs) <= 3
                assert (await engine.history(fork.id)).verify() == []
            assert await engine.journal.unfinished() == []

    play(test())


def test_edited_inputs_begin_from_the_start() -> None:
    async def test() -> None:
        counting, world, graph = counted()
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1})
            fork = await engine.fork(run.id, inputs={"x": 2}, user_id=USER)
            done = await engine.wait(fork.id, PATIENCE)
            assert (done.outputs, done.inputs) == ({"y": [2]}, {"x": 2})
            assert counting.runs[3:] == [(fork.id, 2)] * 3
            assert (await engine.get_graph_execution(run.id)).inputs == {"x": 1}

    play(test())


def test_an_input_that_was_used_can_be_edited_no_more_and_the_refusal_tells_until_when() -> None:
    async def test() -> None:
        _, world, graph = counted()
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1})
            head = len(await engine.journal.read_stream(run.id))
            with pytest.raises(ForkRefusedError, match="used before") as caught:
                await engine.fork(run.id, head, {"x": 2}, user_id=USER)
            assert (caught.value.graph_exec_id, caught.value.position) == (run.id, head)
            usable = caught.value.usable
            assert usable is not None
            assert str(usable) in str(caught.value)
            fork = await engine.fork(run.id, usable, {"x": 2}, user_id=USER)
            assert (await engine.wait(fork.id, PATIENCE)).outputs == {"y": [2]}
            with pytest.raises(ForkRefusedError):
                await engine.fork(run.id, usable + 3, {"x": 2}, user_id=USER)

    play(test())


def test_positions_outside_the_history_are_refused() -> None:
    async def test() -> None:
        _, world, graph = counted()
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1})
            position = await engine.journal.last_position()
            for wrong in (0, -1, 10_000):
                with pytest.raises(ForkRefusedError, match="its history goes from 1 to"):
                    await engine.fork(run.id, wrong, user_id=USER)
            with pytest.raises(ForkRefusedError, match="node execution 99 is not queued"):
                await engine.fork(run.id, data={99: {"value": 1}}, user_id=USER)
            assert await engine.journal.last_position() == position

    play(test())


def test_an_input_that_can_not_be_recorded_is_refused_and_nothing_is_recorded() -> None:
    async def test() -> None:
        _, world, graph = counted()
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1})
            position = await engine.journal.last_position()
            with pytest.raises(UnencodableError):
                await engine.fork(run.id, inputs={"x": {"a": object}}, user_id=USER)
            assert await engine.journal.last_position() == position

    play(test())


def test_the_data_of_a_queued_node_execution_can_be_edited() -> None:
    async def test() -> None:
        counting, world, graph = counted()
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1})
            fork = await engine.fork(run.id, data={3: {"value": "edited"}}, user_id=USER)
            done = await engine.wait(fork.id, PATIENCE)
            assert done.outputs == {"y": ["edited"]}
            assert [value for execution, value in counting.runs if execution == fork.id] == ["edited"] * 2

    play(test())


def test_what_was_running_runs_as_a_new_attempt_and_the_origin_goes_on() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            fork = await engine.fork(run.id, user_id=USER)
            await gate.reached(2)
            gate.open()
            for each in (run, fork):
                assert (await engine.wait(each.id, PATIENCE)).outputs == {"y": [1]}
            assert await attempts(engine, fork.id) == {1: 1, 2: 2, 3: 1}
            assert await attempts(engine, run.id) == {1: 1, 2: 1, 3: 1}

    play(test())


def test_a_fork_of_a_stopped_execution_goes_on_where_it_was_stopped() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            await engine.stop_graph_execution(USER, run.id)
            gate.open()
            fork = await engine.fork(run.id, user_id=USER)
            done = await engine.wait(fork.id, PATIENCE)
            assert (done.status, done.outputs, done.reason) == (S.COMPLETED, {"y": [1]}, "")
            assert (await engine.get_graph_execution(run.id)).status is S.TERMINATED
            assert (await engine.history(fork.id)).verify() == []

    play(test())


def test_a_fork_can_be_stopped_at_once_and_does_not_wait_for_the_children_of_its_origin() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        async with world.open() as engine:
            run = await begin(engine, nested(world), inputs={"x": 1})
            await gate.reached()
            fork = await engine.fork(run.id, user_id=USER)
            await gate.reached(2)
            stopped = await engine.stop_graph_execution(USER, fork.id, 5)
            assert stopped.status is S.TERMINATED
            gate.open()
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [1]}

    play(test())


def test_a_running_sub_graph_is_begun_anew_in_a_fork() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        async with world.open() as engine:
            run = await begin(engine, nested(world), inputs={"x": 1})
            await gate.reached()
            fork = await engine.fork(run.id, user_id=USER)
            await gate.reached(2)
            gate.open()
            done = [await engine.wait(each.id, PATIENCE) for each in (run, fork)]
            assert [each.outputs for each in done] == [{"y": [1]}, {"y": [1]}]
            children = [e for e in await payloads(engine, fork.id) if e.TOPIC == "child.started"]
            assert len({child.execution_id for child in children}) == 2
            tree = await engine.get_graph_execution(children[-1].execution_id)
            assert tree.parent is not None
            assert (tree.parent.execution_id, tree.root_id) == (fork.id, fork.id)

    play(test())


def test_a_fork_of_a_sub_graphs_execution_stands_on_its_own() -> None:
    async def test() -> None:
        gate = Gate()
        gate.open()
        world = World(Hold=gate.block())
        async with world.open() as engine:
            run = await finish(engine, nested(world), inputs={"x": 1})
            started = next(e for e in await payloads(engine, run.id) if e.TOPIC == "child.started")
            fork = await engine.fork(started.execution_id, inputs={"x": 2}, user_id=USER)
            done = await engine.wait(fork.id, PATIENCE)
            assert (done.parent, done.root_id, done.outputs) == (None, None, {"y": [2]})
            assert (await engine.get_graph_execution(run.id)).outputs == {"y": [1]}

    play(test())


def test_a_pending_review_is_pending_in_the_fork_too() -> None:
    async def test() -> None:
        world = World()
        graph = world.graph(
            "x:Input r:Review yes:Output no:Output",
            "x.result > r.data",
            "r.approved_data > yes.value",
            "r.rejected_data > no.value",
        )
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1})
            fork = await engine.fork(run.id, user_id=USER)
            assert (await engine.wait(fork.id, PATIENCE)).status is S.REVIEW
            await engine.review(USER, f"{fork.id}.2", approved=False)
            await engine.review(USER, f"{run.id}.2", approved=True)
            assert (await engine.wait(fork.id, PATIENCE)).outputs == {"no": [1]}
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"yes": [1]}

    play(test())


def test_messages_that_the_origin_handled_do_not_count_for_the_fork() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            for entered in (1, 2, 3):
                await gate.reached(entered)
                await engine.stop_graph_execution(USER, run.id)
                await engine.resume(USER, run.id)
            await gate.reached(4)
            fork = await engine.fork(run.id, user_id=USER)
            await gate.reached(5)
            assert (await engine.stop_graph_execution(USER, fork.id)).status is S.TERMINATED
            gate.open()

    play(test())


def test_a_run_that_exceeded_its_bound_goes_on_as_a_fork_with_a_higher_one() -> None:
    async def test() -> None:
        counting, world, graph = counted()
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1}, limits=Limits(node_executions=3))
            assert (run.status, len(counting.runs)) == (S.FAILED, 2)
            fork = await engine.fork(run.id, user_id=USER, limits=Limits(node_executions=100))
            done = await engine.wait(fork.id, PATIENCE)
            assert (done.status, done.outputs, done.limits.node_executions) == (S.COMPLETED, {"y": [1]}, 100)
            # The step whose outputs were not kept runs again.
            assert [execution for execution, _ in counting.runs[2:]] == [fork.id] * 2

    play(test())


def test_a_fork_is_retried_like_any_execution() -> None:
    async def test() -> None:
        flaky, world = flaky_world()
        async with world.open() as engine:
            run = await finish(engine, chain(world), inputs={"x": 3})
            fork = await engine.fork(run.id, user_id=USER)
            await engine.wait(fork.id, PATIENCE)
            flaky.broken = False
            await engine.retry(USER, fork.id)
            assert (await engine.wait(fork.id, PATIENCE)).outputs == {"y": [3]}
            again = await engine.fork(fork.id, inputs={"x": 4}, user_id=USER)
            done = await engine.wait(again.id, PATIENCE)
            assert (done.outputs, done.attempt) == ({"y": [4]}, 1)
            assert done.origin is not None
            assert done.origin.execution_id == fork.id
            assert (await engine.get_graph_execution(run.id)).outputs == {}

    play(test())


def test_a_guest_forks_and_the_owner_runs_it(tmp_path: Path) -> None:
    async def test() -> None:
        _, world, graph = counted()
        url = sqlite(tmp_path)
        async with world.open(url) as engine, world.open(url, candidate=False) as guest:
            run = await finish(engine, graph, inputs={"x": 1})
            fork = await guest.fork(run.id, inputs={"x": 2}, user_id=USER)
            done = await guest.wait(fork.id, PATIENCE)
            assert (done.outputs, done.worker) == ({"y": [2]}, engine.owner.worker_id)

    play(test())


def test_big_values_of_the_past_are_there_in_the_fork(tmp_path: Path) -> None:
    async def test() -> None:
        _, world, graph = counted()
        big = "x" * 200_000
        async with world.open(sqlite(tmp_path)) as engine:
            run = await finish(engine, graph, inputs={"x": big})
            fork = await engine.fork(run.id, user_id=USER)
            assert (await engine.wait(fork.id, PATIENCE)).outputs == {"y": [big]}

    play(test())


def test_usage_of_the_past_counts_for_the_origin_only() -> None:
    async def test() -> None:
        _, world, graph = counted()
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1})
            fork = await engine.fork(run.id, user_id=USER)
            done = await engine.wait(fork.id, PATIENCE)
            assert run.stats.node_wall > 0
            assert (done.stats.node_wall, done.stats.node_cpu, done.stats.cost) == (0.0, 0.0, 0.0)
            await engine.catch_up()
            rows = {row.id: row for row in await engine.queries.executions(user_id=USER)}
            assert rows[run.id].node_wall == run.stats.node_wall
            assert (rows[fork.id].node_wall, rows[fork.id].node_exec_count) == (0.0, 5)
            assert rows[fork.id].created_at > rows[run.id].created_at

    play(test())


def test_history_of_a_fork_reaches_into_the_past_of_its_origin() -> None:
    async def test() -> None:
        _, world, graph = counted()
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1})
            fork = await engine.fork(run.id, user_id=USER)
            await engine.wait(fork.id, PATIENCE)
            history = await engine.history(fork.id)
            early: GraphExecution = history.state(at=history.events[6].recorded_at)
            assert early.id == fork.id
            created = history.events[0].payload
            assert isinstance(created, ExecutionCreated)
            assert created.origin is not None
            assert (await topics(engine, fork.id)).count("execution.created") == 1
            assert early.stats.node_exec_count < 5

    play(test())


def test_many_forks_at_once() -> None:
    async def test() -> None:
        _, world, graph = counted()
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1})
            forks = await asyncio.gather(
                *(engine.fork(run.id, inputs={"x": n}, user_id=USER) for n in range(20))
            )
            for n, fork in enumerate(forks):
                assert (await engine.wait(fork.id, PATIENCE)).outputs == {"y": [n]}
            assert len({fork.id for fork in forks}) == 20

    play(test())
