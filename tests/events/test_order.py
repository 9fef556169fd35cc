"""Outputs of one node go out in execution order, then yield order; nobody else waits for a slow one."""

from __future__ import annotations

from typing import Any

from tests.events.harness import EchoBlock, GraphOutputBlock, PairBlock, Run, SourceBlock, plan_of

from actbook.events import ExecutionStatus, NodeQueued, fold

S = ExecutionStatus

PLAN = plan_of(
    {"s": SourceBlock, "slow": EchoBlock, "other": EchoBlock, "after": EchoBlock},
    "s.out > slow.value",
    "s.item > other.value",
    "slow.out > after.value",
)


def begun() -> Run:
    """`slow` runs as 2, 3 and 4, `other` as 5."""
    run = Run(PLAN)
    run.step(1, ("out", "a"), ("out", "b"), ("out", "c"), ("item", 0))
    run.start()
    return run


def values_after(run: Run) -> list[Any]:
    return [node.data["value"] for node in run.of("after")]


def queued(events: list[Any]) -> list[Any]:
    return [event.data["value"] for event in events if isinstance(event, NodeQueued)]


def test_a_slow_execution_holds_only_the_later_outputs_of_its_own_node() -> None:
    run = begun()
    assert queued(run.complete(3, ("out", "B"))) == []
    assert queued(run.yields(4, ("out", "C1"))) == []
    assert queued(run.complete(5, ("out", "unlinked"))) == []
    assert 5 not in run.state.node_executions
    assert queued(run.complete(2, ("out", "A1"), ("out", "A2"))) == ["A1", "A2", "B", "C1"]
    assert queued(run.yields(4, ("out", "C2"))) == ["C2"]
    assert values_after(run) == ["A1", "A2", "B", "C1", "C2"]


def test_the_oldest_streams_at_once() -> None:
    run = begun()
    assert queued(run.yields(2, ("out", 1))) == [1]
    assert queued(run.yields(2, ("out", 2))) == [2]


def test_an_execution_that_becomes_the_oldest_releases_what_it_held_and_streams() -> None:
    run = begun()
    run.yields(3, ("out", "B1"))
    assert queued(run.complete(2)) == ["B1"]
    assert queued(run.yields(3, ("out", "B2"))) == ["B2"]


def test_a_failed_execution_holds_back_and_lets_go_like_any_other() -> None:
    run = begun()
    run.complete(3, ("out", "B"))
    assert queued(run.fail(2, "broken", ("out", "A"))) == ["A", "B"]


def test_an_execution_that_failed_behind_a_slow_one_is_let_go_with_it() -> None:
    run = begun()
    run.fail(3, "broken")
    run.complete(4, ("out", "C"))
    assert queued(run.complete(2, ("out", "A"))) == ["A", "C"]
    assert run.of("slow") == []


def test_finished_executions_are_let_go_as_soon_as_their_outputs_went_out() -> None:
    run = begun()
    run.complete(4, ("out", "C"))
    run.complete(3, ("out", "B"))
    assert [node.number for node in run.of("slow")] == [2, 3, 4]
    assert [node.status for node in run.of("slow")] == [S.RUNNING, S.COMPLETED, S.COMPLETED]
    run.complete(2)
    assert run.of("slow") == []
    assert "slow" not in run.state.lanes


def test_what_is_held_survives_a_snapshot() -> None:
    run = begun()
    run.complete(3, ("out", "B"))
    run.decider.state.copy()
    run.reopen()
    run.start(2, 4)
    assert queued(run.complete(2, ("out", "A"))) == ["A", "B"]


def test_the_graphs_outputs_keep_the_order_of_executions_too() -> None:
    run = Run(plan_of({"s": SourceBlock, "o": GraphOutputBlock}, "s.out > o.value"))
    run.step(1, ("out", 1), ("out", 2), ("out", 3))
    run.start()
    for number in (4, 3, 2):
        run.complete(number, ("output", number - 1))
    assert run.state.outputs == {"result": [1, 2, 3]}
    assert fold(run.history).outputs == {"result": [1, 2, 3]}


def test_starting_nodes_are_queued_in_graph_order() -> None:
    plan = plan_of({"c": SourceBlock, "a": SourceBlock, "b": SourceBlock})
    assert [node.node_id for node in Run(plan).state.node_executions.values()] == ["c", "a", "b"]


def test_yield_order_decides_across_pins() -> None:
    plan = plan_of({"s": SourceBlock, "x": EchoBlock, "y": EchoBlock}, "s.out > x.value", "s.item > y.value")
    run = Run(plan)
    run.start()
    assert queued(run.complete(1, ("item", 1), ("out", 2), ("item", 3))) == [1, 2, 3]


def test_the_kth_still_meets_the_kth_when_one_side_ends_in_reverse() -> None:
    plan = plan_of(
        {"s": SourceBlock, "f": EchoBlock, "join": PairBlock},
        "s.out > f.value",
        "s.out > join.a",
        "f.out > join.b",
    )
    run = Run(plan)
    run.step(1, *(("out", n) for n in range(5)))
    run.start()
    for node in reversed(run.of("f")):
        run.complete(node.number, ("out", node.data["value"]))
    assert [node.data for node in run.of("join")] == [{"a": n, "b": n} for n in range(5)]


def test_executions_of_a_node_are_counted_in_the_order_they_were_queued() -> None:
    run = begun()
    assert [(node.number, node.occurrence) for node in run.of("slow")] == [(2, 0), (3, 1), (4, 2)]
    assert [node.occurrence for node in run.of("other")] == [0]
    assert fold(run.history).occurrences == {"s": 1, "slow": 3, "other": 1}
