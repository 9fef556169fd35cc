"""Submitting, resuming and stopping, in every status."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.engine.kit import PATIENCE, USER, Gate, World, agent, begin, block, finish, play, pure, topics

from actbook.actors import Timing
from actbook.engine import Engine, EngineClosedError, NotFoundError, ResumeRefusedError
from actbook.engine.admission import add_graph_execution, stop_graph_execution
from actbook.events import ChildStarted, ExecutionCreated, ExecutionStatus, GraphExecution, Limits, NodeQueued
from actbook.graphs import Graph

S = ExecutionStatus
RUNNING, COMPLETED, FAILED, TERMINATED, REVIEW, QUEUED = (
    S.RUNNING,
    S.COMPLETED,
    S.FAILED,
    S.TERMINATED,
    S.REVIEW,
    S.QUEUED,
)


def boom(input: Any, context: Any) -> Any:
    yield from ()
    raise RuntimeError("boom")


class Situation:
    """An engine with one execution of the wanted status."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.world = World(Echo=pure(), Hold=self.gate.block())

    def line(self, block: str, pin: str = "value") -> Graph:
        return self.world.graph(f"x:Input a:{block}", f"x.result > a.{pin}", called=block)

    @asynccontextmanager
    async def of(self, status: ExecutionStatus) -> AsyncIterator[tuple[Engine, GraphExecution]]:
        async with self.world.open(max_active=1) as engine:
            yield engine, await getattr(self, f"_{status.lower()}")(engine)

    async def _completed(self, engine: Engine) -> GraphExecution:
        return await finish(engine, self.line("Echo"), inputs={"x": 1})

    async def _failed(self, engine: Engine) -> GraphExecution:
        looped = self.world.graph("x:Input a:Echo", "x.result > a.value", "a.out > a.value", called="loop")
        return await finish(engine, looped, inputs={"x": 1}, limits=Limits(node_executions=3))

    async def _running(self, engine: Engine) -> GraphExecution:
        run = await begin(engine, self.line("Hold"), inputs={"x": 1})
        await self.gate.reached()
        return await engine.get_graph_execution(run.id)

    async def _terminated(self, engine: Engine) -> GraphExecution:
        run = await self._running(engine)
        return await engine.stop_graph_execution(USER, run.id, PATIENCE)

    async def _review(self, engine: Engine) -> GraphExecution:
        return await finish(engine, self.line("Review", "data"), inputs={"x": 1})

    async def _queued(self, engine: Engine) -> GraphExecution:
        await self._running(engine)
        return await begin(engine, self.line("Echo"), inputs={"x": 1})


def test_a_submitted_run_is_recorded_then_queued() -> None:
    async def test() -> None:
        case = Situation()
        async with case.of(QUEUED) as (engine, run):
            assert run.status is QUEUED
            events = [each.payload for each in await engine.journal.read_stream(run.id)]
            assert isinstance(events[0], ExecutionCreated)
            assert (events[0].inputs, events[0].user_id) == ({"x": 1}, USER)
            assert isinstance(events[1], NodeQueued)
            assert events[1].data == {"name": "x", "value": 1}
            assert (await topics(engine, run.id))[-1] == "execution.queued"
            case.gate.open()
            assert (await engine.wait(run.id, PATIENCE)).status is COMPLETED

    play(test())


def test_masks_and_skips_are_part_of_what_is_recorded() -> None:
    async def test() -> None:
        case = Situation()
        async with case.world.open() as engine:
            run = await begin(engine, case.line("Echo"), nodes_input_masks={"x": {"value": 9}})
            created = (await engine.journal.read_stream(run.id))[0].payload
            assert isinstance(created, ExecutionCreated)
            assert created.masks == {"x": {"value": 9}}
            assert created.skip == ()

    play(test())


