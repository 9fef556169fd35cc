"""Skipped nodes end COMPLETED by legal moves, without a body and without outputs."""

from __future__ import annotations

from tests.events.harness import EchoBlock, PairBlock, Run, SourceBlock, plan_of, topics

from actbook.events import ExecutionStatus, fold

S = ExecutionStatus

CHAIN = plan_of(
    {"s": SourceBlock, "skipped": EchoBlock, "after": EchoBlock},
    "s.out > skipped.value",
    "skipped.out > after.value",
)


def test_a_skipped_node_is_over_when_it_would_be_queued_and_nothing_follows() -> None:
    run = Run(CHAIN, skip=("skipped",))
    events = run.step(1, ("out", 1), ("out", 2))
    assert topics(events) == [
        "node.completed",
        "node.queued",
        "node.skipped",
        "node.queued",
        "node.skipped",
        "execution.completed",
    ]
    assert run.of("after") == []
    kept = fold(run.history, retain=True).node_executions
    assert [(node.status, node.skipped) for node in kept.values()] == [
        (S.COMPLETED, False),
        (S.COMPLETED, True),
        (S.COMPLETED, True),
    ]


def test_a_skipped_starting_node_is_over_at_the_first_claim() -> None:
    run = Run(plan_of({"a": SourceBlock, "b": SourceBlock}), skip=("a",), claimed=False)
    assert list(run.state.ready) == [1, 2]
    assert topics(run.claim()) == ["execution.claimed", "execution.started", "node.skipped"]
    assert list(run.state.ready) == [2]


def test_a_graph_of_skipped_nodes_completes_at_once() -> None:
    run = Run(plan_of({"a": SourceBlock}), skip=("a",))
    assert run.status() is S.COMPLETED


def test_what_waits_for_a_skipped_node_stays_incomplete() -> None:
    plan = plan_of(
        {"a": SourceBlock, "b": SourceBlock, "join": PairBlock}, "a.out > join.a", "b.out > join.b"
    )
    run = Run(plan, skip=("b",))
    run.step(1, ("out", 1))
    assert run.status() is S.COMPLETED
    assert [node.status for node in run.of("join")] == [S.INCOMPLETE]


def test_a_skipped_node_never_runs_after_a_stop_before_the_start_and_a_resume() -> None:
    run = Run(plan_of({"a": SourceBlock, "b": SourceBlock}), skip=("a",), claimed=False)
    run.cancel()
    run.resume()
    assert list(run.state.ready) == [2]


def test_a_skipped_node_needs_nothing_but_its_linked_values() -> None:
    plan = plan_of(
        {"s": SourceBlock, "lacks": PairBlock, "complete": PairBlock},
        "s.out > lacks.a",
        "s.out > complete.a",
    )
    run = Run(plan, skip=("lacks",))
    run.step(1, ("out", 1))
    kept = fold(run.history, retain=True).node_executions
    assert [(node.node_id, node.status) for node in kept.values() if node.node_id != "s"] == [
        ("lacks", S.COMPLETED),
        ("complete", S.INCOMPLETE),
    ]


def test_a_skipped_node_waits_for_its_other_links() -> None:
    plan = plan_of(
        {"s": SourceBlock, "t": SourceBlock, "join": PairBlock}, "s.out > join.a", "t.out > join.b"
    )
    run = Run(plan, skip=("join",))
    run.step(1, ("out", 1))
    assert [node.status for node in run.of("join")] == [S.INCOMPLETE]
