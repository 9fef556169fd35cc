"""The views say the same as the state folded from the same events."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.events.harness import GraphOutputBlock, Run, SourceBlock, plan_of
from tests.events.test_fork import Fork, fork_of
from tests.events.test_history import Act, Chaos, acts, plans, shaken
from tests.projections.recording import Tables, recorded

from actbook.events import (
    Draft,
    ExecutionStatus,
    Fail,
    GraphExecution,
    NodeExecution,
    NodeStats,
    Parent,
    Report,
    fold,
)
from actbook.graphs import Plan
from actbook.projections import BUILT_IN

FAST = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def execution_of(state: GraphExecution) -> dict[str, Any]:
    return {
        "id": "run",
        "user_id": state.user_id,
        "graph_id": state.graph_id,
        "graph_version": state.graph_version,
        "status": str(state.status),
        "created_at": state.created_at,
        "queued_at": state.queued_at or None,
        "started_at": state.started_at or None,
        "ended_at": state.ended_at or None,
        "wall": state.wall,
        "attempt": state.attempt,
        "origin_id": state.origin.execution_id if state.origin else None,
        "origin_version": state.origin.version if state.origin else None,
        "node_exec_count": state.stats.node_exec_count,
        "node_done_count": sum(node.status.is_final for node in state.node_executions.values()),
        "node_error_count": state.stats.node_error_count,
        "node_wall": state.stats.node_wall,
        "node_cpu": state.stats.node_cpu,
        "cost": state.stats.cost,
        "priority": state.settings.priority,
        "error": state.error,
        "reason": state.reason,
        "actor": state.actor,
        "worker": state.worker,
        "parent_id": state.parent.execution_id if state.parent else None,
        "parent_node": state.parent.node_exec if state.parent else None,
        "inputs": state.inputs,
    }


def node_of(node: NodeExecution) -> dict[str, Any]:
    return {
        "execution_id": "run",
        "id": f"run.{node.number}",
        "number": node.number,
        "node_id": node.node_id,
        "block_id": node.block_id,
        "status": str(node.status),
        "attempt": node.attempt,
        "queued_at": node.queued_at or None,
        "started_at": node.started_at or None,
        "ended_at": node.ended_at or None,
        "wall": node.wall,
        "cpu": node.cpu,
        "counters": json.dumps(node.counters or {}, separators=(",", ":")),
        "cost": node.cost,
        "error": node.error,
        "skipped": int(node.skipped),
        "child_id": node.child_id,
        "retry_of": node.retry_of,
        "reason": node.reason,
    }


def check_outputs(shown: dict[str, list[Any]], state: GraphExecution) -> None:
    """The view shows a value when it is recorded; the state when those of earlier executions of its node are out."""
    for name, values in state.outputs.items():
        late = [repr(value) for value in shown[name]]
        for value in values:
            late.remove(repr(value))
    feeding = [node for node in state.node_executions.values() if node.block_id == GraphOutputBlock.id]
    in_order = [node.queued_at for node in feeding] == sorted(node.queued_at for node in feeding)
    if state.status is ExecutionStatus.COMPLETED and in_order and len({node.node_id for node in feeding}) < 2:
        assert shown == state.outputs


def history_of(plan: Plan, todo: list[Act], *, nested: bool = False, skip: bool = False) -> list[Draft]:
    parent = Parent("parent", 1) if nested else None
    return shaken(plan, todo, parent=parent, skip=("n0",) if skip else ()).run.history


@FAST
@given(plans(), acts, st.booleans(), st.booleans(), st.sampled_from([1, 3, 1000]))
def test_rows_agree_with_the_folded_state(
    plan: Plan, todo: list[Act], nested: bool, skip: bool, batch: int
) -> None:
    history = history_of(plan, todo, nested=nested, skip=skip)
    state = fold(history, retain=True)
    with Tables() as tables:
        tables.apply(recorded(("run", history)), batch=batch)
        (execution,) = tables.rows("executions")
        nodes = tables.rows("node_executions")
    execution["inputs"] = json.loads(execution["inputs"])
    assert {**execution, **execution_of(state)} == execution
    check_outputs(json.loads(execution["outputs"]), state)
    assert len(nodes) == len(state.node_executions)
    for row in nodes:
        assert {**row, **node_of(state.node_executions[row["number"]])} == row


@FAST
@given(plans(), acts, acts, st.integers(0, 1000), st.sampled_from([1, 3, 1000]))
def test_rows_of_a_fork_agree_with_its_folded_state(
    plan: Plan, todo: list[Act], more: list[Act], cut: int, batch: int
) -> None:
    origin = history_of(plan, todo)
    chaos = Chaos(plan)
    chaos.run = Fork(plan, fork_of(origin, cut % len(origin) + 1))
    for act in more:
        chaos.act(act)
    state = fold(chaos.run.history, retain=True)
    with Tables() as tables:
        tables.apply(recorded(("run", chaos.run.history)), batch=batch)
        (execution,) = tables.rows("executions")
        nodes = tables.rows("node_executions")
    execution["inputs"] = json.loads(execution["inputs"])
    assert {**execution, **execution_of(state)} == execution
    for row in nodes:
        assert {**row, **node_of(state.node_executions[row["number"]])} == row


@FAST
@given(plans(), acts, plans(), acts, st.integers(1, 40))
def test_batches_and_other_streams_make_no_difference(
    plan: Plan, todo: list[Act], other: Plan, other_todo: list[Act], batch: int
) -> None:
    log = recorded(("a", history_of(plan, todo)), ("b", history_of(other, other_todo)))
    with Tables() as whole, Tables() as pieces:
        whole.apply(log)
        pieces.apply(log, batch=batch)
        for table in (table.name for projection in BUILT_IN for table in projection.tables()):
            assert whole.rows(table) == pieces.rows(table), table
        for table in ("executions", "node_executions"):
            assert {row["execution_id" if "number" in row else "id"] for row in whole.rows(table)} == {
                "a",
                "b",
            }


def test_outputs_stand_in_the_order_of_their_node_executions() -> None:
    plan = plan_of({"s": SourceBlock, "o": GraphOutputBlock}, "s.out > o.value")
    run = Run(plan)
    run.step(1, ("out", "a"), ("out", "b"), ("out", "c"))
    run.start()
    run.complete(4, ("output", "third"))
    run.yields(2, ("output", "first"))
    run.complete(3, ("output", "second"))
    run.complete(2, ("output", "first again"))
    with Tables() as tables:
        tables.apply(recorded(("run", run.history)), batch=1)
        (execution,) = tables.rows("executions")
    assert json.loads(execution["outputs"]) == run.state.outputs
    assert run.state.outputs == {"result": ["first", "first again", "second", "third"]}


def test_what_a_body_used_is_added_up() -> None:
    run = Run(plan_of({"a": SourceBlock, "b": SourceBlock}))
    run.start()
    run.do(Report(1, 1, (), "completed", stats=NodeStats(0.5, 0.25, 100, 20)))
    run.do(Report(2, 1, (), "failed", "no", "OSError", False, NodeStats(1.5, 0.5, 3, 4)))
    with Tables() as tables:
        tables.apply(recorded(("run", run.history)))
        (execution,) = tables.rows("executions")
        nodes = tables.rows("node_executions")
    used = [tuple(node[name] for name in ("wall", "cpu", "input_bytes", "output_bytes")) for node in nodes]
    assert used == [(0.5, 0.25, 100, 20), (1.5, 0.5, 3, 4)]
    assert (execution["node_wall"], execution["node_cpu"]) == (2.0, 0.75)
    assert [(node["expected"], node["error_type"], node["error"]) for node in nodes] == [
        (1, "", ""),
        (0, "OSError", "no"),
    ]


def test_big_values_are_cut_and_said_to_be() -> None:
    plan = plan_of({"s": SourceBlock, "o": GraphOutputBlock}, "s.out > o.value")
    run = Run(plan, inputs={"small": 1, "big": "x" * 20_000, "after": 2})
    run.step(1, *(("out", n) for n in range(4)))
    run.start()
    for number, value in ((2, "a"), (3, ["y" * 9_000]), (4, ["z" * 9_000]), (5, "b")):
        run.complete(number, ("output", value))
    with Tables() as tables:
        tables.apply(recorded(("run", run.history)))
        (row,) = tables.rows("executions")
    assert json.loads(row["inputs"]) == {"small": 1}
    assert json.loads(row["outputs"]) == {"result": ["a", ["y" * 9_000]]}
    assert (row["inputs_complete"], row["outputs_complete"]) == (0, 0)


def test_long_texts_are_cut() -> None:
    run = Run(plan_of({"a": SourceBlock}))
    run.start()
    run.do(Fail("e" * 10_000))
    run.stopped(1)
    with Tables() as tables:
        tables.apply(recorded(("run", run.history)))
        (row,) = tables.rows("executions")
    assert row["error"] == row["reason"] == "e" * 4_000
