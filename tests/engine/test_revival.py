"""Executions that were over go on: resumed as they were, or retried from what already succeeded."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import (
    PATIENCE,
    USER,
    AsyncPairs,
    Gate,
    World,
    agent,
    begin,
    effect,
    finish,
    play,
    sqlite,
    topics,
    when,
)

from actbook.engine import Engine, NotFoundError, ResumeRefusedError, RetryRefusedError
from actbook.events import (
    ExecutionStatus,
    GraphExecution,
    Limits,
    NodeRetried,
    NodeStarted,
    ResumeRequested,
    RetryRequested,
)
from actbook.graphs import Graph

S = ExecutionStatus


class Flaky:
    """A body that fails until it is mended, and counts its runs by value. What it yields first is `before`."""

    def __init__(self, *before: Any) -> None:
        self.broken = True
        self.before = before
        self.runs: Counter[Any] = Counter()

    async def run(self, input: Any, context: Any) -> AsyncPairs:
        self.runs[input.value] += 1
        for value in self.before:
            yield "out", value
        if self.broken:
            raise ValueError("not yet")
        yield "out", input.value


def flaky_world(*before: Any, **blocks: Any) -> tuple[Flaky, World]:
    flaky = Flaky(*before)
    return flaky, World(Flaky=effect(flaky.run), Echo=effect(), **blocks)


def chain(world: World) -> Graph:
    """x → e → f → g → y, where f is flaky."""
    return world.graph(
        "x:Input e:Echo f:Flaky g:Echo y:Output",
        "x.result > e.value",
        "e.out > f.value",
        "f.out > g.value",
        "g.out > y.value",
    )


def held(gate: Gate, **blocks: Any) -> tuple[World, Graph]:
    world = World(Hold=gate.block(), Echo=effect(), **blocks)
    graph = world.graph(
        "x:Input e:Echo h:Hold y:Output", "x.result > e.value", "e.out > h.value", "h.out > y.value"
    )
    return world, graph


async def stopped(engine: Engine, gate: Gate, graph: Graph, **options: Any) -> GraphExecution:
    """An execution that was stopped while its body stood at the gate."""
    run = await begin(engine, graph, inputs={"x": 7}, **options)
    await gate.reached()
    return await engine.stop_graph_execution(USER, run.id)


async def attempts(engine: Engine, execution_id: str) -> dict[int, int]:
    """Number → attempts that began."""
    started = [e.payload for e in await engine.journal.read_stream(execution_id)]
    return dict(Counter(each.node_exec for each in started if isinstance(each, NodeStarted)))


# -- resume ----------------------------------------------------------------------------------------------------------


def test_a_terminated_execution_is_resumed_where_it_was() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await stopped(engine, gate, graph)
            assert run.status is S.TERMINATED
            gate.open()
            resumed = await engine.resume(USER, run.id)
            assert (resumed.id, resumed.status) == (run.id, S.QUEUED)
            done = await engine.wait(run.id, PATIENCE)
            assert (done.status, done.outputs, done.reason) == (S.COMPLETED, {"y": [7]}, "")
            assert await attempts(engine, run.id) == {1: 1, 2: 1, 3: 2, 4: 1}
            assert (await engine.history(run.id)).verify() == []
            assert await engine.journal.unfinished() == []

    play(test())


def test_submitting_with_an_execution_id_resumes_it() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await stopped(engine, gate, graph)
            gate.open()
            resumed = await engine.add_graph_execution(graph.id, USER, graph_exec_id=run.id)
            assert resumed.id == run.id
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [7]}

    play(test())


def test_masks_and_skip_set_are_those_of_the_beginning() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await stopped(engine, gate, graph, nodes_input_masks={"h": {"value": "masked"}})
            gate.open()
            await engine.resume(USER, run.id)
            done = await engine.wait(run.id, PATIENCE)
            assert done.outputs == {"y": ["masked"]}
            assert gate.values == ["masked", "masked"]

    play(test())


def test_many_resumes_at_once_dispatch_once(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        url = sqlite(tmp_path)
        async with world.open(url) as engine, world.open(url) as other:
            run = await stopped(engine, gate, graph)
            gate.open()
            asked = (each.resume(USER, run.id) for each in [engine, other] * 10)
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert all(isinstance(each, (GraphExecution, ResumeRefusedError)) for each in answers)
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [7]}
            assert (await topics(engine, run.id)).count("execution.resumed") == 1
            assert gate.entered == 2

    play(test())


def test_a_resume_that_came_too_late_does_not_begin_another_round() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await stopped(engine, gate, graph)
            seen = (await engine.get_graph_execution(run.id)).version
            await engine.resume(USER, run.id)
            await gate.reached(2)
            await engine.stop_graph_execution(USER, run.id)
            state = await engine.get_graph_execution(run.id)
            await engine._host.executions.revive(state, ResumeRequested(USER, "", seen))
            again = await engine.wait(run.id, PATIENCE)
            assert again.status is S.TERMINATED
            assert gate.entered == 2
            assert await engine.journal.unfinished() == []

    play(test())


def test_unknown_and_foreign_executions_are_not_found() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await stopped(engine, gate, graph)
            position = await engine.journal.last_position()
            for user, execution in (("bob", run.id), (USER, "nobody")):
                message = f"Graph execution #{execution} not found."
                for ask in (engine.resume, engine.retry):
                    with pytest.raises(NotFoundError) as caught:
                        await ask(user, execution)
                    assert str(caught.value) == message
                with pytest.raises(NotFoundError):
                    await engine.fork(execution, user_id=user)
                with pytest.raises(NotFoundError):
                    await engine.add_graph_execution(graph.id, user, graph_exec_id=execution)
            assert await engine.journal.last_position() == position

    play(test())


def test_a_refused_resume_says_the_status_and_what_to_do() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            with pytest.raises(ResumeRefusedError, match="is RUNNING and can't be resumed") as running:
                await engine.resume(USER, run.id)
            assert running.value.status is S.RUNNING
            gate.open()
            await engine.wait(run.id, PATIENCE)
            with pytest.raises(ResumeRefusedError, match=r"is COMPLETED .* fork it"):
                await engine.resume(USER, run.id)
            failed = await finish(engine, graph, inputs={"x": 1}, limits=Limits(node_executions=2))
            with pytest.raises(ResumeRefusedError, match=r"is FAILED .* retry or fork it"):
                await engine.resume(USER, failed.id)

    play(test())


def test_resuming_what_is_queued_changes_nothing_and_answers_the_same(tmp_path: Path) -> None:
    async def test() -> None:
        world, graph = held(Gate())
        async with world.open(sqlite(tmp_path), candidate=False) as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            before = await engine.journal.last_position()
            for _ in range(2):
                again = await engine.resume(USER, run.id)
                assert (again.id, again.status) == (run.id, S.QUEUED)
            assert await engine.journal.last_position() == before

    play(test())


def test_a_request_while_nobody_owns_the_store_is_found_by_the_next_owner(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        flaky = Flaky()
        world, graph = held(gate, Flaky=effect(flaky.run))
        other = chain(world)
        other.id = "other"
        url = sqlite(tmp_path)
        async with world.open(url) as engine:
            run = await stopped(engine, gate, graph)
            failed = await finish(engine, other, inputs={"x": 3})
        gate.open()
        flaky.broken = False
        async with world.open(url, candidate=False) as guest:
            await guest.resume(USER, run.id)
            await guest.retry(USER, failed.id)
            assert set(await guest.journal.unfinished()) == {run.id, failed.id}
        async with world.open(url) as engine:
            done = [await engine.wait(each.id, PATIENCE) for each in (run, failed)]
            assert [each.outputs for each in done] == [{"y": [7]}, {"y": [3]}]
            assert await engine.journal.unfinished() == []

    play(test())


def test_a_stop_after_a_resume_that_nobody_heard_wins(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        url = sqlite(tmp_path)
        async with world.open(url) as engine:
            run = await stopped(engine, gate, graph)
        async with world.open(url, candidate=False) as guest:
            await guest.resume(USER, run.id)
            await guest.stop_graph_execution(USER, run.id, 0)
        async with world.open(url) as engine:
            state = await engine.stop_graph_execution(USER, run.id)
            assert state.status is S.TERMINATED
            assert gate.entered == 1
            names = await topics(engine, run.id)
            assert (names.count("execution.resumed"), names.count("execution.terminated")) == (1, 2)

    play(test())


def test_an_execution_in_review_is_resumed_and_waits_again() -> None:
    async def test() -> None:
        world = World()
        graph = world.graph("x:Input r:Review y:Output", "x.result > r.data", "r.approved_data > y.value")
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1})
            assert run.status is S.REVIEW
            assert (await engine.resume(USER, run.id)).status is S.QUEUED
            again = await engine.wait(run.id, PATIENCE)
            assert (again.status, list(again.reviews)) == (S.REVIEW, [2])
            await engine.review(USER, f"{run.id}.2", approved=True)
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [1]}

    play(test())


def test_a_stopped_review_is_asked_again_after_a_resume() -> None:
    async def test() -> None:
        world = World()
        graph = world.graph("x:Input r:Review y:Output", "x.result > r.data", "r.approved_data > y.value")
        async with world.open() as engine:
            run = await finish(engine, graph, inputs={"x": 1})
            assert (await engine.stop_graph_execution(USER, run.id)).status is S.TERMINATED
            await engine.resume(USER, run.id)
            assert (await engine.wait(run.id, PATIENCE)).status is S.REVIEW
            await engine.review(USER, f"{run.id}.2", approved=True)
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [1]}

    play(test())


def test_a_crash_after_a_resume_goes_on_in_the_next_owner(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        url = sqlite(tmp_path)
        async with world.open(url) as engine:
            run = await stopped(engine, gate, graph)
            await engine.resume(USER, run.id)
            await gate.reached(2)
        gate.open()
        async with world.open(url) as engine:
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [7]}
            assert (await attempts(engine, run.id))[3] == 3

    play(test())


def nested(world: World) -> Graph:
    child = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value", called="child")
    return world.graph(
        "x:Input a:Agent y:Output",
        "x.result > a.x",
        "a.y > y.value",
        called="parent",
        sub_graphs=[child],
        a=agent(child),
    )


def test_a_sub_graph_whose_root_is_terminated_never_runs() -> None:
    async def test() -> None:
        gate = Gate()
        world, _ = held(gate)
        async with world.open() as engine:
            run = await stopped(engine, gate, nested(world))
            (child,) = (n.child_id for n in run.node_executions.values() if n.child_id)
            for ask in (engine.resume, engine.retry):
                with pytest.raises(
                    (ResumeRefusedError, RetryRefusedError), match=r"its root .* is TERMINATED"
                ):
                    await ask(USER, child)
            # Also when the request is older than the stop of the root.
            state = await engine.get_graph_execution(child)
            for message in (ResumeRequested(USER), RetryRequested(USER)):
                await engine._host.executions.revive(state, message)
            assert (await engine.wait(child, PATIENCE)).status is S.TERMINATED
            assert gate.entered == 1
            assert await engine.journal.unfinished() == []
            gate.open()
            await engine.resume(USER, run.id)
            done = await engine.wait(run.id, PATIENCE)
            assert done.outputs == {"y": [7]}
            assert (await engine.get_graph_execution(child)).status is S.TERMINATED

    play(test())


def test_the_time_limit_counts_from_the_resume() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1}, limits=Limits(timeout=0.15))
            failed = await engine.wait(run.id, PATIENCE)
            assert failed.status is S.FAILED
            gate.open()
            await engine.retry(USER, run.id)
            done = await engine.wait(run.id, PATIENCE)
            assert (done.status, done.outputs, done.error) == (S.COMPLETED, {"y": [1]}, "")

    play(test())


# -- retry -----------------------------------------------------------------------------------------------------------


def test_only_what_failed_runs_again() -> None:
    async def test() -> None:
        flaky, world = flaky_world()
        async with world.open() as engine:
            run = await finish(engine, chain(world), inputs={"x": 3})
            assert (run.status, run.outputs, run.stats.node_error_count) == (S.COMPLETED, {}, 1)
            flaky.broken = False
            again = await engine.retry(USER, run.id)
            assert (again.id, again.status, again.attempt) == (run.id, S.QUEUED, 2)
            done = await engine.wait(run.id, PATIENCE)
            assert (done.status, done.outputs, done.attempt) == (S.COMPLETED, {"y": [3]}, 2)
            assert flaky.runs == {3: 2}
            assert await attempts(engine, run.id) == {1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1}
            assert (done.stats.node_exec_count, done.stats.node_error_count) == (6, 1)
            history = await engine.history(run.id)
            assert history.verify() == []
            (retried,) = (e.payload for e in history.events if isinstance(e.payload, NodeRetried))
            assert (retried.node_exec, retried.retry_of, retried.data) == (4, 3, {"value": 3})
            nodes = history.state().node_executions
            assert (nodes[3].status, nodes[4].status, nodes[4].retry_of) == (S.FAILED, S.COMPLETED, 3)
            assert await engine.journal.unfinished() == []
            with pytest.raises(RetryRefusedError, match="nothing of it failed"):
                await engine.retry(USER, run.id)

    play(test())


def test_a_retry_that_fails_can_be_retried_and_runs_the_newest_only() -> None:
    async def test() -> None:
        flaky, world = flaky_world()
        async with world.open() as engine:
            run = await finish(engine, chain(world), inputs={"x": 3})
            for attempt in (2, 3):
                await engine.retry(USER, run.id)
                assert (await engine.wait(run.id, PATIENCE)).attempt == attempt
            flaky.broken = False
            await engine.retry(USER, run.id)
            done = await engine.wait(run.id, PATIENCE)
            assert (done.attempt, done.outputs, flaky.runs) == (4, {"y": [3]}, {3: 4})
            nodes = (await engine.history(run.id)).state().node_executions
            assert [n.retry_of for n in nodes.values() if n.node_id == "f"] == [0, 3, 4, 5]

    play(test())


def test_many_retries_at_once_act_once(tmp_path: Path) -> None:
    async def test() -> None:
        flaky, world = flaky_world()
        url = sqlite(tmp_path)
        async with world.open(url) as engine, world.open(url) as other:
            run = await finish(engine, chain(world), inputs={"x": 3})
            asked = (each.retry(USER, run.id) for each in [engine, other] * 10)
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert all(isinstance(each, (GraphExecution, RetryRefusedError)) for each in answers)
            state = await engine.wait(run.id, PATIENCE)
            # Whoever read the state of the second attempt's end asked for a third one.
            retried = (await topics(engine, run.id)).count("execution.retried")
            assert retried == state.attempt - 1 == flaky.runs[3] - 1
            assert retried < 3

    play(test())


def test_a_retry_from_another_process_is_done_by_the_owner(tmp_path: Path) -> None:
    async def test() -> None:
        flaky, world = flaky_world()
        url = sqlite(tmp_path)
        async with world.open(url) as engine, world.open(url, candidate=False) as guest:
            run = await finish(engine, chain(world), inputs={"x": 3})
            flaky.broken = False
            await guest.retry(USER, run.id)
            done = await guest.wait(run.id, PATIENCE)
            assert (done.outputs, done.worker) == ({"y": [3]}, engine.owner.worker_id)

    play(test())


def test_what_was_yielded_before_the_failure_is_not_recorded_again() -> None:
    async def test() -> None:
        flaky, world = flaky_world("first", "second")
        async with world.open() as engine:
            run = await finish(engine, chain(world), inputs={"x": 3})
            assert run.outputs == {"y": ["first", "second"]}
            flaky.broken = False
            await engine.retry(USER, run.id)
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": ["first", "second", 3]}

    play(test())


def test_a_failed_execution_goes_on_from_what_had_succeeded() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 5}, limits=Limits(timeout=0.1))
            failed = await engine.wait(run.id, PATIENCE)
            assert (failed.status, failed.error) == (S.FAILED, "Graph execution exceeded 0.1s wall-clock cap")
            gate.open()
            await engine.retry(USER, run.id)
            done = await engine.wait(run.id, PATIENCE)
            assert (done.status, done.outputs, done.error, done.reason) == (S.COMPLETED, {"y": [5]}, "", "")
            # What was stopped goes on as the same node execution, under the same key.
            assert await attempts(engine, run.id) == {1: 1, 2: 1, 3: 2, 4: 1}

    play(test())


def test_a_terminated_execution_is_retried_with_what_failed_before_the_stop() -> None:
    async def test() -> None:
        gate = Gate()
        flaky, world = flaky_world(Hold=gate.block())
        graph = world.graph(
            "x:Input f:Flaky h:Hold y:Output z:Output",
            "x.result > f.value",
            "x.result > h.value",
            "f.out > y.value",
            "h.out > z.value",
        )
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 5})
            await gate.reached()
            await when(engine, lambda event: event.topic == "node.failed")
            await engine.stop_graph_execution(USER, run.id)
            gate.open()
            flaky.broken = False
            await engine.retry(USER, run.id)
            done = await engine.wait(run.id, PATIENCE)
            assert (done.status, done.outputs) == (S.COMPLETED, {"y": [5], "z": [5]})

    play(test())


def test_a_sub_graph_that_failed_is_begun_anew() -> None:
    async def test() -> None:
        gate = Gate()
        world, _ = held(gate)
        graph = nested(world)
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 5})
            await gate.reached()
            (child,) = (
                n.child_id
                for n in (await engine.get_graph_execution(run.id)).node_executions.values()
                if n.child_id
            )
            await engine.stop_graph_execution(USER, child)
            done = await engine.wait(run.id, PATIENCE)
            assert (done.status, done.outputs) == (S.COMPLETED, {})
            gate.open()
            await engine.retry(USER, run.id)
            again = await engine.wait(run.id, PATIENCE)
            assert (again.status, again.outputs) == (S.COMPLETED, {"y": [5]})

    play(test())


def test_a_refused_retry_says_why() -> None:
    async def test() -> None:
        gate = Gate()
        world, graph = held(gate)
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            with pytest.raises(RetryRefusedError, match=r"is RUNNING .* wait for its end"):
                await engine.retry(USER, run.id)
            gate.open()
            await engine.wait(run.id, PATIENCE)
            with pytest.raises(RetryRefusedError, match=r"is COMPLETED .* nothing of it failed"):
                await engine.retry(USER, run.id)
            bounded = await finish(engine, graph, inputs={"x": 1}, limits=Limits(node_executions=2))
            with pytest.raises(RetryRefusedError, match="fork it with a higher bound"):
                await engine.retry(USER, bounded.id)

    play(test())


def test_a_retry_survives_a_crash(tmp_path: Path) -> None:
    async def test() -> None:
        gate = Gate()
        flaky, world = flaky_world(Hold=gate.block())
        graph = world.graph(
            "x:Input f:Flaky h:Hold y:Output", "x.result > f.value", "f.out > h.value", "h.out > y.value"
        )
        url = sqlite(tmp_path)
        async with world.open(url) as engine:
            run = await finish(engine, graph, inputs={"x": 5})
            flaky.broken = False
            await engine.retry(USER, run.id)
            await gate.reached()
        gate.open()
        async with world.open(url) as engine:
            done = await engine.wait(run.id, PATIENCE)
            assert (done.outputs, done.attempt, flaky.runs) == ({"y": [5]}, 2, {5: 2})

    play(test())
