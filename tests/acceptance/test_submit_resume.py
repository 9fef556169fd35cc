"""Submitting, and resuming in every status."""

from __future__ import annotations

import asyncio

import pytest
from tests.acceptance.situations import Situation
from tests.engine.kit import (
    PATIENCE,
    USER,
    begin,
    play,
    topics,
)

from actbook.engine import EngineClosedError, NotFoundError, ResumeRefusedError
from actbook.engine.admission import add_graph_execution, stop_graph_execution
from actbook.events import (
    ExecutionCreated,
    ExecutionStatus,
    GraphExecution,
    NodeQueued,
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