def test_the_calls_exist_as_functions_of_the_open_engine() -> None:
    async def test() -> None:
        case = Situation()
        async with case.world.open() as engine:
            await engine.save_graph(case.line("Hold"), USER)
            run = await add_graph_execution("Hold", USER, {"x": 1})
            await case.gate.reached()
            stopped = await stop_graph_execution(USER, run.id, PATIENCE)
            assert stopped.status is TERMINATED
            again = await add_graph_execution("Hold", USER, graph_exec_id=run.id)
            assert (again.id, again.status) == (run.id, QUEUED)
            case.gate.open()
            assert (await engine.wait(run.id, PATIENCE)).status is COMPLETED
        with pytest.raises(EngineClosedError):
            await stop_graph_execution(USER, run.id)

    play(test())


def test_resuming_what_is_not_there() -> None:
    async def test() -> None:
        case = Situation()
        async with case.of(COMPLETED) as (engine, run):
            for user, name in ((USER, "nowhere"), ("eve", run.id)):
                with pytest.raises(NotFoundError) as refused:
                    await engine.add_graph_execution("Echo", user, graph_exec_id=name)
                assert str(refused.value) == f"Graph execution #{name} not found."

    play(test())


@pytest.mark.parametrize("status", [RUNNING, COMPLETED, FAILED])
def test_a_refused_resume_tells_its_caller(status: ExecutionStatus) -> None:
    async def test() -> None:
        case = Situation()
        async with case.of(status) as (engine, run):
            before = await topics(engine, run.id)
            with pytest.raises(ResumeRefusedError) as refused:
                await engine.add_graph_execution("Echo", USER, graph_exec_id=run.id)
            assert refused.value.status is status
            assert status in str(refused.value)
            assert await topics(engine, run.id) == before

    play(test())


def test_a_parked_run_is_resumed_and_still_waits_for_its_reviewer() -> None:
    async def test() -> None:
        case = Situation()
        async with case.of(REVIEW) as (engine, run):
            resumed = await engine.add_graph_execution("Review", USER, graph_exec_id=run.id)
            assert (resumed.id, resumed.status) == (run.id, QUEUED)
            waiting = await engine.wait(run.id, PATIENCE)
            assert waiting.status is REVIEW
            [number] = waiting.reviews
            await engine.review(USER, f"{run.id}.{number}", True)
            assert (await engine.wait(run.id, PATIENCE)).status is COMPLETED

    play(test())


def test_many_resumes_dispatch_once() -> None:
    async def test() -> None:
        case = Situation()
        async with case.of(TERMINATED) as (engine, run):
            case.gate.open()
            calls = [engine.add_graph_execution("", USER, graph_exec_id=run.id) for _ in range(10)]
            answers = await asyncio.gather(*calls, return_exceptions=True)
            assert any(isinstance(answer, GraphExecution) for answer in answers)
            assert all(isinstance(answer, GraphExecution | ResumeRefusedError) for answer in answers)
            done = await engine.wait(run.id, PATIENCE)
            assert done.status is COMPLETED
            assert (await topics(engine, run.id)).count("execution.resumed") == 1
            assert case.gate.entered == 2

    play(test())


def test_a_resume_has_the_masks_of_its_run() -> None:
    async def test() -> None:
        case = Situation()
        async with case.world.open() as engine:
            masks = {"a": {"value": "masked"}}
            run = await begin(engine, case.line("Hold"), inputs={"x": 1}, nodes_input_masks=masks)
            await case.gate.reached()
            await engine.stop_graph_execution(USER, run.id, PATIENCE)
            case.gate.open()
            await engine.add_graph_execution("Hold", USER, graph_exec_id=run.id)
            done = await engine.wait(run.id, PATIENCE)
            assert done.masks == masks
            assert case.gate.values == ["masked", "masked"]

    play(test())


