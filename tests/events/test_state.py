"""The state itself: snapshots, copies, ids and contexts."""

from __future__ import annotations

import pytest
from tests.events.harness import EchoBlock, PairBlock, Run, SourceBlock, StaticBlock, plan_of, topics

from actbook.events import (
    Claim,
    Create,
    Decider,
    GraphExecution,
    IllegalTransitionError,
    Report,
    Settings,
    Start,
    decide,
    node_exec_id,
    split_node_exec_id,
)

PLAN = plan_of(
    {"s": SourceBlock, "t": StaticBlock, "e": EchoBlock, "p": PairBlock},
    "s.out > e.value",
    "s.out > p.a",
    "t.out > p.b",
)


def busy() -> Run:
    run = Run(PLAN, inputs={"k": [1, None]}, masks={"e": {"x": 1}}, skip=("nobody",))
    run.start()
    run.yields(1, ("out", 1), ("out", 2))
    run.yields(2, ("out", "s"))
    run.start(3)
    return run


def test_a_snapshot_is_the_state() -> None:
    state = busy().state
    again = GraphExecution.decode(state.encode())
    assert again.encode() == state.encode()
    assert again.state_hash() == state.state_hash()
    assert again == state


def test_a_copy_is_independent() -> None:
    run = busy()
    copy = run.state.copy()
    before = copy.encode()
    run.complete(3, ("out", 1))
    assert copy.encode() == before
    assert copy.state_hash() != run.state.state_hash()


def test_deciding_leaves_the_state_alone() -> None:
    run = busy()
    before = run.state.encode()
    drafts = decide(PLAN, run.state, Report(1, 1, (("out", 3),), "completed"), 7)
    assert topics(draft.payload for draft in drafts)[0] == "node.completed"
    assert {draft.at for draft in drafts} == {7}
    assert run.state.encode() == before


def test_deciding_on_nothing_creates() -> None:
    command = Create(execution_id="run", user_id="u", inputs={}, starting=(("s", {}),))
    drafts = decide(PLAN, GraphExecution(), command, 1)
    assert topics(draft.payload for draft in drafts) == [
        "execution.created",
        "node.queued",
        "execution.queued",
    ]
    assert [draft.cause for draft in drafts] == [None, 1, 1]


def test_creating_again_changes_nothing() -> None:
    run = busy()
    assert run.do(Create(execution_id="run", user_id="u", inputs={}, starting=(("s", {}),))) == []


def test_causes_lead_back_to_what_brought_a_value() -> None:
    run = Run(plan_of({"s": SourceBlock, "e": EchoBlock}, "s.out > e.value"))
    run.step(1, ("out", 1))
    run.start()
    causes = {draft.payload.TOPIC: draft.cause for draft in run.history}
    versions = {draft.payload.TOPIC: version for version, draft in enumerate(run.history, 1)}
    completed = run.topics().index("node.completed") + 1
    assert run.history[completed].payload.TOPIC == "node.queued"
    assert run.history[completed].cause == completed
    assert causes["node.started"] == completed + 1
    assert versions["node.started"] == len(run.history)


def test_ids_of_node_executions() -> None:
    assert node_exec_id("run.x", 12) == "run.x.12"
    assert split_node_exec_id("run.x.12") == ("run.x", 12)


@pytest.mark.parametrize("text", ["", "run", "run.", ".5", "run.x", "run.-1"])
def test_other_texts_are_no_ids(text: str) -> None:
    with pytest.raises(ValueError, match="no node execution id"):
        split_node_exec_id(text)


def test_each_node_execution_has_its_own_context() -> None:
    settings = Settings(human_in_the_loop_safe_mode=False, dry_run=True, user_timezone="Asia/Kolkata")
    run = Run(PLAN, settings=settings)
    run.start()
    first, second = (run.state.context(run.state.node_executions[number]) for number in (1, 2))
    assert (first.node_id, first.node_exec_id, second.node_exec_id) == ("s", "run.1", "run.2")
    assert (first.user_id, first.graph_id, first.graph_version) == ("u", "graph", 1)
    assert (first.human_in_the_loop_safe_mode, first.dry_run, first.user_timezone) == (
        False,
        True,
        "Asia/Kolkata",
    )
    assert first is not run.state.context(run.state.node_executions[1])


def test_an_illegal_end_raises_and_records_nothing() -> None:
    state = busy().state.copy()
    state.status = type(state.status).COMPLETED
    decider = Decider(PLAN, state)
    with pytest.raises(IllegalTransitionError):
        decider.end_as(type(state.status).FAILED, "engine", "late")
    assert decider.advance(Start((1,)), 1) == []
    assert decider.advance(Claim("w"), 1) == []
