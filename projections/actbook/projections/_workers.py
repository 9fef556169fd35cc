"""The table `workers`, filled along with `executions`: who claimed executions, and when it was last heard of."""

from __future__ import annotations

from actbook.events import Envelope, ExecutionClaimed
from actbook.projections._rows import Rows
from actbook.projections._table import Column, Row, Table

WORKERS = Table(
    "workers",
    "One row per process that ever claimed an execution. What it has now: executions of its name that are RUNNING.",
    (
        Column("worker", "TEXT", "name of the process", "", fixed=True),
        Column("first_seen_at", "INTEGER", "when it first claimed an execution", 0, fixed=True),
        Column("last_seen_at", "INTEGER", "when it last claimed an execution or brought one to its end", 0),
        Column("claims", "INTEGER", "executions that it claimed; the same one again counts again", 0),
        Column("ended", "INTEGER", "executions that came to an end while it had them", 0),
        Column("last_execution_id", "TEXT", "the execution that it claimed last", ""),
        Column("position", "INTEGER", "event that changed the row last", 0),
    ),
    key=("worker",),
)


def is_past(event: Envelope, execution: Row) -> bool:
    """Does the event belong to the past that a fork has from its origin? It is counted there."""
    return event.version <= (execution["origin_version"] or 0)


def saw_claim(event: Envelope, payload: ExecutionClaimed, rows: Rows) -> None:
    if rows.peek(payload.worker) is None:
        rows[payload.worker] = {
            **WORKERS.blank(),
            "worker": payload.worker,
            "first_seen_at": event.at,
        }
    row = _seen(event, payload.worker, rows)
    row["claims"] += 1
    row["last_execution_id"] = event.stream_id


def saw_end(event: Envelope, worker: str, rows: Rows) -> None:
    _seen(event, worker, rows)["ended"] += 1


def _seen(event: Envelope, worker: str, rows: Rows) -> Row:
    row = rows[worker]
    # Clocks of other processes may be behind.
    row["last_seen_at"] = max(row["last_seen_at"], event.at)
    row["position"] = event.position
    return row