@pytest.mark.parametrize("status", [COMPLETED, FAILED, TERMINATED])
def test_stopping_what_is_over_changes_nothing(status: ExecutionStatus) -> None:
    async def test() -> None:
        case = Situation()
        async with case.of(status) as (engine, run):
            before = await engine.journal.last_position()
            for _ in range(2):
                stopped = await engine.stop_graph_execution(USER, run.id, PATIENCE)
                assert stopped.status is status
            assert await engine.journal.last_position() == before

    play(test())


@pytest.mark.parametrize("status", [QUEUED, RUNNING, REVIEW])
def test_stopping_what_goes_on(status: ExecutionStatus) -> None:
    async def test() -> None:
        case = Situation()
        async with case.of(status) as (engine, run):
            stopped = await engine.stop_graph_execution(USER, run.id, PATIENCE, reason="enough")
            assert (stopped.status, stopped.reason, stopped.actor) == (TERMINATED, "enough", USER)
            assert stopped.ended_at > 0
            assert stopped.outputs == {}
            names = await topics(engine, run.id)
            assert names.count("execution.terminated") == 1
            assert "node.failed" not in names
            again = await engine.stop_graph_execution(USER, run.id, PATIENCE)
            assert again.status is TERMINATED

    play(test())


def test_pending_reviews_are_rejected_by_a_stop() -> None:
    async def test() -> None:
        case = Situation()
        async with case.of(REVIEW) as (engine, run):
            await engine.stop_graph_execution(USER, run.id, PATIENCE)
            state = (await engine.history(run.id)).state()
            [review] = [each.review for each in state.node_executions.values() if each.review is not None]
            assert (review.approved, review.message) == (False, "Execution was stopped by user")

    play(test())


def test_whose_it_is_comes_first() -> None:
    async def test() -> None:
        case = Situation()
        async with case.of(RUNNING) as (engine, run):
            before = await engine.journal.last_position()
            for user, name in (("eve", run.id), (USER, "nowhere")):
                with pytest.raises(NotFoundError) as refused:
                    await engine.stop_graph_execution(user, name)
                assert str(refused.value) == f"Graph execution #{name} not found."
            assert await engine.journal.last_position() == before
            assert (await engine.get_graph_execution(run.id)).status is RUNNING
            case.gate.open()

    play(test())


def test_without_waiting_it_returns_at_once_and_the_run_never_starts() -> None:
    async def test() -> None:
        case = Situation()
        async with case.of(QUEUED) as (engine, run):
            await engine.stop_graph_execution(USER, run.id, wait_timeout=0)
            case.gate.open()
            done = await engine.wait(run.id, PATIENCE)
            assert done.status is TERMINATED
            assert not {"execution.started", "node.started"} & set(await topics(engine, run.id))

    play(test())


def _stubborn(entered: asyncio.Event, release: asyncio.Event) -> Any:
    """A body that does not hear that it should stop."""

    async def stubborn(input: Any, context: Any) -> AsyncIterator[tuple[str, Any]]:
        entered.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        yield "out", 1

    return stubborn


@pytest.mark.parametrize("patience", [0.05, 1.0])
def test_the_text_when_it_takes_too_long(patience: float) -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def test() -> None:
        world = World(Stubborn=block(_stubborn(entered, release)))
        async with world.open(timing=Timing(grace=30)) as engine:
            graph = world.graph("x:Input a:Stubborn", "x.result > a.value")
            run = await begin(engine, graph, inputs={"x": 1})
            await entered.wait()
            with pytest.raises(TimeoutError) as late:
                await engine.stop_graph_execution(USER, run.id, wait_timeout=patience)
            assert str(late.value) == (
                f"Graph execution #{run.id} will need to take longer than {patience} seconds to stop. "
                "You can check the status of the execution in the UI or try again later."
            )
            release.set()
            assert (await engine.wait(run.id, PATIENCE)).status is TERMINATED

    play(test())


