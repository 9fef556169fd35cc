"""Stopping: in every status, against completion, and while bodies run."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from tests.events.harness import (
    AgentBlock,
    EchoBlock,
    PairBlock,
    ReviewBlock,
    Run,
    SourceBlock,
    plan_of,
    topics,
)

from actbook.events import (
    CancelRequested,
    ExecutionStatus,
    ExecutionTerminated,
    Fail,
    RequestReview,
    Settings,
    Stopping,
    fold,
)

S = ExecutionStatus

TWO = plan_of({"a": SourceBlock, "b": SourceBlock, "e": EchoBlock}, "a.out > e.value", "b.out > e.value")
TERMINAL = {"execution.completed", "execution.failed", "execution.terminated"}


def ends(run: Run) -> list[str]:
    return [topic for topic in run.topics() if topic in TERMINAL]


def test_a_queued_execution_is_terminated_at_once_and_never_starts() -> None:
    run = Run(TWO, claimed=False)
    assert run.cancel() == "stopped"
    assert run.status() is S.TERMINATED
    assert topics([draft.payload for draft in run.history[-3:]]) == [
        "inbox.handled",
        "node.terminated",
        "execution.terminated",
    ]
    run.claim()
    assert run.start(1, 2) == []
    assert run.status() is S.TERMINATED


def test_actor_reason_and_end_are_recorded() -> None:
    run = Run(TWO, claimed=False)
    run.cancel()
    state = run.state
    assert (state.actor, state.reason, state.ended_at) == ("ada", "enough", run.at)
    assert {node.reason for node in state.node_executions.values()} == {"enough"}
    assert all(node.ended_at == run.at for node in state.node_executions.values())


def test_a_stop_without_reason_still_has_one() -> None:
    run = Run(TWO, claimed=False)
    run.handle(CancelRequested("ada"))
    assert run.state.reason == "Stopped on request"


def test_nothing_running_ends_at_once_and_running_bodies_end_first() -> None:
    run = Run(TWO)
    run.start(1)
    assert run.cancel() == "stopping"
    assert run.status() is S.RUNNING
    stopping = run.state.stopping
    assert stopping == Stopping(S.TERMINATED, "ada", "enough")
    assert run.start(2) == []
    assert topics(run.stopped(1)) == ["node.terminated", "node.terminated", "execution.terminated"]
    assert run.state.stopping is None
    assert {node.status for node in run.state.node_executions.values()} == {S.TERMINATED}


def test_a_completion_while_stopping_is_recorded_with_its_deliveries_but_nothing_starts() -> None:
    run = Run(TWO)
    run.start()
    run.cancel()
    events = run.complete(1, ("out", 1))
    assert topics(events) == ["node.completed", "node.queued"]
    assert run.start() == []
    events = run.complete(2, ("out", 2))
    assert topics(events) == ["node.completed", "node.queued", "node.terminated", "execution.terminated"]
    assert [node.status for node in run.of("e")] == [S.TERMINATED, S.TERMINATED]


def test_no_error_output_of_a_stopped_node() -> None:
    plan = plan_of({"a": SourceBlock, "e": EchoBlock}, "a.error > e.value")
    run = Run(plan)
    run.start()
    run.cancel()
    run.stopped(1)
    assert run.of("e") == []


def test_abandoned_bodies_are_named_and_their_late_words_ignored() -> None:
    run = Run(TWO)
    run.start()
    run.cancel()
    event = run.stopped(1, abandoned=[2])[0]
    assert (event.node_execs, event.abandoned, event.reason) == ((1, 2), (2,), "enough")
    assert run.complete(2, ("out", "late")) == []


def test_bodies_stopped_counts_only_while_stopping() -> None:
    run = Run(TWO)
    run.start()
    assert run.stopped(1, 2) == []
    assert list(run.state.running) == [1, 2]


def test_bodies_stopped_of_the_run_before_a_resume_does_not_touch_the_new_attempt() -> None:
    run = Run(TWO)
    run.start()
    run.cancel()
    run.stopped(1, abandoned=[2])
    run.resume()
    run.start()
    assert run.stopped(2) == []
    assert run.state.node_executions[2].status is S.RUNNING


@pytest.mark.parametrize("order", list(permutations(["cancel", "complete 1", "complete 2"])))
def test_cancel_against_completion_has_one_winner(order: tuple[str, ...]) -> None:
    run = Run(plan_of({"a": SourceBlock, "b": SourceBlock}))
    run.start()
    for act in order:
        if act == "cancel":
            run.cancel()
        else:
            run.complete(int(act[-1]))
    expected = S.COMPLETED if order[-1] == "cancel" else S.TERMINATED
    assert run.status() is expected
    assert ends(run) == [f"execution.{expected.lower()}"]


def test_a_second_cancel_changes_nothing() -> None:
    run = Run(TWO)
    run.start()
    run.cancel()
    assert run.cancel() == "already stopping"
    run.stopped(1, 2)
    assert run.cancel() == "already TERMINATED"
    assert ends(run) == ["execution.terminated"]


@pytest.mark.parametrize("end", ["COMPLETED", "FAILED"])
def test_a_finished_execution_stays_as_it_is(end: str) -> None:
    run = Run(plan_of({"a": SourceBlock}))
    if end == "FAILED":
        run.do(Fail("no more money"))
    else:
        run.step(1)
    assert run.cancel() == f"already {end}"
    assert run.status() == end
    assert run.start(1) == []


def test_a_message_handled_before_changes_nothing() -> None:
    run = Run(TWO)
    run.cancel()
    run.inbox_version -= 1
    before = len(run.history)
    with pytest.raises(StopIteration):
        run.cancel()
    assert len(run.history) == before


def test_pending_reviews_are_rejected_by_a_stop() -> None:
    run = Run(plan_of({"s": SourceBlock, "r": ReviewBlock}, "s.out > r.data"))
    run.step(1, ("out", "draft"))
    run.start()
    run.do(RequestReview(2, 1, "look", "draft"))
    assert run.status() is S.REVIEW
    assert run.cancel() == "stopped"
    decided = run.payloads("node.review_decided")[0]
    assert (decided.approved, decided.message) == (False, "Execution was stopped by user")
    assert run.status() is S.TERMINATED
    assert run.state.reviews == {}
    assert run.state.running == {}


def test_a_review_asked_for_while_stopping_is_not_asked() -> None:
    run = Run(plan_of({"s": SourceBlock, "r": ReviewBlock}, "s.out > r.data"))
    run.step(1, ("out", "draft"))
    run.start()
    run.cancel()
    events = run.do(RequestReview(2, 1, "look", "draft"))
    assert topics(events) == ["node.terminated", "execution.terminated"]


def test_a_stop_whose_worker_died_is_finished_by_the_next_owner() -> None:
    run = Run(TWO)
    run.start()
    run.cancel()
    run.reopen()
    assert run.status() is S.TERMINATED
    assert ends(run) == ["execution.terminated"]
    assert isinstance(run.history[-1].payload, ExecutionTerminated)
    assert run.history[-1].payload.actor == "ada"


def test_children_are_told_and_their_nodes_end_with_the_parent() -> None:
    run = Run(plan_of({"agent": AgentBlock, "other": AgentBlock}))
    run.start(children={1: "child 1", 2: "child 2"})
    assert run.cancel() == "stopped"
    told = [(child, draft.payload) for child, draft in run.decider.downward]
    assert told == [(f"child {n}", CancelRequested("ada", "enough")) for n in (1, 2)]
    assert run.status() is S.TERMINATED


def test_children_are_left_alone_without_cascade() -> None:
    run = Run(plan_of({"agent": AgentBlock}))
    run.start(children={1: "child"})
    run.cancel(cascade=False)
    assert run.decider.downward == []
    assert run.status() is S.TERMINATED


def test_a_failing_run_stops_its_children_too() -> None:
    run = Run(plan_of({"agent": AgentBlock}))
    run.start(children={1: "child"})
    run.do(Fail("out of time"))
    assert run.status() is S.FAILED
    told = [(child, draft.payload) for child, draft in run.decider.downward]
    assert told == [("child", CancelRequested("engine", "out of time"))]


def test_fail_while_bodies_run_stops_them_first() -> None:
    run = Run(TWO)
    run.start(1)
    assert topics(run.do(Fail("out of time", "timer"))) == ["execution.stopping"]
    assert run.do(Fail("again")) == []
    run.stopped(1)
    assert (run.status(), run.state.error, run.state.actor) == (S.FAILED, "out of time", "timer")
    assert not any(node.active for node in run.state.node_executions.values())


def test_fail_of_something_over_changes_nothing() -> None:
    run = Run(TWO, claimed=False)
    run.cancel()
    assert run.do(Fail("late")) == []
    assert run.status() is S.TERMINATED


@pytest.mark.parametrize("wrecked", [False, True])
def test_nothing_is_active_in_a_terminated_execution(wrecked: bool) -> None:
    plan = plan_of(
        {"s": SourceBlock, "p": PairBlock, "r": ReviewBlock, "agent": AgentBlock},
        "s.out > p.a",
        "s.item > p.b",
        "s.out > r.data",
    )
    run = Run(plan, settings=Settings(dry_run=True))
    run.start(1, 2, children={2: "child"})
    run.yields(1, ("out", 1), ("out", 2))
    run.start(4)
    run.do(RequestReview(4, 1, "look", 1))
    run.cancel()
    if wrecked:
        run.reopen()
    else:
        run.stopped(1)
    state = run.state
    assert state.status is S.TERMINATED
    assert (state.ready, state.running, state.reviews) == ({}, {}, {})
    statuses: dict[str, list[Any]] = {}
    for node in fold(run.history, retain=True).node_executions.values():
        statuses.setdefault(node.node_id, []).append(node.status)
    assert statuses == {
        "s": [S.TERMINATED],
        "agent": [S.TERMINATED],
        "p": [S.INCOMPLETE, S.INCOMPLETE],
        "r": [S.TERMINATED, S.TERMINATED],
    }
