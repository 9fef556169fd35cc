"""People in the loop: parked runs, decisions, editing, restarts, stops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import PATIENCE, USER, Gate, World, begin, effect, finish, play, sqlite, topics, when

from actbook.engine import Engine, NotFoundError, ReviewError
from actbook.events import ExecutionStatus, GraphExecution, NodeReviewDecided, Settings, inbox_of
from actbook.graphs import Graph

REVIEW, COMPLETED, TERMINATED = ExecutionStatus.REVIEW, ExecutionStatus.COMPLETED, ExecutionStatus.TERMINATED


def judged(world: World, **review: Any) -> Graph:
    return world.graph(
        "x:Input r:Review yes:Output no:Output said:Output",
        "x.result > r.data",
        "r.approved_data > yes.value",
        "r.rejected_data > no.value",
        "r.review_message > said.value",
        r=review,
    )


async def parked(engine: Engine, graph: Graph) -> tuple[GraphExecution, str]:
    """A run that waits for a person, and the id of its review."""
    state = await finish(engine, graph, inputs={"x": {"sum": 5}})
    assert state.status is REVIEW
    (number,) = state.reviews
    return state, f"{state.id}.{number}"


def test_a_run_that_only_waits_for_a_person_is_parked_and_out_of_memory() -> None:
    async def test() -> None:
        world = World()
        async with world.open() as engine:
            state, review = await parked(engine, judged(world))
            node = next(iter(state.node_executions.values()))
            assert node.review is not None
            assert (node.status, node.review.data, node.review.editable) == (REVIEW, {"sum": 5}, True)
            assert engine._host.system.find(state.id) is None
            assert review.startswith(state.id)

    play(test())


@pytest.mark.parametrize("approved", [True, False])
def test_a_decision_ends_the_run(approved: bool) -> None:
    async def test() -> None:
        world = World()
        async with world.open() as engine:
            state, review = await parked(engine, judged(world))
            await engine.review(USER, review, approved, message="looked at")
            done = await engine.wait(state.id, PATIENCE)
            assert done.status is COMPLETED
            assert done.outputs == {"yes" if approved else "no": [{"sum": 5}], "said": ["looked at"]}

    play(test())


def test_the_reviewer_may_edit_what_is_editable() -> None:
    async def test() -> None:
        world = World()
        async with world.open() as engine:
            state, review = await parked(engine, judged(world))
            await engine.review(USER, review, True, data={"sum": 6})
            assert (await engine.wait(state.id, PATIENCE)).outputs["yes"] == [{"sum": 6}]

    play(test())


def test_what_is_not_editable_can_not_be_edited_and_stays_pending() -> None:
    async def test() -> None:
        world = World()
        async with world.open() as engine:
            state, review = await parked(engine, judged(world, editable=False))
            with pytest.raises(ReviewError) as caught:
                await engine.review(USER, review, True, data=1)
            assert str(caught.value) == f"Review {review} is not editable"
            assert await engine.journal.read_stream(inbox_of(state.id)) == []
            await engine.review(USER, review, True)
            assert (await engine.wait(state.id, PATIENCE)).outputs["yes"] == [{"sum": 5}]

    play(test())


def test_a_review_that_is_not_there_or_somebody_elses() -> None:
    async def test() -> None:
        world = World()
        async with world.open() as engine:
            state, review = await parked(engine, judged(world))
            with pytest.raises(NotFoundError):
                await engine.review("eve", review, True)
            with pytest.raises(NotFoundError):
                await engine.review(USER, "no-such-run.1", True)
            for wrong in ("", "nonsense", f"{state.id}.x"):
                with pytest.raises(ReviewError, match="not found"):
                    await engine.review(USER, wrong, True)
            for other in (f"{state.id}.1", f"{state.id}.99"):
                with pytest.raises(ReviewError, match="is not pending"):
                    await engine.review(USER, other, True)

    play(test())


def test_the_same_decision_twice_is_one_and_another_one_is_refused() -> None:
    async def test() -> None:
        world = World()
        async with world.open() as engine:
            state, review = await parked(engine, judged(world))
            await engine.review(USER, review, True, message="ok")
            await engine.review(USER, review, True, message="ok")
            await engine.wait(state.id, PATIENCE)
            await engine.review(USER, review, True, message="ok")
            with pytest.raises(ReviewError, match="is already decided"):
                await engine.review(USER, review, False)
            events = await engine.journal.read_stream(state.id)
            assert sum(isinstance(event.payload, NodeReviewDecided) for event in events) == 1
            assert (await engine.get_graph_execution(state.id)).outputs["yes"] == [{"sum": 5}]

    play(test())


def test_a_review_can_be_decided_while_other_branches_run() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph(
            "x:Input r:Review yes:Output h:Hold y:Output",
            "x.result > r.data",
            "x.result > h.value",
            "r.approved_data > yes.value",
            "h.out > y.value",
        )
        async with world.open() as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await gate.reached()
            asked = await when(engine, lambda event: event.topic == "node.review_requested")
            await engine.review(USER, f"{run.id}.{asked.payload.node_exec}", True)  # type: ignore[attr-defined]
            await when(engine, lambda event: event.topic == "node.review_decided")
            state = await engine.get_graph_execution(run.id)
            assert state.status is ExecutionStatus.RUNNING
            gate.open()
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"yes": [1], "y": [1]}
            assert "execution.parked" not in await topics(engine, run.id)

    play(test())


def test_a_parked_run_survives_a_restart(tmp_path: Path) -> None:
    async def test() -> None:
        world = World()
        url = sqlite(tmp_path)
        async with world.open(url) as engine:
            state, review = await parked(engine, judged(world))
        async with world.open(url) as engine:
            assert (await engine.wait(state.id, PATIENCE)).status is REVIEW
            await engine.review(USER, review, False)
            assert (await engine.wait(state.id, PATIENCE)).outputs == {"no": [{"sum": 5}]}

    play(test())


def test_a_decision_made_while_nobody_owned_the_store_counts(tmp_path: Path) -> None:
    async def test() -> None:
        world = World()
        url = sqlite(tmp_path)
        async with world.open(url) as engine:
            state, review = await parked(engine, judged(world))
        async with world.open(url, candidate=False) as engine:
            await engine.review(USER, review, True)
        async with world.open(url) as engine:
            done = await engine.wait(state.id, PATIENCE)
            assert (done.status, done.outputs) == (COMPLETED, {"yes": [{"sum": 5}]})

    play(test())


def test_stopping_a_parked_run_rejects_its_reviews() -> None:
    async def test() -> None:
        world = World()
        async with world.open() as engine:
            state, review = await parked(engine, judged(world))
            stopped = await engine.stop_graph_execution(USER, state.id)
            assert (stopped.status, stopped.outputs) == (TERMINATED, {})
            events = await engine.journal.read_stream(state.id)
            decided = [e.payload for e in events if isinstance(e.payload, NodeReviewDecided)]
            assert [(d.approved, d.message, d.reviewer) for d in decided] == [
                (False, "Execution was stopped by user", USER)
            ]
            with pytest.raises(ReviewError, match="is already decided"):
                await engine.review(USER, review, True)

    play(test())


def test_with_safe_mode_off_nobody_is_asked() -> None:
    async def test() -> None:
        world = World()
        async with world.open() as engine:
            state = await finish(
                engine,
                judged(world),
                inputs={"x": 1},
                settings=Settings(human_in_the_loop_safe_mode=False),
            )
            assert state.status is COMPLETED
            assert state.outputs == {"yes": [1], "said": ["Auto-approved (safe mode disabled)"]}

    play(test())


@pytest.mark.parametrize("approved", [True, False])
def test_a_sensitive_action_runs_only_after_approval(tmp_path: Path, approved: bool) -> None:
    async def test() -> None:
        ran: list[Any] = []

        async def act(input: Any, context: Any) -> Any:
            ran.append(input.value)
            yield "out", input.value

        world = World(Act=effect(act, is_sensitive_action=True))
        graph = world.graph(
            "x:Input a:Act y:Output bad:Output",
            "x.result > a.value",
            "a.out > y.value",
            "a.error > bad.value",
        )
        safe = Settings(sensitive_action_safe_mode=True)
        url = sqlite(tmp_path)
        async with world.open(url) as engine:
            state = await finish(engine, graph, inputs={"x": 1}, settings=safe)
            assert (state.status, ran) == (REVIEW, [])
        async with world.open(url) as engine:
            (number,) = state.reviews
            await engine.review(USER, f"{state.id}.{number}", approved, message="hm")
            done = await engine.wait(state.id, PATIENCE)
            assert done.status is COMPLETED
            if approved:
                assert (done.outputs, ran) == ({"y": [1]}, [1])
            else:
                assert done.outputs == {"bad": ["Block execution rejected by reviewer: hm"]}
                assert ran == []

    play(test())
