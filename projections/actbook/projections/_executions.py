"""The view `executions`: one row per graph execution."""

from __future__ import annotations

from typing import ClassVar

from actbook.events import (
    Envelope,
    ExecutionClaimed,
    ExecutionCompleted,
    ExecutionCreated,
    ExecutionFailed,
    ExecutionForked,
    ExecutionParked,
    ExecutionQueued,
    ExecutionResumed,
    ExecutionRetried,
    ExecutionStarted,
    ExecutionStatus,
    ExecutionTerminated,
    NodeCompleted,
    NodeCreated,
    NodeFailed,
    NodeOutput,
    NodeQueued,
    NodeRetried,
    NodeRetryScheduled,
    NodeSkipped,
    UsageCharged,
)
from actbook.projections._bounded import add_outputs, as_json, text
from actbook.projections._execution_table import EXECUTIONS
from actbook.projections._projection import Projection, handles
from actbook.projections._rows import Rows
from actbook.projections._table import Row, Table
from actbook.projections._workers import WORKERS, is_past, saw_claim, saw_end

_INCOMPLETE = ExecutionStatus.INCOMPLETE.value
_QUEUED = ExecutionStatus.QUEUED.value
_RUNNING = ExecutionStatus.RUNNING.value
_COMPLETED = ExecutionStatus.COMPLETED.value
_FAILED = ExecutionStatus.FAILED.value
_TERMINATED = ExecutionStatus.TERMINATED.value
_REVIEW = ExecutionStatus.REVIEW.value


