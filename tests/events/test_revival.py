"""The next attempt of an execution: what runs again, what stays, and when it is refused."""

from __future__ import annotations

import pytest
from tests.events.harness import (
    AgentBlock,
    EchoBlock,
    GraphOutputBlock,
    PairBlock,
    Run,
    SourceBlock,
    plan_of,
    topics,
)

from actbook.events import (
    ChildFinished,
    ExecutionRetried,
    ExecutionStatus,
    Fail,
    GraphExecution,
    IllegalTransitionError,
    Limits,
    NodeRetried,
    Past,
    Redo,
    ResumeRequested,
    RetryRequested,
    evolve,
    failed_of,
    fold,
    refusal_of_resume,
    refusal_of_retry,
)
from actbook.events._envelope import Draft

S = ExecutionStatus

PLAN = plan_of(
    {"s": SourceBlock, "e": EchoBlock, "o": GraphOutputBlock}, "s.out > e.value", "e.out > o.value"
)


def failed_run() -> Run:
    """s completed, e failed after one value, o completed with that one."""
    run = Run(PLAN)
    run.step(1, ("out", 7))
    run.start(2)
    run.yields(2, ("out", "early"))
    run.fail(2, "broken")
    run.start(3)
    run.complete(3, ("output", "early"))
    assert run.status() is S.COMPLETED
    return run


def test_a_failed_node_is_queued_as_a_new_node_execution_with_the_same_data() -> None:
    run = failed_run()
    before = len(run.history)
    assert run.retry() == "retried"
    events = [draft.payload for draft in run.history[before:]]
    assert topics(events) == ["execution.retried", "node.retried", "execution.started", "inbox.handled"]
    assert events[0] == ExecutionRetried(2, "ada", "once more")
    assert events[1] == NodeRetried(4, 2, "e", EchoBlock.id, {"value": 7}, {"out": 1})
    assert (run.status(), list(run.state.ready), run.state.attempt) == (S.RUNNING, [4], 2)


def test_what_it_had_yielded_counts_once() -> None:
    run = failed_run()
    run.retry()
    run.start(4)
    run.complete(4, ("out", "early"), ("out", "late"))
    (late,) = run.of("o")
    assert late.data["value"] == "late"
    run.step(5, ("output", "late"))
    assert (run.status(), run.state.outputs) == (S.COMPLETED, {"result": ["early", "late"]})
    assert (run.state.stats.node_exec_count, run.state.stats.node_error_count) == (5, 1)


def test_waiting_executions_stay_and_get_what_they_lacked() -> None:
    plan = plan_of(
        {"a": SourceBlock, "b": SourceBlock, "join": PairBlock}, "a.out > join.a", "b.out > join.b"
    )
    run = Run(plan)
    run.step(1, ("out", "a"))
    run.start(2)
    run.fail(2, "broken")
    assert (run.status(), [n.status for n in run.of("join")]) == (S.COMPLETED, [S.INCOMPLETE])
    run.retry()
    run.step(4, ("out", "b"))
    assert [(n.status, n.data) for n in run.of("join")] == [(S.QUEUED, {"a": "a", "b": "b"})]


def test_what_was_stopped_goes_on_as_the_same_node_execution() -> None:
    run = Run(PLAN)
    run.step(1, ("out", 7))
    run.start(2)
    run.yields(2, ("out", "early"))
    run.do(Fail("out of time"))
    run.stopped(2)
    assert run.status() is S.FAILED
    assert run.retry() == "retried"
    assert (run.state.error, run.state.reason, run.state.ended_at) == ("", "", 0)
    assert list(run.state.ready) == [2, 3]
    assert [event.attempt for event in run.start(2)] == [2]
    run.complete(2, ("out", "early"), ("out", "late"))
    assert [node.data["value"] for node in run.of("o")] == ["early", "late"]


def test_only_the_newest_failure_is_tried_again() -> None:
    run = failed_run()
    run.retry()
    run.start(4)
    run.fail(4, "again")
    assert [redo.number for redo in run.past().failed] == [4]
    run.retry()
    assert [node.retry_of for node in run.of("e")] == [4]
    run.step(5, ("out", "early"))
    assert run.status() is S.COMPLETED
    assert run.retry().startswith("refused: COMPLETED, nothing of it failed")


