"""Static links: fill what waits, then latch; later executions use the newest value."""

from __future__ import annotations

from typing import Any

from tests.events.harness import (
    EchoBlock,
    NumberBlock,
    PairBlock,
    Run,
    SourceBlock,
    StaticBlock,
    TrioBlock,
    plan_of,
)

from actbook.events import ExecutionStatus, LinkLatched

S = ExecutionStatus

PLAN = plan_of({"x": SourceBlock, "y": SourceBlock, "sink": PairBlock}, "x.out > sink.a", "y.out >> sink.b")


def started(plan: Any = PLAN, **create: Any) -> Run:
    run = Run(plan, **create)
    run.start()
    return run


def queued(run: Run, node_id: str = "sink") -> list[dict[str, Any]]:
    return [node.data for node in run.of(node_id) if node.status is S.QUEUED]


def waiting(run: Run, node_id: str = "sink") -> list[dict[str, Any]]:
    return [node.inputs for node in run.of(node_id) if node.status is S.INCOMPLETE]


def test_fills_every_waiting_execution_oldest_first() -> None:
    run = started()
    run.yields(1, ("out", 1), ("out", 2), ("out", 3))
    events = run.yields(2, ("out", "s"))
    assert [event.node_exec for event in events if event.TOPIC == "node.queued"] == [3, 4, 5]
    assert queued(run) == [{"a": n, "b": "s"} for n in (1, 2, 3)]


def test_later_executions_use_the_latched_value_again_and_again() -> None:
    run = started()
    run.yields(2, ("out", "s"))
    run.yields(1, ("out", 1), ("out", 2), ("out", 3))
    assert queued(run) == [{"a": n, "b": "s"} for n in (1, 2, 3)]
    assert waiting(run) == []


def test_a_newer_value_replaces_the_latch() -> None:
    run = started()
    run.yields(1, ("out", 1))
    run.yields(2, ("out", "old"), ("out", "new"))
    run.yields(1, ("out", 2), ("out", 3))
    assert queued(run) == [{"a": 1, "b": "old"}, {"a": 2, "b": "new"}, {"a": 3, "b": "new"}]


def test_values_that_arrived_before_any_partner_are_met_kth_by_kth_and_then_the_newest_stays() -> None:
    run = started()
    run.yields(2, ("out", "b1"), ("out", "b2"))
    run.yields(1, ("out", 1), ("out", 2), ("out", 3))
    assert queued(run) == [{"a": 1, "b": "b1"}, {"a": 2, "b": "b2"}, {"a": 3, "b": "b2"}]


def test_an_execution_that_still_waits_takes_the_newest_value_when_it_becomes_complete() -> None:
    plan = plan_of(
        {"x": SourceBlock, "y": SourceBlock, "z": SourceBlock, "sink": TrioBlock},
        "x.out > sink.a",
        "y.out > sink.b",
        "z.out >> sink.c",
    )
    run = started(plan)
    run.yields(3, ("out", "old"))
    run.yields(1, ("out", 1), ("out", 2))
    run.yields(3, ("out", "new"))
    run.yields(2, ("out", "m"), ("out", "n"))
    assert queued(run) == [{"a": 1, "b": "m", "c": "old"}, {"a": 2, "b": "n", "c": "new"}]


def test_filled_executions_keep_what_they_were_filled_with() -> None:
    plan = plan_of(
        {"x": SourceBlock, "y": SourceBlock, "z": SourceBlock, "sink": TrioBlock},
        "x.out > sink.a",
        "y.out > sink.b",
        "z.out >> sink.c",
    )
    run = started(plan)
    run.yields(1, ("out", 1), ("out", 2))
    run.yields(3, ("out", "first"))
    assert waiting(run) == [{"a": 1, "c": "first"}, {"a": 2, "c": "first"}]
    run.yields(3, ("out", "second"))
    run.yields(2, ("out", "m"), ("out", "n"), ("out", "o"))
    run.yields(1, ("out", 3))
    assert queued(run) == [
        {"a": 1, "b": "m", "c": "first"},
        {"a": 2, "b": "n", "c": "first"},
        {"a": 3, "b": "o", "c": "second"},
    ]


