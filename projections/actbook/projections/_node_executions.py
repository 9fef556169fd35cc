"""The view `node_executions`: one row per node execution."""

from __future__ import annotations

from typing import ClassVar

from actbook.events import (
    ChildStarted,
    Envelope,
    ExecutionResumed,
    ExecutionStatus,
    NodeCompleted,
    NodeCreated,
    NodeFailed,
    NodeQueued,
    NodeReviewDecided,
    NodeReviewRequested,
    NodeSkipped,
    NodeStarted,
    NodeStats,
    NodeTerminated,
)
from actbook.projections._bounded import text
from actbook.projections._projection import Projection, handles
from actbook.projections._rows import Rows
from actbook.projections._table import Column, Row, Table

# Plain text: the database binds subclasses of str several times more slowly.
_INCOMPLETE = ExecutionStatus.INCOMPLETE.value
_QUEUED = ExecutionStatus.QUEUED.value
_RUNNING = ExecutionStatus.RUNNING.value
_COMPLETED = ExecutionStatus.COMPLETED.value
_FAILED = ExecutionStatus.FAILED.value
_TERMINATED = ExecutionStatus.TERMINATED.value
_REVIEW = ExecutionStatus.REVIEW.value

NODE_EXECUTIONS = Table(
    "node_executions",
    "One row per node execution.",
    (
        Column("execution_id", "TEXT", "graph execution it belongs to", "", fixed=True),
        Column(
            "number", "INTEGER", "1, 2, 3 … in order of creation within its graph execution", 0, fixed=True
        ),
        Column(
            "id",
            "TEXT",
            "how it is known outside: `execution_id.number`",
            generated="execution_id || '.' || number",
        ),
        Column("node_id", "TEXT", "node of the graph", "", fixed=True),
        Column("block_id", "TEXT", "block of the node", "", fixed=True),
        Column("status", "TEXT", "INCOMPLETE, QUEUED, RUNNING, COMPLETED, FAILED, TERMINATED or REVIEW", ""),
        Column("attempt", "INTEGER", "attempts begun so far", 0),
        Column("queued_at", "INTEGER", "when it was queued last"),
        Column("started_at", "INTEGER", "when its first attempt began"),
        Column("ended_at", "INTEGER", "when it ended"),
        Column("wall", "REAL", "seconds its body ran", 0.0),
        Column("cpu", "REAL", "CPU seconds of its body", 0.0),
        Column("input_bytes", "INTEGER", "size of its inputs", 0),
        Column("output_bytes", "INTEGER", "size of its outputs", 0),
        Column("error", "TEXT", "error text, cut at 4,000 characters", ""),
        Column("error_type", "TEXT", "exception type of an unexpected failure", ""),
        Column("expected", "INTEGER", "0 = failed unexpectedly", 1),
        Column("skipped", "INTEGER", "1 = ended without running, because the run skips its node", 0),
        Column("child_id", "TEXT", "execution of its sub-graph", ""),
        Column("reason", "TEXT", "why it was stopped", ""),
        Column("position", "INTEGER", "event that changed the row last", 0),
    ),
    key=("execution_id", "number"),
)

_BLANK = NODE_EXECUTIONS.blank()


class NodeExecutions(Projection):
    """Follows the same rules as `actbook.events.evolve`."""

    table: ClassVar[Table] = NODE_EXECUTIONS

    @handles(NodeCreated, NodeQueued)
    def appeared(self, event: Envelope, payload: NodeCreated | NodeQueued, rows: Rows) -> None:
        # What waited for inputs and is queued now has nothing yet that the new row lacks: no need to read the old one.
        row = _BLANK.copy()
        row["execution_id"] = event.stream_id
        row["number"] = number = payload.node_exec
        row["node_id"] = payload.node_id
        row["block_id"] = payload.block_id
        row["position"] = event.position
        if type(payload) is NodeQueued:
            row["status"] = _QUEUED
            row["queued_at"] = event.at
        else:
            row["status"] = _INCOMPLETE
        rows[event.stream_id, number] = row

    @handles(NodeStarted)
    def started(self, event: Envelope, payload: NodeStarted, rows: Rows) -> None:
        row = rows[event.stream_id, payload.node_exec]
        row["status"] = _RUNNING
        row["attempt"] = payload.attempt
        row["child_id"] = ""
        if row["started_at"] is None:
            row["started_at"] = event.at
        row["position"] = event.position

    @handles(NodeCompleted)
    def completed(self, event: Envelope, payload: NodeCompleted, rows: Rows) -> None:
        row = rows[event.stream_id, payload.node_exec]
        row["status"] = _COMPLETED
        _end(row, event, payload.stats)

    @handles(NodeFailed)
    def failed(self, event: Envelope, payload: NodeFailed, rows: Rows) -> None:
        row = rows[event.stream_id, payload.node_exec]
        row["status"] = _FAILED
        row["error"] = text(payload.error)
        row["error_type"] = text(payload.error_type)
        row["expected"] = 1 if payload.expected else 0
        _end(row, event, payload.stats)

    @handles(NodeSkipped)
    def skipped(self, event: Envelope, payload: NodeSkipped, rows: Rows) -> None:
        row = rows[event.stream_id, payload.node_exec]
        row["status"] = _COMPLETED
        row["skipped"] = 1
        row["ended_at"] = event.at
        row["position"] = event.position

    @handles(NodeTerminated)
    def terminated(self, event: Envelope, payload: NodeTerminated, rows: Rows) -> None:
        reason = text(payload.reason)
        for number in payload.node_execs:
            row = rows[event.stream_id, number]
            row["status"] = _TERMINATED
            row["ended_at"] = event.at
            row["reason"] = reason
            row["position"] = event.position

    @handles(ExecutionResumed)
    def resumed(self, event: Envelope, payload: ExecutionResumed, rows: Rows) -> None:
        for row in rows.where(execution_id=event.stream_id, status=_TERMINATED):
            row["status"] = _QUEUED
            row["queued_at"] = event.at
            row["ended_at"] = None
            row["reason"] = ""
            row["position"] = event.position

    @handles(NodeReviewRequested)
    def review_requested(self, event: Envelope, payload: NodeReviewRequested, rows: Rows) -> None:
        row = rows[event.stream_id, payload.node_exec]
        row["status"] = _REVIEW
        row["position"] = event.position

    @handles(NodeReviewDecided)
    def review_decided(self, event: Envelope, payload: NodeReviewDecided, rows: Rows) -> None:
        row = rows[event.stream_id, payload.node_exec]
        row["status"] = _RUNNING
        row["position"] = event.position

    @handles(ChildStarted)
    def child_started(self, event: Envelope, payload: ChildStarted, rows: Rows) -> None:
        row = rows[event.stream_id, payload.node_exec]
        row["child_id"] = payload.execution_id
        row["position"] = event.position


def _end(row: Row, event: Envelope, stats: NodeStats) -> None:
    row["ended_at"] = event.at
    row["wall"] = stats.wall
    row["cpu"] = stats.cpu
    row["input_bytes"] = stats.input_bytes
    row["output_bytes"] = stats.output_bytes
    row["position"] = event.position