def test_a_retry_that_was_asked_for_twice_happens_once() -> None:
    run = failed_run()
    seen = run.state.version
    assert run.retry(seen=seen) == "retried"
    run.start(4)
    run.fail(4, "again")
    assert run.status() is S.COMPLETED
    assert run.retry(seen=seen) == "already going on"
    assert run.retry(seen=run.state.version) == "retried"


def test_a_resume_that_was_asked_for_twice_happens_once() -> None:
    run = Run(PLAN)
    run.cancel()
    seen = run.state.version
    assert run.handle(ResumeRequested("ada", "", seen)) == "resumed"
    run.cancel()
    assert run.handle(ResumeRequested("ada", "", seen)) == "already going on"
    assert run.status() is S.TERMINATED


@pytest.mark.parametrize("message", [ResumeRequested("ada"), RetryRequested("ada")])
def test_nothing_goes_on_below_a_terminated_root(message: ResumeRequested | RetryRequested) -> None:
    run = Run(PLAN)
    run.cancel()
    assert run.handle(message, Past(root_terminated=True)).startswith("refused:")
    assert run.status() is S.TERMINATED


def test_limits_count_from_the_retry() -> None:
    run = Run(PLAN, limits=Limits(node_executions=3))
    run.step(1, ("out", 7))
    run.start(2)
    run.fail(2, "broken")
    begun = run.state.begun_at
    run.retry()
    assert run.state.begun_at > begun == run.state.started_at
    run.step(3, ("out", 1), ("out", 2))
    assert run.status() is S.RUNNING
    run.start()
    run.complete(4, ("output", 1))
    run.complete(5, ("output", 2))
    assert (run.status(), run.state.stats.node_exec_count) == (S.COMPLETED, 5)


def test_claims_without_progress_are_forgotten_by_a_retry() -> None:
    run = Run(PLAN, limits=Limits(claims_without_progress=3))
    for _ in range(3):
        run.reopen()
    assert run.status() is S.FAILED
    assert run.retry() == "retried"
    run.reopen()
    assert run.status() is S.RUNNING


def test_a_run_cut_short_by_its_bound_is_not_retried() -> None:
    run = Run(PLAN, limits=Limits(node_executions=1))
    run.step(1, ("out", 7))
    assert run.status() is S.FAILED
    assert "fork it with a higher bound" in run.retry()


def test_an_agent_whose_sub_graph_did_not_complete_runs_it_again() -> None:
    run = Run(plan_of({"agent": AgentBlock, "e": EchoBlock}, "agent.answer > e.value"))
    run.start(children={1: "child"})
    ended = ChildFinished("child", 1, "FAILED", "why")
    run.handle(ended)
    assert run.status() is S.COMPLETED
    history = fold(run.history, retain=True)
    assert failed_of(history) == ()
    assert failed_of(history, [ChildFinished("child", 1, "COMPLETED")]) == ()
    (redo,) = failed_of(history, [ended])
    assert (redo.number, redo.node_id) == (1, "agent")
    run.handle(RetryRequested("ada"), Past((redo,)))
    assert (run.status(), list(run.state.ready)) == (S.RUNNING, [2])


def state_of(status: ExecutionStatus) -> GraphExecution:
    state = GraphExecution(id="run")
    state.status = status
    return state


@pytest.mark.parametrize("status", ExecutionStatus)
def test_each_status_allows_a_resume_or_tells_what_to_do(status: ExecutionStatus) -> None:
    allowed = status in (S.TERMINATED, S.INCOMPLETE, S.REVIEW)
    assert (refusal_of_resume(state_of(status), Past()) == "") is allowed


@pytest.mark.parametrize("status", ExecutionStatus)
def test_each_status_allows_a_retry_or_tells_what_to_do(status: ExecutionStatus) -> None:
    redo = Redo(1, "n", "b", {})
    assert (refusal_of_retry(state_of(status), Past((redo,))) == "") is status.is_terminal
    if status.is_terminal:
        nothing = refusal_of_retry(state_of(status), Past())
        assert (nothing == "") is (status is not S.COMPLETED)


@pytest.mark.parametrize("status", [status for status in ExecutionStatus if not status.is_terminal])
def test_what_is_not_over_is_not_retried(status: ExecutionStatus) -> None:
    with pytest.raises(IllegalTransitionError):
        evolve(state_of(status), Draft(ExecutionRetried(2, "ada"), 1))
