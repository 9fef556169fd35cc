"""The objects of `-o json`. Their keys are a promise: new ones may come, none is renamed or taken away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from actbook.events import as_datetime, node_exec_id

if TYPE_CHECKING:
    from actbook.events import GraphExecution, NodeExecution
    from actbook.projections import ExecutionRow


def iso(at: int | None) -> str | None:
    """Microseconds since the epoch as ISO 8601 in UTC; None for a moment that has not come."""
    return as_datetime(at).astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def moment(text: str) -> datetime:
    """The reverse of `iso`, for every ISO 8601 text; without an offset it is UTC. Raises `ValueError`."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def execution_record(state: GraphExecution, graph_name: str = "") -> dict[str, Any]:
    """What `run` and `show` print of an execution."""
    return {
        "id": state.id,
        "status": str(state.status),
        "outputs": state.outputs,
        "error": state.error or None,
        "stats": {
            "wall": state.wall,
            "node_exec_count": state.stats.node_exec_count,
            "node_error_count": state.stats.node_error_count,
            "node_wall": state.stats.node_wall,
            "node_cpu": state.stats.node_cpu,
            "cost": state.stats.cost,
        },
        "graph_id": state.graph_id,
        "graph_version": state.graph_version,
        "graph_name": graph_name,
        "user_id": state.user_id,
        "inputs": state.inputs,
        "created_at": iso(state.created_at),
        "queued_at": iso(state.queued_at),
        "started_at": iso(state.started_at),
        "ended_at": iso(state.ended_at),
        "reason": state.reason or None,
        "actor": state.actor or None,
        "attempt": state.attempt,
        "origin_id": state.origin.execution_id if state.origin else None,
        "origin_version": state.origin.version if state.origin else None,
        "parent_id": state.parent.execution_id if state.parent else None,
        "root_id": state.root_id,
        "worker": state.worker or None,
    }


def row_record(row: ExecutionRow) -> dict[str, Any]:
    """The same keys from a view's row, for `ls`."""
    return {
        "id": row.id,
        "status": str(row.status),
        "outputs": row.outputs,
        "error": row.error or None,
        "stats": {
            "wall": row.wall,
            "node_exec_count": row.node_exec_count,
            "node_error_count": row.node_error_count,
            "node_wall": row.node_wall,
            "node_cpu": row.node_cpu,
            "cost": row.cost,
        },
        "graph_id": row.graph_id,
        "graph_version": row.graph_version,
        "graph_name": row.graph_name,
        "user_id": row.user_id,
        "inputs": row.inputs,
        "created_at": iso(row.created_at),
        "queued_at": iso(row.queued_at),
        "started_at": iso(row.started_at),
        "ended_at": iso(row.ended_at),
        "reason": row.reason or None,
        "actor": row.actor or None,
        "attempt": row.attempt,
        "origin_id": row.origin_id,
        "origin_version": row.origin_version,
        "parent_id": row.parent_id,
        "root_id": row.root_id,
        "worker": row.worker or None,
    }


def node_record(state: GraphExecution, node: NodeExecution, labels: Mapping[str, str]) -> dict[str, Any]:
    """A node execution, as `show` and `replay` print it."""
    review = node.review
    return {
        "id": node_exec_id(state.id, node.number),
        "number": node.number,
        "node_id": node.node_id,
        "node_name": labels.get(node.node_id, ""),
        "block_id": node.block_id,
        "status": str(node.status),
        "attempt": node.attempt,
        "inputs": node.data or node.inputs,
        "outputs": node.pins,
        "error": node.error or None,
        "reason": node.reason or None,
        "skipped": node.skipped,
        "child_id": node.child_id or None,
        "retry_of": node.retry_of or None,
        "queued_at": iso(node.queued_at),
        "started_at": iso(node.started_at),
        "ended_at": iso(node.ended_at),
        "stats": {
            "wall": node.wall,
            "cpu": node.cpu,
            "cost": node.cost,
            "counters": node.counters or {},
        },
        "review": None
        if review is None
        else {
            "name": review.name,
            "data": review.data,
            "editable": review.editable,
            "approved": review.approved,
            "message": review.message or None,
            "reviewer": review.reviewer or None,
        },
    }


def full_record(state: GraphExecution, graph_name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """What `show` and `replay` print: the execution with its node executions, by number."""
    record = execution_record(state, graph_name)
    record["version"] = state.version
    nodes = sorted(state.node_executions.items())
    record["node_executions"] = [node_record(state, node, labels) for _, node in nodes]
    return record
