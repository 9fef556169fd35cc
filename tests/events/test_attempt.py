"""Attempts: a crash or a stop leads to a new one; the old one's late words count for nothing."""

from __future__ import annotations

from typing import Any

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

from actbook.events import Claim, Decider, ExecutionStatus, Report, RequestReview, Start, decide, fold

S = ExecutionStatus

PLAN = plan_of({"s": SourceBlock, "e": EchoBlock}, "s.out > e.value")


def values(run: Run, node_id: str = "e") -> list[Any]:
    return [node.data["value"] for node in run.of(node_id)]


def test_a_new_owner_starts_interrupted_nodes_again_with_the_same_key() -> None:
    run = Run(PLAN)
    run.start()
    first = run.state.context(run.state.node_executions[1])
    run.reopen()
    interrupted = run.state.interrupted
    assert interrupted == (1,)
    started = run.start(1)
    assert [(event.attempt, event.epoch) for event in started] == [(2, 2)]
    again = run.state.context(run.state.node_executions[1])
    assert (first.attempt, again.attempt) == (1, 2)
    assert first.idempotency_key == again.idempotency_key == "run.1"
    assert run.state.interrupted == ()


def test_the_same_owner_does_not_start_a_running_node_again() -> None:
    run = Run(PLAN)
    run.start()
    assert run.start(1) == []


def test_reports_of_an_earlier_attempt_change_nothing() -> None:
    run = Run(PLAN)
    run.start()
    run.reopen()
    run.start(1)
    before = run.state.encode()
    for outcome in (None, "completed", "failed"):
        assert run.do(Report(1, 1, (("out", "late"),), outcome)) == []
    assert run.do(RequestReview(1, 1, "late", {})) == []
    assert run.state.encode() == before


def test_reports_about_unknown_or_finished_nodes_change_nothing() -> None:
    run = Run(PLAN)
    run.step(1, ("out", 1))
    assert run.do(Report(1, 1, (("out", 2),), "completed")) == []
    assert run.do(Report(99, 1, (), "completed")) == []
    assert run.do(Start((1, 99))) == []


def test_a_report_before_the_start_changes_nothing() -> None:
    run = Run(PLAN)
    assert run.do(Report(1, 0, (("out", 2),), "completed")) == []


def test_a_sub_graph_is_not_started_again() -> None:
    run = Run(plan_of({"agent": AgentBlock}))
    run.start(children={1: "child"})
    run.reopen()
    assert run.state.interrupted == ()
    assert run.start(1, children={1: "another"}) == []
    assert run.state.node_executions[1].child_id == "child"


def test_values_recorded_by_an_earlier_attempt_count_once() -> None:
    run = Run(PLAN)
    run.start()
    run.yields(1, ("out", 1))
    run.yields(1, ("out", 2), ("out", 3))
    run.reopen()
    run.start(1)
    run.yields(1, ("out", 1), ("out", 2))
    run.complete(1, ("out", 3), ("out", 4))
    assert values(run) == [1, 2, 3, 4]


def test_values_count_once_however_often_the_attempts_are_interrupted() -> None:
    run = Run(PLAN)
    run.start()
    for last in range(1, 6):
        for value in range(1, last + 1):
            run.yields(1, ("out", value))
        run.reopen()
        run.start(1)
    run.complete(1, *(("out", value) for value in range(1, 8)))
    assert values(run) == list(range(1, 8))


def test_values_are_counted_per_pin() -> None:
    plan = plan_of({"s": SourceBlock, "p": PairBlock}, "s.out > p.a", "s.item > p.b")
    run = Run(plan)
    run.start()
    run.yields(1, ("out", 1), ("item", 2))
    run.reopen()
    run.start(1)
    run.yields(1, ("item", 2), ("item", 3))
    run.complete(1, ("out", 1), ("out", 4))
    assert [node.data for node in run.of("p")] == [{"a": 1, "b": 2}, {"a": 4, "b": 3}]


def test_a_repeated_attempt_that_fails_keeps_what_was_recorded_and_adds_its_error() -> None:
    plan = plan_of({"s": SourceBlock, "e": EchoBlock}, "s.out > e.value", "s.error > e.value")
    run = Run(plan)
    run.start()
    run.yields(1, ("out", 1))
    run.reopen()
    run.start(1)
    events = run.fail(1, "broken", ("out", 1))
    assert topics(events) == ["node.output", "node.failed", "node.queued"]
    assert values(run) == [1, "broken"]


def test_what_counts_once_does_not_depend_on_who_decides() -> None:
    run = Run(PLAN)
    run.start()
    run.yields(1, ("out", 1), ("out", 2))
    run.reopen()
    run.start(1)
    for outputs in ([1], [2], [3]):
        command = Report(1, 2, tuple(("out", value) for value in outputs))
        drafts = decide(PLAN, run.state, command, 5)
        run.decider = Decider(PLAN, fold([*run.history, *drafts]))
        run.history.extend(drafts)
    assert values(run) == [1, 2, 3]


def test_the_graphs_outputs_and_the_parents_messages_count_once() -> None:
    run = Run(plan_of({"o": GraphOutputBlock}))
    run.start()
    run.yields(1, ("output", "x"))
    run.reopen()
    run.start(1)
    run.complete(1, ("output", "x"), ("output", "y"))
    assert run.state.outputs == {"result": ["x", "y"]}


def test_claims_count_up_the_epoch_and_name_the_worker() -> None:
    run = Run(PLAN, claimed=False)
    for epoch, worker in enumerate(("first", "second", "third"), 1):
        run.do(Claim(worker))
        assert (run.state.epoch, run.state.worker) == (epoch, worker)
    assert run.topics().count("execution.started") == 1


def test_a_finished_execution_is_not_claimed() -> None:
    run = Run(PLAN)
    run.step(1)
    assert run.status() is S.COMPLETED
    assert run.claim() == []