def test_two_static_pins() -> None:
    plan = plan_of(
        {"x": SourceBlock, "y": SourceBlock, "z": SourceBlock, "sink": TrioBlock},
        "x.out > sink.a",
        "y.out >> sink.b",
        "z.out >> sink.c",
    )
    run = started(plan)
    run.yields(3, ("out", "c"))
    run.yields(2, ("out", "b"))
    run.yields(1, ("out", 1), ("out", 2))
    assert queued(run) == [{"a": 1, "b": "b", "c": "c"}, {"a": 2, "b": "b", "c": "c"}]


def test_only_static_pins_make_one_execution_and_then_one_per_value() -> None:
    plan = plan_of(
        {"x": SourceBlock, "y": SourceBlock, "sink": PairBlock}, "x.out >> sink.a", "y.out >> sink.b"
    )
    run = started(plan)
    run.yields(1, ("out", 1))
    run.yields(2, ("out", 2))
    assert queued(run) == [{"a": 1, "b": 2}]
    run.yields(2, ("out", 3))
    assert queued(run) == [{"a": 1, "b": 2}, {"a": 1, "b": 3}]


def test_a_static_block_makes_its_links_static() -> None:
    plan = plan_of(
        {"x": SourceBlock, "y": StaticBlock, "sink": PairBlock}, "x.out > sink.a", "y.out > sink.b"
    )
    run = started(plan)
    run.yields(2, ("out", "s"))
    run.yields(1, ("out", 1), ("out", 2))
    assert queued(run) == [{"a": 1, "b": "s"}, {"a": 2, "b": "s"}]


def test_a_static_link_into_the_only_linked_pin_needs_no_latch() -> None:
    run = started(plan_of({"y": SourceBlock, "sink": EchoBlock}, "y.out >> sink.value"))
    events = run.yields(1, ("out", 1), ("out", 2))
    assert queued(run) == [{"value": 1}, {"value": 2}]
    assert not [event for event in events if isinstance(event, LinkLatched)]


def test_none_is_latched_and_then_nothing_of_that_node_becomes_complete() -> None:
    run = started()
    run.yields(2, ("out", None))
    run.yields(1, ("out", 1), ("out", 2))
    assert queued(run) == []
    run.yields(2, ("out", "s"))
    assert queued(run) == [{"a": 2, "b": "s"}]
    assert waiting(run) == [{"b": None, "a": 1}]


def test_the_latch_survives_a_snapshot() -> None:
    run = started()
    run.yields(1, ("out", 0))
    run.yields(2, ("out", "s"))
    run.reopen()
    run.start(1)
    run.yields(1, ("out", 0), ("out", 1))
    assert queued(run) == [{"a": 0, "b": "s"}, {"a": 1, "b": "s"}]


def test_a_dynamic_and_a_static_link_into_the_same_pin() -> None:
    plan = plan_of(
        {"x": SourceBlock, "y": SourceBlock, "z": SourceBlock, "sink": PairBlock},
        "x.out > sink.a",
        "y.out >> sink.b",
        "z.out > sink.b",
    )
    run = started(plan)
    run.yields(1, ("out", 1))
    run.yields(3, ("out", "dynamic"))
    run.yields(2, ("out", "static"))
    run.yields(1, ("out", 2), ("out", 3))
    assert queued(run) == [{"a": 1, "b": "dynamic"}, {"a": 2, "b": "static"}, {"a": 3, "b": "static"}]


def test_a_static_value_of_the_wrong_kind_explains_every_execution_it_spoils() -> None:
    plan = plan_of(
        {"x": SourceBlock, "y": SourceBlock, "n": NumberBlock}, "x.out > n.value", "y.out >> n.extra"
    )
    run = started(plan)
    run.yields(1, ("out", None), ("out", None))
    warned = [event.node_exec for event in run.yields(2, ("out", 1)) if event.TOPIC == "warning.recorded"]
    assert warned == [3, 4]
