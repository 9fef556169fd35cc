"""Which execution a value belongs to: the k-th on one pin meets the k-th on the other."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from tests.events.harness import (
    EchoBlock,
    GraphOutputBlock,
    NoteBlock,
    NumberBlock,
    PairBlock,
    Run,
    SourceBlock,
    TrioBlock,
    plan_of,
)

from actbook.events import ExecutionStatus, NodeCreated, NodeInput, NodeQueued

S = ExecutionStatus

TWO_SOURCES = plan_of(
    {"x": SourceBlock, "y": SourceBlock, "sink": PairBlock}, "x.out > sink.a", "y.out > sink.b"
)


def data_of(run: Run, node_id: str) -> list[dict[str, Any]]:
    return [node.data for node in run.of(node_id) if node.status is S.QUEUED]


def test_the_kth_value_meets_the_kth_however_old() -> None:
    run = Run(TWO_SOURCES)
    run.start()
    run.yields(1, ("out", "a1"), ("out", "a2"), ("out", "a3"))
    assert [node.inputs for node in run.of("sink")] == [{"a": "a1"}, {"a": "a2"}, {"a": "a3"}]
    run.yields(2, ("out", "b1"))
    run.yields(2, ("out", "b2"))
    assert data_of(run, "sink") == [{"a": "a1", "b": "b1"}, {"a": "a2", "b": "b2"}]
    run.yields(2, ("out", "b3"))
    assert data_of(run, "sink")[-1] == {"a": "a3", "b": "b3"}


def test_both_pins_may_lead() -> None:
    run = Run(TWO_SOURCES)
    run.start()
    run.yields(1, ("out", 1))
    run.yields(2, ("out", 2), ("out", 3))
    run.yields(1, ("out", 4), ("out", 5))
    run.yields(2, ("out", 6))
    assert data_of(run, "sink") == [{"a": 1, "b": 2}, {"a": 4, "b": 3}, {"a": 5, "b": 6}]


@pytest.mark.parametrize("order", sorted(set(permutations("aabbcc")))[::7])
def test_three_pins_in_any_order_of_arrival(order: tuple[str, ...]) -> None:
    plan = plan_of(
        {"x": SourceBlock, "y": SourceBlock, "z": SourceBlock, "sink": TrioBlock},
        "x.out > sink.a",
        "y.out > sink.b",
        "z.out > sink.c",
    )
    run = Run(plan)
    run.start()
    seen: dict[str, int] = {}
    for pin in order:
        seen[pin] = seen.get(pin, 0) + 1
        run.yields("abc".index(pin) + 1, ("out", f"{pin}{seen[pin]}"))
    assert data_of(run, "sink") == [{"a": f"a{k}", "b": f"b{k}", "c": f"c{k}"} for k in (1, 2)]


def test_what_never_completes_stays_incomplete_and_the_graph_completes() -> None:
    run = Run(TWO_SOURCES)
    run.step(1, ("out", 1), ("out", 2))
    run.step(2, ("out", 3))
    run.step(3)
    assert run.status() is S.COMPLETED
    assert [(node.inputs, node.status) for node in run.of("sink")] == [({"a": 2}, S.INCOMPLETE)]


def test_fan_out_and_fan_in() -> None:
    plan = plan_of(
        {"s": SourceBlock, "left": EchoBlock, "right": EchoBlock, "join": PairBlock},
        "s.out > left.value",
        "s.out > right.value",
        "left.out > join.a",
        "right.out > join.b",
    )
    run = Run(plan)
    joined: list[Any] = []
    run.drive(
        {
            "s": lambda data: [("out", n) for n in range(50)],
            "left": lambda data: [("out", data["value"])],
            "right": lambda data: [("out", -data["value"])],
            "join": lambda data: joined.append((data["a"], data["b"])) or [],  # type: ignore[func-returns-value]
        }
    )
    assert joined == [(n, -n) for n in range(50)]
    assert run.state.node_executions == {}


def test_two_links_into_one_pin_make_separate_executions() -> None:
    plan = plan_of(
        {"x": SourceBlock, "y": SourceBlock, "sink": EchoBlock}, "x.out > sink.value", "y.out > sink.value"
    )
    run = Run(plan)
    run.start()
    run.yields(1, ("out", 1))
    run.yields(2, ("out", 2))
    assert data_of(run, "sink") == [{"value": 1}, {"value": 2}]


def test_one_yield_makes_one_delivery_per_link_in_link_order() -> None:
    plan = plan_of(
        {"s": SourceBlock, "p": PairBlock, "e": EchoBlock}, "s.out > e.value", "s.out > p.b", "s.out > p.a"
    )
    run = Run(plan)
    run.start()
    events = run.yields(1, ("out", 7))
    assert [
        (event.node_id, event.TOPIC) for event in events if isinstance(event, NodeQueued | NodeCreated)
    ] == [
        ("e", "node.queued"),
        ("p", "node.created"),
        ("p", "node.queued"),
    ]


def test_none_on_the_exact_pin_is_delivered_and_none_through_a_path_is_not() -> None:
    plan = plan_of(
        {"s": SourceBlock, "whole": EchoBlock, "part": EchoBlock},
        "s.out > whole.value",
        "s.item_#_k > part.value",
    )
    run = Run(plan)
    run.start()
    run.yields(1, ("out", None), ("item", {"k": None}), ("item", {}), ("item", {"k": 0}))
    assert [node.inputs for node in run.of("whole")] == [{"value": None}]
    assert data_of(run, "part") == [{"value": 0}]


def test_a_required_pin_that_got_none_never_runs_and_the_next_value_does_not_join_it() -> None:
    run = Run(TWO_SOURCES)
    run.start()
    run.yields(1, ("out", None), ("out", 1))
    run.yields(2, ("out", 2), ("out", 3))
    stuck, fine = run.of("sink")
    assert (stuck.status, stuck.inputs) == (S.INCOMPLETE, {"a": None, "b": 2})
    assert fine.data == {"a": 1, "b": 3}


def test_why_a_complete_execution_cannot_run_is_recorded_once() -> None:
    run = Run(plan_of({"s": SourceBlock, "n": NumberBlock}, "s.out > n.value"))
    run.start()
    events = run.yields(1, ("out", None))
    assert [event.TOPIC for event in events] == ["node.output", "node.created", "warning.recorded"]
    assert events[-1].node_exec == 2
    assert "NumberBlock" in events[-1].text


def test_a_missing_pin_is_no_warning() -> None:
    run = Run(TWO_SOURCES)
    run.start()
    assert "warning.recorded" not in [event.TOPIC for event in run.yields(1, ("out", 1))]


def test_a_value_at_a_waiting_execution_is_an_event_of_its_own_only_while_it_waits() -> None:
    plan = plan_of({"s": SourceBlock, "t": TrioBlock}, "s.out > t.a", "s.item > t.b", "s.error > t.c")
    run = Run(plan)
    run.start()
    assert isinstance(run.yields(1, ("out", 1))[1], NodeCreated)
    assert isinstance(run.yields(1, ("item", 2))[1], NodeInput)
    queued = run.fail(1, "3")[1]
    assert isinstance(queued, NodeQueued)
    assert queued.data == {"a": 1, "b": 2, "c": "3"}


def test_masks_lie_over_what_arrives() -> None:
    run = Run(TWO_SOURCES, masks={"sink": {"b": "masked"}})
    run.start()
    run.yields(1, ("out", 1))
    assert data_of(run, "sink") == [{"a": 1, "b": "masked"}]


def test_a_mask_of_another_node_changes_nothing() -> None:
    run = Run(TWO_SOURCES, masks={"x": {"seed": 5}})
    assert data_of(run, "x") == [{"seed": 5}]
    run.start()
    run.yields(1, ("out", 1))
    assert data_of(run, "sink") == []


def test_a_note_is_never_run() -> None:
    run = Run(plan_of({"s": SourceBlock, "n": NoteBlock}, "s.out > n.text"))
    run.step(1, ("out", "words"))
    assert run.status() is S.COMPLETED
    assert run.of("n") == []


def test_conversion_losses_are_recorded_at_the_node_execution() -> None:
    run = Run(plan_of({"s": SourceBlock, "n": NumberBlock}, "s.out > n.value"))
    run.start()
    events = run.yields(1, ("out", "5.7"))
    assert [event.TOPIC for event in events] == ["node.output", "node.queued", "warning.recorded"]
    assert events[1].data == {"value": 5}
    assert events[2].node_exec == 2


def test_graph_outputs_are_kept_by_name_in_order() -> None:
    plan = plan_of(
        {"s": SourceBlock, "o": GraphOutputBlock, "p": GraphOutputBlock},
        "s.out > o.value",
        "s.item > p.value",
        p={"name": "other"},
    )
    run = Run(plan)
    run.drive(
        {
            "s": lambda data: [("out", 1), ("item", None), ("out", 2)],
            "o": lambda data: [("output", data["value"]), ("name", data["name"])],
            "p": lambda data: [("output", data["value"])],
        }
    )
    assert run.state.outputs == {"result": [1, 2], "other": [None]}


def test_the_index_is_rebuilt_the_same_from_a_snapshot() -> None:
    run = Run(TWO_SOURCES)
    run.start()
    run.yields(1, ("out", 1), ("out", 2), ("out", 3))
    run.yields(2, ("out", 10))
    run.reopen()
    run.start(1, 2)
    # The new attempt yields the same again; only what is new travels.
    run.yields(2, ("out", 10), ("out", 20))
    assert data_of(run, "sink") == [{"a": 1, "b": 10}, {"a": 2, "b": 20}]
