"""Bounds: node executions of a run, and claims that lead nowhere."""

from __future__ import annotations

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

from actbook.events import ExecutionStatus, Limits, RequestReview, ReviewDecided

S = ExecutionStatus

LOOP = plan_of({"s": SourceBlock, "e": EchoBlock}, "s.out > e.value", "e.out > e.value")


def test_a_loop_ends_at_its_bound() -> None:
    run = Run(LOOP, limits=Limits(node_executions=25))
    run.drive({"s": lambda data: [("out", 0)], "e": lambda data: [("out", data["value"] + 1)]}, most=100)
    assert run.status() is S.FAILED
    assert run.state.error == "The run exceeded its bound of 25 node executions."
    assert run.state.stats.node_exec_count == 25


def test_as_many_as_the_bound_allows_are_fine() -> None:
    run = Run(
        plan_of({"s": SourceBlock, "e": EchoBlock}, "s.out > e.value"), limits=Limits(node_executions=3)
    )
    run.drive({"s": lambda data: [("out", 0), ("out", 1)]})
    assert run.status() is S.COMPLETED


def test_a_body_that_yields_for_ever_is_stopped_while_it_yields() -> None:
    run = Run(LOOP, limits=Limits(node_executions=3))
    run.start()
    run.yields(1, ("out", 1), ("out", 2))
    events = run.yields(1, ("out", 3))
    assert topics(events) == ["node.output", "execution.stopping"]
    assert topics(run.stopped(1)) == ["node.terminated", "node.terminated", "execution.failed"]


def test_nothing_is_delivered_past_the_bound() -> None:
    plan = plan_of({"s": SourceBlock, "p": PairBlock}, "s.out >> p.a", "s.item > p.b")
    run = Run(plan, limits=Limits(node_executions=2))
    run.start()
    events = run.complete(1, ("out", 1), ("out", 2), ("item", 3))
    assert topics(events) == ["node.completed", "node.created", "link.latched", "execution.failed"]


def test_more_starting_nodes_than_the_bound_fail_at_the_claim() -> None:
    run = Run(plan_of({"a": SourceBlock, "b": SourceBlock}), limits=Limits(node_executions=1))
    assert run.status() is S.FAILED
    assert run.start() == []


def test_a_new_owner_goes_on_with_as_many_as_the_bound_allows() -> None:
    run = Run(plan_of({"a": SourceBlock, "b": SourceBlock}), limits=Limits(node_executions=2))
    run.step(1)
    run.reopen()
    run.step(2)
    assert run.status() is S.COMPLETED


def test_a_stop_loses_no_delivery_to_the_bound_and_the_resume_meets_it() -> None:
    run = Run(
        plan_of({"s": SourceBlock, "e": EchoBlock}, "s.out > e.value"), limits=Limits(node_executions=2)
    )
    run.start()
    run.cancel()
    run.complete(1, ("out", 1), ("out", 2))
    assert run.status() is S.TERMINATED
    assert [node.data["value"] for node in run.of("e")] == [1, 2]
    run.resume()
    assert run.status() is S.FAILED


def test_no_bound_means_none() -> None:
    run = Run(LOOP, limits=Limits(node_executions=0))
    run.drive(
        {"s": lambda data: [("out", 0)], "e": lambda data: [("out", 0)] * (run.state.last_number < 500)}
    )
    assert run.status() is S.COMPLETED


def test_claims_without_progress_end_the_run() -> None:
    run = Run(LOOP, limits=Limits(claims_without_progress=3))
    run.start()
    run.claim()
    run.claim()
    assert run.status() is S.RUNNING
    run.claim()
    assert run.status() is S.FAILED
    assert run.state.error.startswith("Gave up after 3 claims without progress")
    assert run.state.running == {}


def test_progress_begins_the_count_anew() -> None:
    run = Run(LOOP, limits=Limits(claims_without_progress=2))
    run.start()
    for value in range(10):
        run.reopen()
        run.start(1)
        run.yields(1, *(("out", n) for n in range(value + 1)))
    assert run.status() is S.RUNNING


def test_claims_for_people_are_no_crashes() -> None:
    plan = plan_of({"s": SourceBlock, "r": ReviewBlock}, "s.out > r.data")
    run = Run(plan, limits=Limits(claims_without_progress=2))
    run.step(1, ("out", 1))
    run.start()
    run.do(RequestReview(2, 1, "look", 1, editable=False))
    for _ in range(10):
        run.reopen()
        outcome = run.handle(ReviewDecided(2, True, "bob", edited=True, data=2))
        assert outcome == "refused: Review 2 is not editable"
    assert run.status() is S.REVIEW


def test_giving_up_stops_the_children() -> None:
    run = Run(plan_of({"agent": AgentBlock}), limits=Limits(claims_without_progress=1))
    run.start(children={1: "child"})
    run.claim()
    assert run.status() is S.FAILED
    assert [child for child, _ in run.decider.downward] == ["child"]


def test_no_bound_on_claims() -> None:
    run = Run(LOOP, limits=Limits(claims_without_progress=0))
    for _ in range(200):
        run.claim()
    assert run.status() is S.RUNNING