class Executions(Projection):
    """Follows the same rules as `actbook.events.evolve`."""

    table: ClassVar[Table] = EXECUTIONS
    further: ClassVar[tuple[Table, ...]] = (WORKERS,)
    version: ClassVar[int] = 3

    @handles(ExecutionCreated)
    def created(self, event: Envelope, payload: ExecutionCreated, rows: Rows) -> None:
        inputs, complete = as_json(payload.inputs)
        parent, origin = payload.parent, payload.origin
        rows[event.stream_id] = {
            **EXECUTIONS.blank(),
            "seq": event.position,
            "id": event.stream_id,
            "user_id": payload.user_id,
            "graph_id": payload.graph_id,
            "graph_version": payload.graph_version,
            "status": _INCOMPLETE,
            "created_at": event.at,
            "parent_id": parent.execution_id if parent else None,
            "parent_node": parent.node_exec if parent else None,
            "origin_id": origin.execution_id if origin else None,
            "origin_version": origin.version if origin else None,
            "root_id": payload.root_id,
            "inputs": inputs,
            "inputs_complete": 1 if complete else 0,
            "priority": payload.settings.priority,
            "start_at": payload.start_at or None,
            "status_at": event.at,
            "position": event.position,
        }

    @handles(ExecutionQueued)
    def queued(self, event: Envelope, payload: ExecutionQueued, rows: Rows) -> None:
        row = _moved(event, rows, _QUEUED)
        row["queued_at"] = event.at

    @handles(ExecutionClaimed)
    def claimed(self, event: Envelope, payload: ExecutionClaimed, rows: Rows) -> None:
        row = rows[event.stream_id]
        row["worker"] = payload.worker
        row["claimed_at"] = event.at
        row["position"] = event.position
        if not is_past(event, row):
            saw_claim(event, payload, rows.beside[WORKERS.name])

    @handles(ExecutionStarted)
    def started(self, event: Envelope, payload: ExecutionStarted, rows: Rows) -> None:
        row = _moved(event, rows, _RUNNING)
        if row["started_at"] is None:
            row["started_at"] = event.at
        row["ended_at"] = None
        row["wall"] = 0.0

    @handles(ExecutionParked)
    def parked(self, event: Envelope, payload: ExecutionParked, rows: Rows) -> None:
        _moved(event, rows, _REVIEW)

    @handles(ExecutionCompleted)
    def completed(self, event: Envelope, payload: ExecutionCompleted, rows: Rows) -> None:
        _end(_moved(event, rows, _COMPLETED), event, rows)

    @handles(ExecutionFailed)
    def failed(self, event: Envelope, payload: ExecutionFailed, rows: Rows) -> None:
        row = _moved(event, rows, _FAILED)
        row["error"] = row["reason"] = text(payload.error)
        row["actor"] = payload.actor
        _end(row, event, rows)

    @handles(ExecutionTerminated)
    def terminated(self, event: Envelope, payload: ExecutionTerminated, rows: Rows) -> None:
        row = _moved(event, rows, _TERMINATED)
        row["actor"] = payload.actor
        row["reason"] = text(payload.reason)
        _end(row, event, rows)

    @handles(ExecutionResumed)
    def resumed(self, event: Envelope, payload: ExecutionResumed, rows: Rows) -> None:
        _go_on(event, rows)

    @handles(ExecutionRetried)
    def retried(self, event: Envelope, payload: ExecutionRetried, rows: Rows) -> None:
        row = _go_on(event, rows)
        row["attempt"] = payload.attempt

    @handles(ExecutionForked)
    def forked(self, event: Envelope, payload: ExecutionForked, rows: Rows) -> None:
        row = _go_on(event, rows)
        row["created_at"] = event.at
        row["started_at"] = None
        row["worker"] = ""
        row["claimed_at"] = None
        # What was used so far counts for the origin only.
        row["node_wall"] = row["node_cpu"] = row["cost"] = 0.0

    @handles(NodeCreated, NodeQueued, NodeRetried)
    def node_appeared(
        self, event: Envelope, payload: NodeCreated | NodeQueued | NodeRetried, rows: Rows
    ) -> None:
        row = rows[event.stream_id]
        if payload.node_exec > row["node_exec_count"]:
            row["node_exec_count"] = payload.node_exec
            row["position"] = event.position

    @handles(NodeOutput)
    def node_output(self, event: Envelope, payload: NodeOutput, rows: Rows) -> None:
        if payload.graph_output is not None:
            _add_output(rows[event.stream_id], event, payload)

    @handles(NodeCompleted)
    def node_completed(self, event: Envelope, payload: NodeCompleted, rows: Rows) -> None:
        row = rows[event.stream_id]
        row["node_done_count"] += 1
        row["node_wall"] += payload.stats.wall
        row["node_cpu"] += payload.stats.cpu
        row["position"] = event.position
        if payload.graph_output is not None:
            _add_output(row, event, payload)

    @handles(NodeFailed)
    def node_failed(self, event: Envelope, payload: NodeFailed, rows: Rows) -> None:
        row = rows[event.stream_id]
        row["node_done_count"] += 1
        row["node_error_count"] += 1
        row["node_wall"] += payload.stats.wall
        row["node_cpu"] += payload.stats.cpu
        row["position"] = event.position

    @handles(NodeRetryScheduled)
    def node_retry_scheduled(self, event: Envelope, payload: NodeRetryScheduled, rows: Rows) -> None:
        row = rows[event.stream_id]
        row["node_wall"] += payload.stats.wall
        row["node_cpu"] += payload.stats.cpu
        row["position"] = event.position

    @handles(NodeSkipped)
    def node_skipped(self, event: Envelope, payload: NodeSkipped, rows: Rows) -> None:
        row = rows[event.stream_id]
        row["node_done_count"] += 1
        row["position"] = event.position

    @handles(UsageCharged)
    def charged(self, event: Envelope, payload: UsageCharged, rows: Rows) -> None:
        row = rows[event.stream_id]
        row["cost"] += payload.amount
        row["position"] = event.position


def _moved(event: Envelope, rows: Rows, status: str) -> Row:
    row = rows[event.stream_id]
    row["status"] = status
    row["status_at"] = event.at
    row["position"] = event.position
    return row


def _go_on(event: Envelope, rows: Rows) -> Row:
    row = _moved(event, rows, _QUEUED)
    row["queued_at"] = event.at
    row["ended_at"] = None
    row["wall"] = 0.0
    row["actor"] = row["reason"] = row["error"] = ""
    return row


def _end(row: Row, event: Envelope, rows: Rows) -> None:
    row["ended_at"] = event.at
    started = row["started_at"]
    row["wall"] = 0.0 if started is None else (event.at - started) / 1e6
    if row["worker"] and not is_past(event, row):
        saw_end(event, row["worker"], rows.beside[WORKERS.name])


def _add_output(row: Row, event: Envelope, payload: NodeOutput | NodeCompleted) -> None:
    row["position"] = event.position
    if not row["outputs_complete"] or not payload.outputs:
        return
    values = [value for pin, value in payload.outputs if pin == "output"]
    name, number = payload.graph_output or "", payload.node_exec
    outputs, numbers, complete = add_outputs(row["outputs"], row["output_numbers"], name, number, values)
    row["outputs"] = outputs
    row["output_numbers"] = numbers
    row["outputs_complete"] = 1 if complete else 0
