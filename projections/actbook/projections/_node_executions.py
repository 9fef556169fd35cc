"""The view `node_executions`: one row per node execution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from actbook.events import (
    ChildStarted,
    Envelope,
    ExecutionForked,
    ExecutionResumed,
    ExecutionRetried,
    ExecutionStatus,
    NodeCompleted,
    NodeCreated,
    NodeFailed,
    NodeQueued,
    NodeRetried,
    NodeRetryScheduled,
    NodeReviewDecided,
    NodeReviewRequested,
    NodeSkipped,
    NodeStarted,
    NodeStats,
    NodeTerminated,
    UsageCharged,
)
from actbook.projections._bounded import add_counted, text
from actbook.projections._latency import LATENCY, Ends, forget_ends
from actbook.projections._projection import Projection, handles
from actbook.projections._rows import Rows
from actbook.projections._table import Column, Index, Row, Table

# Plain text: the database binds subclasses of str several times more slowly.
_INCOMPLETE = ExecutionStatus.INCOMPLETE.value
_QUEUED = ExecutionStatus.QUEUED.value
_RUNNING = ExecutionStatus.RUNNING.value
_COMPLETED = ExecutionStatus.COMPLETED.value
_FAILED = ExecutionStatus.FAILED.value
_TERMINATED = ExecutionStatus.TERMINATED.value
_REVIEW = ExecutionStatus.REVIEW.value

WAITING = "status IN ('QUEUED','REVIEW')"
"""Condition of the index of what waits."""

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
        Column("wall", "REAL", "seconds its body ran, over all attempts", 0.0),
        Column("cpu", "REAL", "CPU seconds of its body, over all attempts", 0.0),
        Column("input_bytes", "INTEGER", "size of its inputs", 0),
        Column("output_bytes", "INTEGER", "size of its outputs", 0),
        Column("cost", "REAL", "credits it was charged", 0.0),
        Column("counters", "TEXT", "what its block counted itself, over all attempts: a JSON object", "{}"),
        Column("error", "TEXT", "error text, cut at 4,000 characters", ""),
        Column("error_type", "TEXT", "exception type of an unexpected failure", ""),
        Column("expected", "INTEGER", "0 = failed unexpectedly", 1),
        Column("skipped", "INTEGER", "1 = ended without running, because the run skips its node", 0),
        Column("child_id", "TEXT", "execution of its sub-graph", ""),
        Column("retry_of", "INTEGER", "node execution that failed before and that it takes the place of", 0),
        Column("reason", "TEXT", "why it was stopped", ""),
        Column("waited", "REAL", "seconds it stood in the queue before it was started", 0.0),
        Column("inherited", "INTEGER", "1 = it ended in the execution that its own is a fork of", 0),
        Column("position", "INTEGER", "event that changed the row last", 0),
    ),
    key=("execution_id", "number"),
    indexes=(Index(("status", "queued_at"), WAITING),),
)


class NodeExecutions(Projection):
    """Follows the same rules as `actbook.events.evolve`."""

    table: ClassVar[Table] = NODE_EXECUTIONS
    further: ClassVar[tuple[Table, ...]] = (LATENCY,)
    version: ClassVar[int] = 3

    def __init__(self) -> None:
        super().__init__()
        self._ends = Ends()

    def reduce(self, events: Sequence[Envelope], rows: Rows) -> None:
        self._ends.clear()  # of a batch that was given up
        super().reduce(events, rows)
        self._ends.count(rows.beside[LATENCY.name])

    @handles(NodeCreated, NodeQueued, NodeRetried)
    def appeared(self, event: Envelope, payload: NodeCreated | NodeQueued | NodeRetried, rows: Rows) -> None:
        # What waited for inputs and is queued now has nothing yet that the new row lacks: no need to read the old one.
        number = payload.node_exec
        row = rows.fresh((event.stream_id, number))
        row["execution_id"] = event.stream_id
        row["number"] = number
        row["node_id"] = payload.node_id
        row["block_id"] = payload.block_id
        row["position"] = event.position
        if type(payload) is NodeQueued:
            row["status"] = _QUEUED
            row["queued_at"] = event.at
        elif type(payload) is NodeRetried:
            row["status"] = _QUEUED
            row["queued_at"] = event.at
            row["retry_of"] = payload.retry_of
        else:
            row["status"] = _INCOMPLETE

    @handles(NodeStarted)
    def started(self, event: Envelope, payload: NodeStarted, rows: Rows) -> None:
        row = rows[event.stream_id, payload.node_exec]
        if row["status"] == _QUEUED:
            row["waited"] += max(0, event.at - row["queued_at"]) / 1e6
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
        self._end(row, event, payload.stats)

    @handles(NodeFailed)
    def failed(self, event: Envelope, payload: NodeFailed, rows: Rows) -> None:
        row = rows[event.stream_id, payload.node_exec]
        row["status"] = _FAILED
        row["error"] = text(payload.error)
        row["error_type"] = text(payload.error_type)
        row["expected"] = 1 if payload.expected else 0
        self._end(row, event, payload.stats)

    @handles(NodeRetryScheduled)
    def retry_scheduled(self, event: Envelope, payload: NodeRetryScheduled, rows: Rows) -> None:
        row = rows[event.stream_id, payload.node_exec]
        row["child_id"] = ""
        row["wall"] += payload.stats.wall
        row["cpu"] += payload.stats.cpu
        if payload.stats.counters:
            row["counters"] = add_counted(row["counters"], payload.stats.counters)
        row["position"] = event.position

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

    @handles(ExecutionForked)
    def forked(self, event: Envelope, payload: ExecutionForked, rows: Rows) -> None:
        # Its sub-graphs are the origin's, and so is what was used.
        past = rows.where(execution_id=event.stream_id)
        ended = [row for row in past if row["status"] in (_COMPLETED, _FAILED) and not row["inherited"]]
        self._ends.count(rows.beside[LATENCY.name])
        forget_ends(ended, event, rows.beside[LATENCY.name])
        for row in ended:
            row["inherited"] = 1
        for row in past:
            if row["status"] == _RUNNING:
                row["child_id"] = ""
            row["cost"] = 0.0
            row["position"] = event.position
        self.resumed(event, payload, rows)

    @handles(ExecutionResumed, ExecutionRetried)
    def resumed(
        self, event: Envelope, payload: ExecutionResumed | ExecutionRetried | ExecutionForked, rows: Rows
    ) -> None:
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

    @handles(UsageCharged)
    def charged(self, event: Envelope, payload: UsageCharged, rows: Rows) -> None:
        if payload.node_exec:
            row = rows[event.stream_id, payload.node_exec]
            row["cost"] += payload.amount
            row["position"] = event.position

    def _end(self, row: Row, event: Envelope, stats: NodeStats) -> None:
        row["ended_at"] = event.at
        row["wall"] += stats.wall
        row["cpu"] += stats.cpu
        row["input_bytes"] = stats.input_bytes
        row["output_bytes"] = stats.output_bytes
        if stats.counters:
            row["counters"] = add_counted(row["counters"], stats.counters)
        row["position"] = event.position
        self._ends.add(row, event)