def _nested(world: World, levels: int, block: str) -> Graph:
    graph = world.graph(
        f"x:Input a:{block} y:Output", "x.result > a.value", "a.out > y.value", called="level0"
    )
    for level in range(1, levels + 1):
        graph = world.graph(
            "x:Input g:Agent y:Output",
            "x.result > g.x",
            "g.y > y.value",
            called=f"level{level}",
            sub_graphs=[graph],
            g=agent(graph),
        )
    return graph


async def _tree(engine: Engine, execution_id: str) -> list[str]:
    """Ids of an execution and of all below it."""
    found = [execution_id]
    for each in found:
        events = await engine.journal.read_stream(each)
        found.extend(
            event.payload.execution_id for event in events if isinstance(event.payload, ChildStarted)
        )
    return found


def test_three_running_levels_stop_within_one_wait() -> None:
    async def test() -> None:
        case = Situation()
        async with case.world.open() as engine:
            run = await begin(engine, _nested(case.world, 2, "Hold"), inputs={"x": 1})
            await case.gate.reached()
            before = time.monotonic()
            await engine.stop_graph_execution(USER, run.id, wait_timeout=5)
            assert time.monotonic() - before < 5
            tree = await _tree(engine, run.id)
            assert len(tree) == 3
            for each in tree:
                assert (await engine.get_graph_execution(each)).status is TERMINATED
            assert case.gate.inside == 0

    play(test())


def test_a_child_that_will_not_stop_does_not_fail_the_stop(caplog: pytest.LogCaptureFixture) -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def test() -> None:
        world = World(Stubborn=block(_stubborn(entered, release)))
        async with world.open(timing=Timing(grace=30)) as engine:
            run = await begin(engine, _nested(world, 1, "Stubborn"), inputs={"x": 1})
            await entered.wait()
            stopped = await engine.stop_graph_execution(USER, run.id, wait_timeout=0.1)
            assert stopped.status is TERMINATED
            [_, child] = await _tree(engine, run.id)
            assert child in caplog.text
            assert (await engine.get_graph_execution(child)).status is RUNNING
            release.set()
            assert (await engine.wait(child, PATIENCE)).status is TERMINATED

    play(test())


def test_a_tree_stops_though_no_place_is_free() -> None:
    async def test() -> None:
        case = Situation()
        async with case.world.open(max_active=1) as engine:
            run = await begin(engine, _nested(case.world, 1, "Hold"), inputs={"x": 1})
            await case.gate.reached()
            others = [await begin(engine, case.line("Hold"), inputs={"x": 2}) for _ in range(3)]
            for each in (others[1], others[0], run):
                stopped = await engine.stop_graph_execution(USER, each.id, wait_timeout=5)
                assert stopped.status is TERMINATED
            await case.gate.reached(2)
            case.gate.open()
            assert (await engine.wait(others[2].id, PATIENCE)).status is COMPLETED
            assert case.gate.entered == 2

    play(test())


def test_without_cascade_the_children_are_left_alone() -> None:
    async def test() -> None:
        case = Situation()
        async with case.world.open() as engine:
            run = await begin(engine, _nested(case.world, 1, "Hold"), inputs={"x": 1})
            await case.gate.reached()
            await engine.stop_graph_execution(USER, run.id, PATIENCE, cascade=False)
            [_, child] = await _tree(engine, run.id)
            assert (await engine.get_graph_execution(child)).status is RUNNING
            case.gate.open()
            assert (await engine.wait(child, PATIENCE)).status is COMPLETED

    play(test())


def test_a_child_of_a_stopped_root_does_not_run_again() -> None:
    async def test() -> None:
        case = Situation()
        async with case.world.open() as engine:
            run = await begin(engine, _nested(case.world, 1, "Hold"), inputs={"x": 1})
            await case.gate.reached()
            await engine.stop_graph_execution(USER, run.id, PATIENCE)
            [_, child] = await _tree(engine, run.id)
            with pytest.raises(ResumeRefusedError):
                await engine.add_graph_execution("level0", USER, graph_exec_id=child)
            assert case.gate.entered == 1

    play(test())
