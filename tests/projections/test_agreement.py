"""The views say the same as the state folded from the same events."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actbook.events import Draft, GraphExecution, NodeExecution, Parent, fold
from actbook.graphs import Plan
from tests.events.test_history import Act, acts, plans, shaken
from tests.projections.recording import Tables, recorded

FAST = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
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
        "node_exec_count": state.stats.node_exec_count,
        "node_done_count": sum(node.status.is_final for node in state.node_executions.values()),
        "node_error_count": state.stats.node_error_count,
        "node_wall": state.stats.node_wall,
        "node_cpu": state.stats.node_cpu,
        "error": state.error,
        "reason": state.reason,
        "actor": state.actor,
        "worker": state.worker,
        "parent_id": state.parent.execution_id if state.parent else None,
        "parent_node": state.parent.node_exec if state.parent else None,
        "outputs": state.outputs,
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
        "error": node.error,
        "skipped": int(node.skipped),
        "child_id": node.child_id,
        "reason": node.reason,
    }


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
    execution.update(inputs=json.loads(execution["inputs"]), outputs=json.loads(execution["outputs"]))
    assert {**execution, **execution_of(state)} == execution
    assert len(nodes) == len(state.node_executions)
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
        for table in ("executions", "node_executions"):
            assert whole.rows(table) == pieces.rows(table)
            assert {row["execution_id" if "number" in row else "id"] for row in whole.rows(table)} == {"a", "b"}
