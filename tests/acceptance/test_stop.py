"""Stopping, in every status."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.acceptance.situations import Situation, nested, tree
from tests.engine.kit import (
    PATIENCE,
    USER,
    World,
    begin,
    block,
    play,
    topics,
)

from actbook.actors import Timing
from actbook.engine import NotFoundError, ResumeRefusedError
from actbook.events import (
    ExecutionStatus,
)

S = ExecutionStatus
RUNNING, COMPLETED, FAILED, TERMINATED, REVIEW, QUEUED = (
    S.RUNNING,
    S.COMPLETED,
    S.FAILED,
    S.TERMINATED,
    S.REVIEW,
    S.QUEUED,
)


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


def test_three_running_levels_stop_within_one_wait() -> None:
    async def test() -> None:
        case = Situation()
        async with case.world.open() as engine:
            run = await begin(engine, nested(case.world, 2, "Hold"), inputs={"x": 1})
            await case.gate.reached()
            before = time.monotonic()
            await engine.stop_graph_execution(USER, run.id, wait_timeout=5)
            assert time.monotonic() - before < 5
            levels = await tree(engine, run.id)
            assert len(levels) == 3
            for each in levels:
                assert (await engine.get_graph_execution(each)).status is TERMINATED
            assert case.gate.inside == 0

    play(test())


def test_a_child_that_will_not_stop_does_not_fail_the_stop(caplog: pytest.LogCaptureFixture) -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def test() -> None:
        world = World(Stubborn=block(_stubborn(entered, release)))
        async with world.open(timing=Timing(grace=30)) as engine:
            run = await begin(engine, nested(world, 1, "Stubborn"), inputs={"x": 1})
            await entered.wait()
            stopped = await engine.stop_graph_execution(USER, run.id, wait_timeout=0.1)
            assert stopped.status is TERMINATED
            [_, child] = await tree(engine, run.id)
            assert child in caplog.text
            assert (await engine.get_graph_execution(child)).status is RUNNING
            release.set()
            assert (await engine.wait(child, PATIENCE)).status is TERMINATED

    play(test())


def test_a_tree_stops_though_no_place_is_free() -> None:
    async def test() -> None:
        case = Situation()
        async with case.world.open(max_active=1) as engine:
            run = await begin(engine, nested(case.world, 1, "Hold"), inputs={"x": 1})
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
            run = await begin(engine, nested(case.world, 1, "Hold"), inputs={"x": 1})
            await case.gate.reached()
            await engine.stop_graph_execution(USER, run.id, PATIENCE, cascade=False)
            [_, child] = await tree(engine, run.id)
            assert (await engine.get_graph_execution(child)).status is RUNNING
            case.gate.open()
            assert (await engine.wait(child, PATIENCE)).status is COMPLETED

    play(test())


def test_a_child_of_a_stopped_root_does_not_run_again() -> None:
    async def test() -> None:
        case = Situation()
        async with case.world.open() as engine:
            run = await begin(engine, nested(case.world, 1, "Hold"), inputs={"x": 1})
            await case.gate.reached()
            await engine.stop_graph_execution(USER, run.id, PATIENCE)
            [_, child] = await tree(engine, run.id)
            with pytest.raises(ResumeRefusedError):
                await engine.add_graph_execution("level0", USER, graph_exec_id=child)
            assert case.gate.entered == 1

    play(test())
