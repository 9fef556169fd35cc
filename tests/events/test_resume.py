"""Going on after a stop: with the same masks, skip set and waiting inputs."""

from __future__ import annotations

import pytest
from tests.events.harness import AgentBlock, EchoBlock, PairBlock, ReviewBlock, Run, SourceBlock, plan_of

from actbook.events import ChildFinished, ChildOutput, ExecutionStatus, RequestReview

S = ExecutionStatus

PLAN = plan_of(
    {"a": SourceBlock, "b": SourceBlock, "join": PairBlock, "e": EchoBlock},
    "a.out > join.a",
    "b.out > join.b",
    "join.out > e.value",
)


def test_terminated_nodes_are_queued_again_and_the_run_goes_on() -> None:
    run = Run(PLAN)
    run.start()
    run.complete(1, ("out", 1))
    run.cancel()
    run.stopped(2)
    assert run.resume() == "resumed"
    state = run.state
    assert (state.status, state.ended_at, state.reason, state.actor) == (S.RUNNING, 0, "", "")
    assert list(state.ready) == [2]
    run.step(2, ("out", 2))
    run.step(3, ("out", 3))
    run.step(4)
    assert run.status() is S.COMPLETED


def test_times_of_the_run() -> None:
    run = Run(PLAN)
    started = run.state.started_at
    run.cancel()
    assert run.state.ended_at == run.at
    run.resume()
    assert (run.state.started_at, run.state.queued_at, run.state.ended_at) == (started, run.at, 0)


def test_queued_nodes_that_never_ran_begin_with_attempt_one() -> None:
    run = Run(PLAN, claimed=False)
    run.cancel()
    run.claim()
    run.resume()
    assert [event.attempt for event in run.start()] == [1, 1]


def test_an_interrupted_node_begins_a_new_attempt() -> None:
    run = Run(PLAN)
    run.start()
    run.cancel()
    run.stopped(1, 2)
    run.resume()
    assert [event.attempt for event in run.start()] == [2, 2]


def test_the_order_of_a_node_is_kept_across_a_stop() -> None:
    plan = plan_of({"s": SourceBlock, "e": EchoBlock, "f": EchoBlock}, "s.out > e.value", "e.out > f.value")
    run = Run(plan)
    run.step(1, ("out", 1), ("out", 2))
    run.start()
    run.complete(3, ("out", "second"))
    run.cancel()
    run.stopped(2)
    assert run.of("f") == []
    run.resume()
    run.step(2, ("out", "first"))
    assert [node.data["value"] for node in run.of("f")] == ["first", "second"]


@pytest.mark.parametrize("outcome", ["RUNNING", "COMPLETED", "QUEUED"])
def test_a_refused_resume_says_why(outcome: str) -> None:
    run = Run(PLAN, claimed=outcome != "QUEUED")
    if outcome == "COMPLETED":
        run.drive({})
    before = len(run.history)
    assert run.resume() == f"refused: {outcome}"
    assert len(run.history) == before + 1


def test_a_second_resume_does_not_start_twice() -> None:
    run = Run(PLAN, claimed=False)
    run.cancel()
    assert run.resume() == "resumed"
    assert run.resume() == "refused: RUNNING"


def test_an_execution_in_review_is_resumed_to_wait_again() -> None:
    run = Run(plan_of({"s": SourceBlock, "r": ReviewBlock}, "s.out > r.data"))
    run.step(1, ("out", 1))
    run.start()
    run.do(RequestReview(2, 1, "look", 1))
    assert run.status() is S.REVIEW
    assert run.resume() == "resumed"
    assert run.status() is S.REVIEW
    assert list(run.state.reviews) == [2]


def test_many_stops_and_resumes() -> None:
    run = Run(PLAN)
    for attempt in range(1, 6):
        assert [event.attempt for event in run.start()] == [attempt, attempt]
        run.cancel()
        run.stopped(1, 2)
        run.resume()
    run.drive({"a": lambda data: [("out", 1)], "b": lambda data: [("out", 2)]})
    assert run.status() is S.COMPLETED
    assert run.topics().count("execution.terminated") == 5
    assert run.topics().count("execution.completed") == 1


def test_a_new_attempt_has_no_child_until_it_is_named() -> None:
    run = Run(plan_of({"agent": AgentBlock}))
    run.start(children={1: "old"})
    run.cancel()
    run.resume()
    run.start(1)
    assert run.handle(ChildFinished("old", 1, "TERMINATED", "enough")).startswith("ignored")


def test_a_sub_graph_begins_anew_and_the_old_childs_words_are_ignored() -> None:
    plan = plan_of({"agent": AgentBlock, "e": EchoBlock}, "agent.answer > e.value")
    run = Run(plan)
    run.start(children={1: "old"})
    run.handle(ChildOutput("old", 1, "answer", "x"))
    run.cancel()
    run.resume()
    run.start(1, children={1: "new"})
    assert run.handle(ChildFinished("old", 1, "TERMINATED", "enough")).startswith("ignored")
    assert run.handle(ChildOutput("old", 1, "answer", "late")).startswith("ignored")
    run.handle(ChildOutput("new", 1, "answer", "x"))
    run.handle(ChildOutput("new", 1, "answer", "y"))
    run.handle(ChildFinished("new", 1, "COMPLETED"))
    assert [node.data["value"] for node in run.of("e")] == ["x", "y"]
