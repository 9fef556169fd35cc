"""People in the loop, and sensitive actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.engine.kit import (
    PATIENCE,
    USER,
    Gate,
    World,
    begin,
    block,
    finish,
    play,
    topics,
)

from actbook.engine import Engine, ReviewError
from actbook.events import (
    ExecutionStatus,
    GraphExecution,
    Settings,
)
from actbook.graphs import Graph, GraphSettings

S = ExecutionStatus


def judged(made: World, **constants: Any) -> Graph:
    return made.graph(
        "x:Input r:Review yes:Output no:Output said:Output",
        "x.result > r.data", "r.approved_data > yes.value", "r.rejected_data > no.value", "r.review_message > said.value",
        r=constants,
    )  # fmt: skip


def decided(decide: Callable[[Engine, str], Any], **options: Any) -> GraphExecution:
    async def test() -> GraphExecution:
        made = World()
        async with made.open() as engine:
            state = await finish(engine, judged(made, **options), inputs={"x": "draft"})
            assert state.status is S.REVIEW
            [number] = state.reviews
            await decide(engine, f"{state.id}.{number}")
            ended: GraphExecution = await engine.wait(state.id, PATIENCE)
            return ended

    found: GraphExecution = play(test())
    return found


def test_without_safe_mode_people_are_not_asked() -> None:
    async def test() -> None:
        made = World()
        async with made.open() as engine:
            free = Settings(human_in_the_loop_safe_mode=False)
            done = await finish(engine, judged(made), inputs={"x": "draft"}, settings=free)
            assert done.outputs == {"yes": ["draft"], "said": ["Auto-approved (safe mode disabled)"]}

    play(test())


def test_the_settings_of_a_graph_are_taken_for_a_run() -> None:
    async def test() -> None:
        made = World()
        async with made.open() as engine:
            free = GraphSettings(human_in_the_loop_safe_mode=False, sensitive_action_safe_mode=True)
            done = await finish(engine, judged(made), inputs={"x": "draft"}, settings=free)
            assert done.outputs == {"yes": ["draft"], "said": ["Auto-approved (safe mode disabled)"]}
            assert done.settings == Settings(
                human_in_the_loop_safe_mode=False, sensitive_action_safe_mode=True
            )

    play(test())


def test_the_settings_of_a_graph_are_taken_for_a_schedule() -> None:
    async def test() -> None:
        made = World()
        async with made.open() as engine:
            saved = await engine.save_graph(judged(made), USER)
            free = GraphSettings(human_in_the_loop_safe_mode=False)
            yearly = await engine.add_schedule(
                saved.id, USER, cron="0 0 1 1 *", inputs={"x": "draft"}, settings=free
            )
            assert yearly.spec.settings == Settings(human_in_the_loop_safe_mode=False)

    play(test())


def test_approving() -> None:
    done = decided(lambda engine, review: engine.review(USER, review, True))
    assert (done.status, done.outputs["yes"]) == (S.COMPLETED, ["draft"])


def test_approving_with_changes_and_a_message() -> None:
    done = decided(lambda engine, review: engine.review(USER, review, True, data="better", message="fixed"))
    assert done.outputs == {"yes": ["better"], "said": ["fixed"]}


def test_rejecting() -> None:
    done = decided(lambda engine, review: engine.review(USER, review, False, message="no"))
    assert done.outputs == {"no": ["draft"], "said": ["no"]}


def test_what_is_not_editable() -> None:
    async def decide(engine: Engine, review: str) -> None:
        with pytest.raises(ReviewError) as refused:
            await engine.review(USER, review, True, data="better")
        assert str(refused.value) == f"Review {review} is not editable"
        await engine.review(USER, review, True)
        await engine.review(USER, review, True)

    assert decided(decide, editable=False).outputs["yes"] == ["draft"]


def test_a_review_is_decided_while_other_branches_run() -> None:
    async def test() -> None:
        gate = Gate()
        made = World(Hold=gate.block())
        a_graph = made.graph(
            "x:Input r:Review h:Hold yes:Output held:Output",
            "x.result > r.data", "x.result > h.value", "r.approved_data > yes.value", "h.out > held.value",
        )  # fmt: skip
        async with made.open() as engine:
            begun = await begin(engine, a_graph, inputs={"x": 1})
            await gate.reached()
            await engine.catch_up()
            state = await engine.get_graph_execution(begun.id)
            assert state.status is S.RUNNING
            [number] = state.reviews
            await engine.review(USER, f"{begun.id}.{number}", True)
            gate.open()
            done = await engine.wait(begun.id, PATIENCE)
            assert (done.status, done.outputs) == (S.COMPLETED, {"yes": [1], "held": [1]})

    play(test())


@pytest.mark.parametrize("approved", [True, False])
def test_sensitive_actions_ask_first(approved: bool) -> None:
    async def test() -> None:
        ran: list[Any] = []

        def act(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
            ran.append(input.value)
            yield "out", input.value

        made = World(Act=block(act, is_sensitive_action=True, execution="inline"))
        a_graph = made.graph(
            "x:Input a:Act y:Output e:Output", "x.result > a.value", "a.out > y.value", "a.error > e.value"
        )
        async with made.open() as engine:
            asked = Settings(sensitive_action_safe_mode=True)
            state = await finish(engine, a_graph, inputs={"x": 1}, settings=asked)
            assert (state.status, ran) == (S.REVIEW, [])
            [number] = state.reviews
            await engine.review(USER, f"{state.id}.{number}", approved, message="hm")
            done = await engine.wait(state.id, PATIENCE)
            assert done.status is S.COMPLETED
            text = "Block execution rejected by reviewer: hm"
            assert done.outputs == ({"y": [1]} if approved else {"e": [text]})
            assert ran == ([1] if approved else [])
            assert (await topics(engine, state.id)).count("execution.parked") == 1

    play(test())
